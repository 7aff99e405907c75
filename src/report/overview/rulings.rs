//! What people decided, latest first (R000-48).

use std::cmp::Reverse;
use std::collections::BTreeSet;

use serde::Serialize;

use crate::record::kind::{Decision, DecisionStatus, Finding};
use crate::record::{Payload, Record};
use crate::source::{AgentName, Moment, RepoPath, TaskId};
use crate::world::{World, is_a_persons};

/// How many decisions are told.
const LAST: usize = 100;

/// The last decisions, latest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rulings {
    /// Those that are told.
    pub last: Vec<Ruling>,
    /// How many older ones there are.
    pub not_shown: usize,
}

/// One decision.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Ruling {
    /// Its id.
    pub id: String,
    /// What was decided, in a few words.
    pub title: String,
    /// When it was recorded.
    pub at: Moment,
    /// Whether it was accepted.
    pub status: DecisionStatus,
    /// Whether a later one took its place.
    pub withdrawn: bool,
    /// Who decided.
    pub decided_by: Vec<AgentName>,
    /// What made it necessary.
    pub context: String,
    /// What was chosen, and why.
    pub outcome: String,
    /// What became of a disputed finding.
    pub finding: Option<Finding>,
    /// The task it is about.
    pub task_id: Option<TaskId>,
    /// The entries it settles.
    pub resolves: Vec<String>,
    /// The guarded files that it lets change.
    pub changes: Vec<RepoPath>,
    /// Its file.
    pub path: RepoPath,
}

impl Rulings {
    /// Picks the decisions out of all records.
    pub(super) fn of(world: &World, records: &[Record]) -> Self {
        let decided = records.iter().filter_map(|record| match &record.payload {
            Payload::Decision(decision) => Some((record, decision)),
            _ => None,
        });
        let counts = |(record, decision): &(&Record, &Decision)| {
            is_a_persons(&world.policy, decision, &record.entry.actor)
        };
        let replaced = decided.clone().filter(counts).flat_map(|(_, later)| &later.supersedes);
        let replaced: BTreeSet<&String> = replaced.collect();
        let told = decided.map(|(record, decision)| Ruling {
            withdrawn: replaced.contains(&decision.id),
            ..Ruling::of(record, decision)
        });
        let mut all: Vec<Ruling> = told.collect();
        all.sort_by_key(|ruling| (Reverse(ruling.at), ruling.id.clone()));
        let not_shown = all.len().saturating_sub(LAST);
        all.truncate(LAST);
        Rulings { last: all, not_shown }
    }
}

impl Ruling {
    fn of(record: &Record, decision: &Decision) -> Self {
        Ruling {
            id: decision.id.clone(),
            title: decision.title.clone(),
            at: record.entry.recorded_at,
            status: decision.status,
            withdrawn: false,
            decided_by: decision.decision_makers.clone(),
            context: decision.context.clone(),
            outcome: decision.outcome.clone(),
            finding: decision.finding,
            task_id: decision.task_id.clone(),
            resolves: decision.resolves.clone(),
            changes: decision.changes.iter().map(|change| change.path.clone()).collect(),
            path: record.repo_path().clone(),
        }
    }
}
