//! The room that reads Git: real repositories, real clones, real damage.

mod clones;
mod hooks;
mod index;
mod open;
mod random;
mod range;
mod refs;
mod remote;
mod staged;
mod write;

use std::collections::BTreeSet;

use orch::snapshot::{Change, Mode, Node, Oid};
use orch::source::RepoPath;

use crate::support::TestRepo;

/// Writes changes as `A path`, `D path` or `M path`, for short assertions.
fn brief(changes: &[Change]) -> Vec<String> {
    let kind = |change: &Change| match (change.old, change.new) {
        (None, _) => 'A',
        (_, None) => 'D',
        _ => 'M',
    };
    changes.iter().map(|change| format!("{} {}", kind(change), change.path)).collect()
}

/// Runs a `git diff` command and reads its raw output.
pub(crate) fn raw_diff(repo: &TestRepo, arguments: &[&str]) -> Vec<Change> {
    let flags = ["--raw", "--no-renames", "--no-abbrev", "-z"];
    let output = repo.git_bytes(&[&arguments[..1], &flags, &arguments[1..]].concat(), b"");
    let mut fields = output.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    let mut changes = Vec::new();
    while let (Some(words), Some(path)) = (fields.next(), fields.next()) {
        let words = String::from_utf8_lossy(words).into_owned();
        let words: Vec<_> = words.trim_start_matches(':').split(' ').collect();
        changes.push(Change {
            path: RepoPath::from_git(path),
            old: node(words[0], words[2]),
            new: node(words[1], words[3]),
        });
    }
    changes.sort();
    changes
}

/// Gives what a commit changed, by Git: for a merge, only what differs from every parent.
pub(crate) fn step_by_git(repo: &TestRepo, commit: &str) -> Vec<Change> {
    let parents = repo.git(&["log", "-1", "--format=%P", commit]);
    let parents: Vec<_> = parents.split_whitespace().collect();
    let against = |parent: &str| raw_diff(repo, &["diff-tree", "-r", parent, commit]);
    let Some(first) = parents.first() else {
        return raw_diff(repo, &["diff-tree", "-r", "--root", "--no-commit-id", commit]);
    };
    let mut changes = against(first);
    for parent in &parents[1..] {
        let paths: BTreeSet<_> = against(parent).into_iter().map(|change| change.path).collect();
        changes.retain(|change| paths.contains(&change.path));
    }
    changes
}

fn node(mode: &str, oid: &str) -> Option<Node> {
    let mode = match mode {
        "100644" => Mode::File,
        "100755" => Mode::Executable,
        "120000" => Mode::Symlink,
        "160000" => Mode::Submodule,
        _ => return None,
    };
    Some(Node { mode, oid: Oid::from_hex(oid).expect("Git prints a full name") })
}
