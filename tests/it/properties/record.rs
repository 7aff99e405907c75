//! A record: the first line is its path, the rest its bytes.

use orch::record::{Problem, Record, RecordPath, parse, write};
use orch::source::{Digest, RepoPath};

/// Holds that no bytes make the parser panic, that problems point into the text, and that what was
/// understood is written so that it is understood as the same.
pub(crate) fn record(data: &[u8]) {
    let end = data.iter().position(|byte| *byte == b'\n').unwrap_or(data.len());
    let (name, bytes) = (&data[..end], data.get(end + 1..).unwrap_or_default());
    let Ok(path) = RecordPath::parse(&RepoPath::from_git(name)) else { return };
    match parse(&path, bytes) {
        Err(problems) => points_into(bytes, &problems),
        Ok(record) => survives_writing(&record, bytes),
    }
}

/// Holds that there are problems, and that each of them can be underlined and told.
pub(super) fn points_into(bytes: &[u8], problems: &[Problem]) {
    assert!(!problems.is_empty(), "what is refused is refused for a reason");
    for problem in problems {
        let span = problem.span;
        assert!(span.start <= span.end && span.end <= bytes.len(), "{problem:?}");
        assert!(!problem.message.is_empty() && !problem.help.is_empty(), "{problem:?}");
        if let Ok(text) = std::str::from_utf8(bytes) {
            assert!(text.get(span.start..span.end).is_some(), "{problem:?}");
        }
    }
}

fn survives_writing(record: &Record, bytes: &[u8]) {
    assert_eq!(record.digest, Digest::of(bytes));
    let path = record.repo_path();
    let canonical = path.to_str().map(RepoPath::canonical);
    assert_eq!(canonical, Some(Ok(path.clone())), "a record lies where a reader sees it");
    for span in [record.heading(), record.field("task_id"), record.envelope_field("previous")] {
        assert!(span.start <= span.end && span.end <= bytes.len(), "{span:?}");
    }
    let written = write(&record.payload, &record.entry);
    let again = parse(&record.path, written.as_bytes());
    let again = again.unwrap_or_else(|problems| panic!("{problems:?}\n{written}"));
    assert_eq!((&again.payload, &again.entry), (&record.payload, &record.entry), "{written}");
    assert_eq!(write(&again.payload, &again.entry), written);
}
