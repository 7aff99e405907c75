//! What tests share: generated files, and worlds made of a few lines of text.

mod derived;
mod examples;
mod honest;
mod readme;
mod story;
mod tampering;

use std::path::Path;

pub(crate) use story::{Findings, story};

/// Compares generated files of this repository with what they should hold. Those that differ are
/// written anew and the test fails once, so that the diff can be read; in CI (where `CI` is set)
/// it only compares.
pub(crate) fn golden(files: &[(String, String)]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stale = Vec::new();
    for (path, expected) in files {
        let file = root.join(path);
        if std::fs::read_to_string(&file).is_ok_and(|found| found == *expected) {
            continue;
        }
        stale.push(path.as_str());
        if std::env::var_os("CI").is_none() {
            let folder = file.parent().expect("generated files lie below the repository's top");
            std::fs::create_dir_all(folder).expect("a folder for generated files");
            std::fs::write(&file, expected).expect("a generated file can be written");
        }
    }
    assert!(stale.is_empty(), "not current: {stale:?}; written anew, read the diff and run again");
}
