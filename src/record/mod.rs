//! Records: YAML in the repository to typed entries, each value with its place; and back.
//!
//! Parsing never fails: it gives what it understood and a list of problems. This is the only room
//! that uses the YAML crate.

mod decisions_log;
pub mod kind;
mod de;
mod place;
mod problem;
#[cfg(test)]
mod schemas;
mod submission;
mod text;
mod write;
pub mod yaml;

use serde::{Deserialize, Serialize};

pub use decisions_log::decisions_log;
pub use kind::Payload;
pub use place::{
    HALTS, Home, INCIDENTS, RecordPath, TASKS, belongs_to_orch, entry_name, is_record_path,
    record_of, signature_path, signed_path, snapshot_of, snapshot_path,
};
pub use problem::{Problem, did_you_mean};
pub use submission::same_submission;
pub use write::{plain_yaml, write};

use crate::source::{AgentName, Digest, Moment, RepoPath, Span};
use yaml::{Node, Value};

/// The envelope that every entry has beside its payload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Envelope {
    /// The place in the ledger, from 1; absent in a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u32>,
    /// Digest of the bytes of the entry before; absent in the first and in a decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<Digest>,
    /// When it was written.
    pub recorded_at: Moment,
    /// Who says it.
    pub actor: AgentName,
    /// The context that did the work (R000-21).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The branch it was written on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// Digest of the policy it was written under; it informs, nothing more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<Digest>,
}

/// A record as it stands in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Where the file is and what its name says.
    pub path: RecordPath,
    /// What it says.
    pub payload: Payload,
    /// Who said it, when, and behind which entry.
    pub entry: Envelope,
    /// Digest of the file's bytes: what the next entry's `previous` must say; of none, while it is a draft.
    pub digest: Digest,
    /// The file itself: where its parts are is asked of few records, and told by reading it again. None of a
    /// draft.
    text: Option<Box<str>>,
}

impl Record {
    /// Gives the bytes of a field of the payload, such as `artifacts.0.checksum`; of the deepest
    /// part of it that exists, if the whole does not.
    pub fn field(&self, field: &str) -> Span {
        self.tree().locate(&format!("{}.{field}", self.payload.word()))
    }

    /// Gives the bytes of a field of the envelope, such as `previous`.
    pub fn envelope_field(&self, field: &str) -> Span {
        self.tree().locate(&format!("entry.{field}"))
    }

    fn tree(&self) -> Node {
        let drafted = || write(&self.payload, &self.entry).into();
        let text = self.text.clone().unwrap_or_else(drafted);
        yaml::read(text.as_bytes())
            .expect("it was read to make this record, or is as it would be written")
    }

    /// Gives the bytes of the payload's own key, for findings about the record as a whole.
    pub fn heading(&self) -> Span {
        let tree = self.tree();
        tree.pair(self.payload.word()).map_or(tree.span, |pair| pair.key_span)
    }

    /// Gives the file's path.
    pub fn repo_path(&self) -> &RepoPath {
        &self.path.path
    }

    /// Gives its place in its ledger; 0 for a decision.
    pub fn sequence(&self) -> u32 {
        self.path.sequence.unwrap_or_default()
    }
}

/// Reads one record of a file; gives it, or the problems that keep it from being one.
///
/// A file whose name says another place, kind or sequence than its content is refused, so that
/// the name can be trusted from here on.
pub fn parse(path: &RecordPath, bytes: &[u8]) -> Result<Record, Vec<Problem>> {
    let tree = yaml::read(bytes)?;
    let one = |problem| vec![problem];
    let (word, payload) = halves(&tree).map_err(one)?;
    let payload = Payload::read(word, payload).map_err(one)?;
    let entry = tree.pair("entry").ok_or_else(|| one(no_envelope(&tree)))?;
    let entry: Envelope = de::typed(&entry.value).map_err(one)?;
    let text = Some(String::from_utf8_lossy(bytes).into());
    placed(Record { path: path.clone(), payload, entry, digest: Digest::of(bytes), text })
}

/// Gives the record that a payload would be, to be judged and not to be kept; or the problems that keep it from
/// being one.
pub fn draft(path: RecordPath, payload: Payload, entry: Envelope) -> Result<Record, Vec<Problem>> {
    placed(Record { path, payload, entry, digest: Digest::of(b""), text: None })
}

fn placed(record: Record) -> Result<Record, Vec<Problem>> {
    let problems = place::contradictions(&record);
    if problems.is_empty() { Ok(record) } else { Err(problems) }
}

/// Reads a strict typed document that is no ledger entry, such as the policy.
pub fn document<T: serde::de::DeserializeOwned>(bytes: &[u8]) -> Result<(T, Node), Vec<Problem>> {
    let tree = yaml::read(bytes)?;
    let typed = de::typed(&tree).map_err(|problem| vec![problem])?;
    Ok((typed, tree))
}

/// Reads a typed value from a part of a tree; gives the first place that does not fit.
pub fn typed<T: serde::de::DeserializeOwned>(tree: &Node) -> Result<T, Problem> {
    de::typed(tree)
}

fn halves(tree: &Node) -> Result<(&str, &Node), Problem> {
    let Value::Map(pairs) = &tree.value else {
        let help = "a record has two keys: its kind, and `entry`";
        return Err(Problem::invalid(tree.span, "a record is a map".into(), help));
    };
    let mut kinds = pairs.iter().filter(|pair| pair.key != "entry");
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) => Ok((&kind.key, &kind.value)),
        (None, _) => Err(Problem::invalid(
            tree.span,
            "this record has no payload".into(),
            "a record has two keys: its kind, and `entry`",
        )),
        (Some(_), Some(second)) => Err(Problem::invalid(
            second.key_span,
            format!("`{}` is one key too many", second.key),
            "a record has two keys: its kind, and `entry`",
        )),
    }
}

fn no_envelope(tree: &Node) -> Problem {
    Problem::invalid(
        Span::new(tree.span.start, tree.span.start),
        "the key `entry` is missing".into(),
        "records are written by `orch`; it adds the envelope",
    )
}
