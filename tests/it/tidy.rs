//! The house keeps itself tidy: doors, headings, sizes.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Gives the source files below a folder; what a build left there is nobody's source.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("target") {
            continue;
        }
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// The rooms, in the order in which data flows.
fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let named = lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'));
    named.map(str::to_owned).collect()
}

/// The rooms that a text names, wherever it does.
fn mentioned(text: &str) -> impl Iterator<Item = &str> {
    text.split("crate::").skip(1).map(|rest| {
        rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default()
    })
}

#[test]
fn every_room_imports_only_from_those_above_it() {
    let rooms = rooms();
    assert!(rooms.len() > 8, "{rooms:?}");
    let mut wrong = Vec::new();
    for file in sources(&root().join("src")) {
        let inside = file.strip_prefix(root().join("src")).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap().trim_end_matches(".rs");
        let Some(rank) = rooms.iter().position(|known| known == room) else { continue };
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        for other in mentioned(code) {
            let above = rooms.iter().position(|known| known == other);
            if above.is_some_and(|above| above > rank) {
                wrong.push(format!("{} imports {other}", inside.display()));
            }
        }
    }
    assert_eq!(wrong, Vec::<String>::new());
}

#[test]
fn one_room_each_knows_a_library() {
    let owners = [
        ("gix::", "snapshot"),
        ("serde_yaml::", "record"),
        ("globset::", "policy"),
        ("regex_automata::", "policy"),
        ("miette::", "render"),
        ("prometheus_client::", "render"),
        ("ssh_key::", "keys"),
        ("clap::", "cli"),
        ("pulldown_cmark::", "exchange"),
        ("base64ct::", "exchange"),
        ("ureq::", "ops"),
        ("lettre::", "ops"),
        ("tracing::", "cli"),
        ("tracing_subscriber::", "cli"),
        ("tracing_appender::", "cli"),
        ("println!", "-"),
    ];
    for file in sources(&root().join("src")) {
        let inside = file.strip_prefix(root().join("src")).unwrap();
        let room = inside.iter().next().unwrap().to_str().unwrap();
        let text = fs::read_to_string(&file).unwrap();
        for (library, owner) in owners {
            let used =
                text.contains(&format!("use {library}")) || text.contains(&format!(" {library}"));
            assert!(
                room == "testing" || !used || room == owner,
                "{} uses {library}",
                inside.display()
            );
        }
    }
}

#[test]
fn every_file_says_what_it_is() {
    for folder in ["src", "tests"] {
        for file in sources(&root().join(folder)) {
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.starts_with("//!"), "{} has no heading", file.display());
        }
    }
}

#[test]
fn no_file_is_a_god() {
    for file in sources(&root().join("src")) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines: two files want out", file.display());
    }
}

#[test]
fn every_check_is_registered() {
    let list = fs::read_to_string(root().join("src/checks/mod.rs")).unwrap();
    for file in sources(&root().join("src/checks")) {
        let text = fs::read_to_string(&file).unwrap();
        let name = file.file_stem().unwrap().to_str().unwrap();
        if text.contains("static CHECK: Check") {
            assert!(list.contains(&format!("&{name}::CHECK")), "{name} is not in the slice");
        }
    }
}

#[test]
fn the_changelog_knows_the_version() {
    let changelog = fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(changelog.contains("## Unreleased"));
    assert!(changelog.contains(&format!("## {}", env!("CARGO_PKG_VERSION"))));
}
