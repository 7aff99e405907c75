//! The whole of the work as one value: what a page shows to those who were not there.
//!
//! The same commit and the same moment give the same overview. What goes on on other branches is not
//! in it.

mod actors;
mod lives;
mod rulings;
mod shown;
mod trouble;

use serde::Serialize;

pub use actors::{Actor, actors};
pub use lives::{Bar, Entry, Life, Lives, Mark, MarkKind, Rest};
pub use rulings::{Ruling, Rulings};
pub use shown::{GateRead, Seal, Shown, Sign};
pub use trouble::{HaltRow, IncidentRow};

use std::collections::BTreeMap;

use super::{Board, Debt, Measures, debts, measures};
use crate::checks;
use crate::diagnostic::{Finding, Severity};
use crate::plan::{Graph, task_graph};
use crate::record::Record;
use crate::source::{Digest, Moment, RepoPath, TaskId};
use crate::world::World;

/// What an overview is made of, beside the world.
#[derive(Debug, Clone)]
pub struct Terms<'a> {
    /// The commit, in hex; none before the first.
    pub commit: Option<String>,
    /// Whether something is staged on top of the commit, and counted.
    pub staged: bool,
    /// Every record that is there, by their moments.
    pub records: &'a [Record],
    /// How many files among the records can't be read.
    pub unreadable: usize,
    /// How many of the closed tasks are told on a time line, those that ended last.
    pub closed: usize,
}

/// Everything that a page about the work says.
#[derive(Debug, Serialize)]
pub struct Overview {
    /// The project, as the policy names it.
    pub project: String,
    /// The commit, in hex; none before the first.
    pub commit: Option<String>,
    /// Whether something is staged on top of the commit, and counted.
    pub staged: bool,
    /// The moment as of which it holds.
    pub at: Moment,
    /// When the last record was written; none if there is none.
    pub last_at: Option<Moment>,
    /// How many records there are.
    pub records: usize,
    /// How many files among the records can't be read: what they say, and what stands behind them in
    /// their ledgers, is not in here.
    pub unreadable: usize,
    /// The policy that was agreed.
    pub policy: Digest,
    /// Where every task stands.
    pub board: Board,
    /// Halts that stand.
    pub halts: Vec<HaltRow>,
    /// Incidents that are open.
    pub incidents: Vec<IncidentRow>,
    /// What somebody owes: overdue first, then by when it is due, then what has no date.
    pub debts: Vec<Debt>,
    /// What the checks say of it: of what is staged, and of the work as a whole.
    pub findings: Vec<Found>,
    /// What those saw who let something go live (R003-41).
    pub shown: Vec<Shown>,
    /// How it goes, in numbers: what `orch metrics` tells.
    pub measures: Measures,
    /// Which open task waits for which.
    pub graph: Graph,
    /// What people decided, latest first.
    pub decisions: Rulings,
    /// Who did how much, the last seen first.
    pub actors: Vec<Actor>,
    /// What became of each task when.
    pub lives: Lives,
}

/// Something that a check says, without the picture of the place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Found {
    /// The check.
    pub check: &'static str,
    /// How much it weighs.
    pub severity: Severity,
    /// The file.
    pub path: RepoPath,
    /// The task it is about.
    pub task: Option<TaskId>,
    /// What is wrong.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl Overview {
    /// Tells of a world that holds every task. Nothing is refused.
    pub fn of(world: &World, terms: Terms<'_>) -> Self {
        let Terms { commit, staged, records, unreadable, closed } = terms;
        Overview {
            project: world.policy.project.clone(),
            commit,
            staged,
            at: world.at,
            last_at: records.iter().map(|record| record.entry.recorded_at).max(),
            records: records.len(),
            unreadable,
            policy: world.policy.digest,
            board: Board::of(world, &BTreeMap::new()),
            halts: trouble::halts(world),
            incidents: trouble::incidents(world),
            debts: debts(world),
            findings: findings(world),
            shown: shown::shown(world, closed),
            measures: measures(world, None),
            graph: task_graph(world, None, false),
            decisions: Rulings::of(world, records),
            actors: actors(&world.policy, records),
            lives: Lives::of(world, closed),
        }
    }
}

fn findings(world: &World) -> Vec<Found> {
    let told = checks::run(world).findings.into_iter().map(|finding| {
        let Finding { check, severity, place, message, help, task, .. } = finding;
        Found { check, severity, path: place.path, task, message, help }
    });
    let mut told: Vec<Found> = told.collect();
    told.sort_by_key(|found| found.severity);
    told
}
