//! A finding as plain data: what was refused, where, and what to do next.
//!
//! Findings know nothing of terminals or formats; `render` turns them into text.

use std::collections::BTreeMap;

use crate::source::{Position, RepoPath, Span, TaskId};

/// How much a finding weighs; only an error refuses.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Refuses the proposal.
    Error,
    /// Passes, and says so.
    Warning,
    /// Tells what was not looked at, or what was assumed.
    Note,
}

/// Where a finding points: a file, and the bytes in it if there are any to underline.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file in the repository.
    pub path: RepoPath,
    /// The bytes to underline; none for a file as a whole.
    pub span: Option<Span>,
}

impl Place {
    /// Points at a file as a whole.
    pub fn file(path: RepoPath) -> Self {
        Place { path, span: None }
    }

    /// Points at some bytes of a file.
    pub fn at(path: RepoPath, span: Span) -> Self {
        Place { path, span: Some(span) }
    }
}

/// A second place that explains a finding.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Related {
    /// Where.
    pub place: Place,
    /// What is there, in a few words.
    pub message: String,
}

/// One thing that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The check's name, such as `checksum-mismatch`.
    pub check: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// Where it is.
    pub place: Place,
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do next, with the command to type.
    pub help: String,
    /// The task it is about, if any.
    pub task: Option<TaskId>,
    /// Other places that explain it.
    pub related: Vec<Related>,
}

/// Everything one look at a proposal found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The findings, sorted by place and then by check.
    pub findings: Vec<Finding>,
    /// The texts of the files that findings point into, for pictures and line numbers.
    pub texts: BTreeMap<RepoPath, String>,
    /// How many records, changed paths and tasks were looked at.
    pub examined: Examined,
}

/// What was looked at, so that "nothing found" can't hide "nothing read" (attack 121).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Examined {
    /// Records read and checked.
    pub records: usize,
    /// Changed paths compared.
    pub paths: usize,
    /// Tasks whose ledgers were folded.
    pub tasks: usize,
}

impl Report {
    /// Sorts the findings by path, span and check, and drops repetitions, so that output is stable.
    pub fn settle(&mut self) {
        self.findings
            .sort_by(|a, b| (&a.place, a.check, &a.message).cmp(&(&b.place, b.check, &b.message)));
        self.findings.dedup();
    }

    /// Adds what another look found, unsorted.
    pub fn add(&mut self, other: Report) {
        self.findings.extend(other.findings);
        self.texts.extend(other.texts);
        self.examined.records += other.examined.records;
        self.examined.paths += other.examined.paths;
        self.examined.tasks += other.examined.tasks;
    }

    /// Counts the findings of one severity.
    pub fn count(&self, severity: Severity) -> usize {
        self.findings.iter().filter(|finding| finding.severity == severity).count()
    }

    /// Tells whether anything was refused.
    pub fn refused(&self) -> bool {
        self.count(Severity::Error) > 0
    }

    /// Gives line and column of a place, where the file's text is at hand.
    pub fn position(&self, place: &Place) -> Option<Position> {
        let text = self.texts.get(&place.path)?;
        Some(Position::of(text, place.span?.start))
    }
}
