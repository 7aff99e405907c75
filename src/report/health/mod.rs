//! How things stand, part by part: what the ledgers say of the work, and what was measured beside them
//! (R002-33, R003-34, R000-54 to R000-57).
//!
//! Nothing is looked at here: the world and the measurements come in, components go out.

mod flow;
mod house;
#[cfg(test)]
mod tests;
mod work;

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;

use crate::ledger::State;
use crate::policy::AlertSeverity;
use crate::snapshot::LastChange;
use crate::source::{AgentName, Moment, ProbeName, RepoPath};
use crate::world::{LedgerView, Live, World};

/// How a part stands, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It was not looked at, and says nothing about the whole.
    Unknown,
    /// Nothing is wrong.
    Healthy,
    /// Somebody should look.
    Degraded,
    /// It does not do what it should.
    Failed,
}

/// One part of the whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Component {
    /// Its name, such as `tasks_progressing`.
    pub name: String,
    /// How it stands: as its worst reason says.
    pub status: Status,
    /// What was looked at, with the numbers.
    pub told: String,
    /// The numbers behind it, for programs.
    pub numbers: BTreeMap<&'static str, usize>,
    /// What is wrong, if anything is.
    pub reasons: Vec<Reason>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reason {
    /// How bad it is.
    pub status: Status,
    /// What it is, with the number and the threshold.
    pub message: String,
    /// What to do about it, with the command to type.
    pub help: String,
}

/// How an agent does (R000-54).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct AgentStanding {
    /// Its runs that go on.
    pub active_runs: usize,
    /// Those of its runs that took, or take, too long.
    pub slow_runs: usize,
}

/// How everything stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Health {
    /// The moment as of which that is so.
    pub at: Moment,
    /// As the worst part stands.
    pub status: Status,
    /// The parts, in a fixed order.
    pub components: Vec<Component>,
    /// Every agent of the policy.
    pub agents: BTreeMap<AgentName, AgentStanding>,
}

/// What is known beside the world.
#[derive(Debug, Default)]
pub struct Measured {
    /// Files among the ledgers that nobody can read, and why.
    pub unreadable: Vec<(RepoPath, String)>,
    /// Sealed files that are not what was sealed any more.
    pub stale: Vec<Live>,
    /// The policy's documents, and when each last changed.
    pub documents: Vec<(RepoPath, LastChange)>,
    /// The hooks that are not in place; none if nobody looked.
    pub hooks_missing: Option<Vec<&'static str>>,
    /// Whether the calendar that the policy's schedule names is open now; none if it names none.
    pub trading: Option<bool>,
    /// The windows of maintenance that stand now, and when each is over.
    pub windows: Vec<(String, Moment)>,
}

/// What a probe said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Probed {
    /// Its name.
    pub name: ProbeName,
    /// What it looks at.
    pub title: String,
    /// The part it belongs to.
    pub component: String,
    /// How bad it is when it fails.
    pub severity: AlertSeverity,
    /// Whether what it looks at is well.
    pub healthy: bool,
    /// How it ended, in words.
    pub ended: String,
    /// How often it was tried.
    pub attempts: u32,
    /// How long the last attempt took, in milliseconds.
    pub milliseconds: u64,
    /// The last lines of what it said, made harmless.
    pub output: Vec<String>,
}

impl Component {
    /// Takes what was looked at, and what is wrong.
    pub(super) fn of(name: &str, told: String, reasons: Vec<Reason>) -> Self {
        let worst = reasons.iter().map(|reason| reason.status).max();
        let status = worst.unwrap_or(Status::Healthy);
        let numbers = BTreeMap::new();
        Component { name: name.to_owned(), status, told, numbers, reasons }
    }

    /// Adds the numbers behind it.
    fn with(self, numbers: impl IntoIterator<Item = (&'static str, usize)>) -> Self {
        Component { numbers: numbers.into_iter().collect(), ..self }
    }

    /// Takes why nobody looked.
    pub(super) fn unknown(name: &str, why: impl Into<String>) -> Self {
        Component { status: Status::Unknown, ..Component::of(name, why.into(), Vec::new()) }
    }
}

impl Reason {
    fn degraded(message: String, help: impl Into<String>) -> Self {
        Reason { status: Status::Degraded, message, help: help.into() }
    }

    fn failed(message: String, help: impl Into<String>) -> Self {
        Reason { status: Status::Failed, message, help: help.into() }
    }
}

/// Gives how everything stands as of the world's moment, by the thresholds of its policy, but for what one's
/// own programs say. The world must hold every open task, and those of the windows that the thresholds name.
pub fn health(world: &World, measured: &Measured) -> Health {
    let components = vec![
        house::policy(world),
        house::ledgers(world, measured),
        work::agents_responsive(world),
        work::tasks_progressing(world),
        flow::no_circular_deps(world),
        flow::handoffs_working(world, measured),
        house::documents(world, measured),
        work::audits(world),
        work::deployments(world),
        work::backlog(world),
        flow::debts(world),
        flow::halts(world),
        house::hooks(measured),
        house::on_call(world, measured),
        house::maintenance(measured),
    ];
    let agents = work::agents(world);
    let mut health = Health { at: world.at, status: Status::Healthy, components, agents };
    health.settle();
    health
}

impl Health {
    /// Adds what one's own programs say; those of the policy that are not among them were not run.
    pub fn add_probes(&mut self, world: &World, probes: &[Probed]) {
        house::add_probes(world, probes, &mut self.components);
        self.settle();
    }

    /// Keeps the parts of these names alone; all of them if none is named.
    pub fn keep(&mut self, names: &[String]) {
        self.components.retain(|known| names.is_empty() || names.contains(&known.name));
        self.settle();
    }

    fn settle(&mut self) {
        let worst = self.components.iter().map(|component| component.status).max();
        self.status = worst.unwrap_or(Status::Unknown);
    }
}

/// Gives every task's ledger and where the task stands.
fn tasks(world: &World) -> impl Iterator<Item = (&LedgerView, &State)> {
    world.ledgers.values().filter_map(|ledger| Some((ledger, ledger.state()?)))
}

/// Gives the tasks that are not closed.
fn open(world: &World) -> impl Iterator<Item = (&LedgerView, &State)> {
    tasks(world).filter(|(_, state)| state.closed.is_none())
}

/// Gives a length of time in its largest whole unit that says enough.
fn span(time: TimeDelta) -> String {
    match (time.num_days(), time.num_hours(), time.num_minutes()) {
        (2.., ..) => format!("{} d", time.num_days()),
        (_, 2.., _) => format!("{} h", time.num_hours()),
        (_, _, 2..) => format!("{} min", time.num_minutes()),
        _ => format!("{} s", time.num_seconds()),
    }
}
