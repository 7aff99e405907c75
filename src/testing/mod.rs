//! What tests share: generated files, and worlds made of a few lines of text.

mod aside;
mod derived;
mod examples;
mod honest;
mod lifecycle;
mod lives;
mod parts;
mod readme;
mod story;
mod tampering;
mod walks;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex};

use regex::Regex;
use serde::Serialize;

pub(crate) use story::{Findings, story};

use crate::policy::Policy;
use crate::source::Digest;
use crate::world::{Focus, World};

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

/// The same for JSON Schemas. Where a rule comes from is for whoever reads the code; what a field is, for everyone.
pub(crate) fn golden_schemas(schemas: &[(String, impl Serialize)]) {
    let source = r"\s*\((?:R\d{3}-\d+(?:,\s+|\s+to\s+)?)+\)";
    let source = Regex::new(source).expect("a pattern");
    let files = schemas.iter().map(|(path, schema)| {
        let text = serde_json::to_string_pretty(schema).expect("a schema is JSON") + "\n";
        (path.clone(), source.replace_all(&text, "").into_owned())
    });
    golden(&files.collect::<Vec<_>>());
}

/// Tells a story, and gives the world of all its tasks behind it.
pub(crate) fn world(text: &str) -> World {
    story::told(text).world_through(Focus::All)
}

/// Every entry of every story is drafted under a policy, and compiling one takes long in a build
/// for tests.
fn compiled(bytes: &[u8]) -> Arc<Policy> {
    static KNOWN: Mutex<BTreeMap<Digest, Arc<Policy>>> = Mutex::new(BTreeMap::new());
    let known = || KNOWN.lock().expect("nothing panics while this is locked");
    let digest = Digest::of(bytes);
    if let Some(policy) = known().get(&digest) {
        return Arc::clone(policy);
    }
    let policy = Policy::parse(bytes, &crate::checks::names());
    let policy = Arc::new(policy.unwrap_or_else(|problems| panic!("{problems:?}")));
    known().insert(digest, Arc::clone(&policy));
    policy
}

/// Gives what is wrong with the strategy template after a change, each with its help.
pub(crate) fn strategy_problems(from: &str, to: &str) -> Vec<String> {
    let text = include_str!("../../templates/strategy.yaml");
    assert!(text.contains(from), "the template no longer says {from:?}");
    let parsed = Policy::parse(text.replace(from, to).as_bytes(), &crate::checks::names());
    let problems = parsed.err().unwrap_or_default().into_iter();
    let told = problems.map(|problem| {
        assert_eq!(problem.check, "policy-invalid");
        format!("{} ({})", problem.message, problem.help)
    });
    told.collect()
}
