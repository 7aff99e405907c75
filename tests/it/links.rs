//! Every link of the documents leads somewhere: to a file that is there, and to a heading that it has.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// Gives every document of the repository.
fn documents() -> Vec<PathBuf> {
    let mut open: Vec<PathBuf> =
        ["docs", ".github", "benches"].iter().map(|name| Path::new(TOP).join(name)).collect();
    let mut found: Vec<PathBuf> = ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"]
        .iter()
        .map(|name| Path::new(TOP).join(name))
        .collect();
    while let Some(folder) = open.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "md") {
                found.push(path);
            }
        }
    }
    found
}

/// Gives a document without its code blocks.
fn prose(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let mut inside = false;
    let lines = text.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !inside && !fence
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Gives where the links of a document lead.
fn targets(text: &str) -> Vec<&str> {
    let parts = text.split("](").skip(1);
    parts.filter_map(|rest| rest.split_once(')').map(|(target, _)| target)).collect()
}

/// Gives the anchors of a document's headings, as forges make them.
fn anchors(path: &Path) -> BTreeSet<String> {
    let text = prose(path);
    let headings = text.lines().filter_map(|line| line.strip_prefix('#'));
    let anchors = headings.map(|heading| {
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    });
    anchors.collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut lost = Vec::new();
    let mut seen = 0;
    for document in documents() {
        let text = prose(&document);
        for target in targets(&text) {
            seen += 1;
            if target.starts_with("https://") || target.starts_with("http://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let path = match file {
                "" => document.clone(),
                file => document.parent().unwrap().join(file),
            };
            let there = path.exists() && (anchor.is_empty() || anchors(&path).contains(anchor));
            if !there {
                lost.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(seen > 20, "only {seen} links were found");
    assert!(lost.is_empty(), "{}", lost.join("\n"));
}
