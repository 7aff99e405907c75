//! The real history once more, commit by commit, as if the policy had been agreed from the start.
//!
//! Only the top of each tree differs: it holds `.orch` as well. Everything below, the shape of the
//! graph and the dates are the real ones, so that what Git says of a real range holds for the
//! replayed one.

use std::fmt::Write as _;

use super::history::History;
use crate::support::TestRepo;

/// Replays a history with a tree as `.orch` in every commit. Gives the new commits in its order.
pub(super) fn replay(repo: &TestRepo, history: &History, orch: &str) -> Vec<String> {
    let mut stream = String::new();
    for (mark, commit) in history.commits.iter().enumerate() {
        let mark = mark + 1;
        let date = commit.date.max(0);
        if commit.parents.is_empty() {
            stream.push_str("reset refs/heads/replay\n");
        }
        writeln!(stream, "commit refs/heads/replay\nmark :{mark}").unwrap();
        writeln!(stream, "committer Carl <carl@example.org> {date} +0000\ndata 0").unwrap();
        for (at, parent) in commit.parents.iter().enumerate() {
            let word = if at == 0 { "from" } else { "merge" };
            writeln!(stream, "{word} :{}", parent + 1).unwrap();
        }
        writeln!(stream, "M 040000 {} \"\"\nM 040000 {orch} .orch\n", commit.tree).unwrap();
    }
    let marks = repo.root().join("marks");
    let flags = ["fast-import", "--quiet", "--force", "--date-format=raw"];
    let export = format!("--export-marks={}", marks.display());
    repo.git_bytes(&[&flags[..], &[&export]].concat(), stream.as_bytes());
    let written = std::fs::read_to_string(marks).unwrap();
    let mut commits = vec![String::new(); history.commits.len()];
    for line in written.lines() {
        let (mark, id) = line.strip_prefix(':').and_then(|line| line.split_once(' ')).unwrap();
        commits[mark.parse::<usize>().unwrap() - 1] = id.to_owned();
    }
    commits
}
