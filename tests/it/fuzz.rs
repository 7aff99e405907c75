//! What the fuzzers look for, asked of every file of their corpora by the stable compiler.

use std::path::Path;

use crate::properties;

/// Asks a property of each file of a corpus. The published package leaves the fuzzers out, and with
/// them the corpora.
fn each_of(corpus: &str, holds: fn(&[u8])) {
    let fuzzers = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz");
    if !fuzzers.is_dir() {
        return;
    }
    let files = std::fs::read_dir(fuzzers.join("corpus").join(corpus)).unwrap();
    let mut paths: Vec<_> = files.map(|file| file.unwrap().path()).collect();
    paths.sort();
    assert!(!paths.is_empty(), "the corpus of `{corpus}` is empty");
    for path in paths {
        let bytes = std::fs::read(&path).unwrap();
        let held = std::panic::catch_unwind(|| holds(&bytes));
        assert!(held.is_ok(), "{} breaks what `{corpus}` promises", path.display());
    }
}

#[test]
fn records_are_read_and_written_alike() {
    each_of("record", properties::record);
}

#[test]
fn policies_answer_whatever_they_are_asked() {
    each_of("policy", properties::policy);
}

#[test]
fn patterns_are_read_alike_everywhere() {
    each_of("patterns", properties::patterns);
}

#[test]
fn the_guard_judges_whatever_is_proposed() {
    each_of("guard", properties::guard);
}
