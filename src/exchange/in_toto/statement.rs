//! The in-toto Statement, version 1: what is said, and of which bytes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::record::Record;
use crate::record::kind::Artifact;
use crate::source::{Digest, RepoPath};

/// Says something about files, named by what they hold.
#[derive(Debug, Serialize)]
pub struct Statement {
    #[serde(rename = "_type")]
    kind: &'static str,
    subject: Vec<Descriptor>,
    #[serde(rename = "predicateType")]
    predicate_type: &'static str,
    predicate: serde_json::Value,
}

/// A thing that is spoken of, by its name and what it holds (`ResourceDescriptor`).
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct Descriptor {
    /// What it is called here.
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// Where, or by what address.
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    /// Its digests in hex, by their algorithms.
    digest: BTreeMap<&'static str, String>,
}

impl Statement {
    /// Says `predicate`, which is of a type, about some things.
    pub(super) fn about(
        subject: Vec<Descriptor>,
        predicate_type: &'static str,
        predicate: &impl Serialize,
    ) -> Self {
        let predicate = serde_json::to_value(predicate).expect("a predicate has text keys only");
        Statement { kind: "https://in-toto.io/Statement/v1", subject, predicate_type, predicate }
    }
}

impl Descriptor {
    /// A file of the repository with what it holds.
    pub(super) fn file(path: &RepoPath, digest: Digest) -> Self {
        let digest = BTreeMap::from([("sha256", digest.hex())]);
        Descriptor { name: Some(path.to_string()), uri: None, digest }
    }

    /// A record.
    pub(super) fn record(record: &Record) -> Self {
        Descriptor::file(record.repo_path(), record.digest)
    }

    /// A commit, by its hex name.
    pub(super) fn commit(hex: &str) -> Self {
        let digest = BTreeMap::from([("gitCommit", hex.to_owned())]);
        Descriptor { name: None, uri: Some(gitoid(hex)), digest }
    }

    /// A thing at an address, with the SHA-256 of what it holds.
    pub(super) fn at(uri: String, digest: Digest) -> Self {
        let digest = BTreeMap::from([("sha256", digest.hex())]);
        Descriptor { name: None, uri: Some(uri), digest }
    }
}

/// Gives the files that a record speaks of, each once; a record that seals none speaks of itself.
pub(super) fn subject(record: &Record, artifacts: &[Artifact]) -> Vec<Descriptor> {
    let files: BTreeSet<_> = artifacts.iter().map(|one| (&one.path, one.checksum)).collect();
    match files.is_empty() {
        true => vec![Descriptor::record(record)],
        false => files.into_iter().map(|(path, digest)| Descriptor::file(path, digest)).collect(),
    }
}

/// Gives a commit's address: one that says what it is and nothing of where it may be had.
pub(super) fn gitoid(commit: &str) -> String {
    let algorithm = if commit.len() == 40 { "sha1" } else { "sha256" };
    format!("gitoid:commit:{algorithm}:{commit}")
}
