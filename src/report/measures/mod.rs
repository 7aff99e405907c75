//! Everything that dashboards and reports draw, counted once, from the ledgers alone (R001-24 to
//! R001-28, R002-22).

mod aside;
mod histogram;
mod series;
mod standing;
mod work;

use serde::Serialize;

pub use aside::{Debts, Halts, Incidents, Pulled, Severe};
pub use histogram::{BOUNDS, Bucket, Histogram};
pub use series::{Point, Series};
pub use standing::{Bus, InState, Queue, Stand, queues};
pub use work::{AgentRuns, Audits, Deployments, Failures, Handovers, StageRuns};

use super::metrics::{Metrics, metrics};
use crate::ledger::State;
use crate::source::Moment;
use crate::world::{LedgerView, World};

/// How the work went, and how it stands. Lists are sorted by their names; what nothing was counted for
/// is left out of them. All times are whole seconds, as those of records are.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Measures {
    /// As of when: what goes on has lasted until here.
    pub as_of: Moment,
    /// The metrics of R002-22, with what they are computed from.
    pub metrics: Metrics,
    /// How long runs took, by what they did and how they ended (R001-24). A run that goes on is not in
    /// it. Rollbacks are in it, as the stage `rollback`, unless a phase was asked for.
    pub stages: Vec<StageRuns>,
    /// The same by who did them (R003-36).
    pub agents: Vec<AgentRuns>,
    /// Runs that failed, by class (R001-26).
    pub failures: Vec<Failures>,
    /// Runs that began again under the id of one that had failed, by the class of that failure
    /// (R001-25).
    pub retries: Vec<Failures>,
    /// Tasks that wait for a stage to be taken up (R001-27); every stage of the policy is in it.
    pub queues: Vec<Queue>,
    /// How long it took from a handoff, or an audit's report, to the run of the stage behind it
    /// (R001-28). What was sent back instead is not in it.
    pub handovers: Vec<Handovers>,
    /// What was said to somebody, and waits (R003-36).
    pub bus: Bus,
    /// Audits: how they went, and how many are owed (R000-55, R000-56).
    pub audits: Audits,
    /// Deployments (R000-57).
    pub deployments: Deployments,
    /// Where tasks stand, and how long tasks stood there.
    pub states: Vec<InState>,
    /// Incidents; of all phases.
    pub incidents: Incidents,
    /// Halts; of all phases.
    pub halts: Halts,
    /// What is owed and late; of all phases, but for decisions.
    pub debts: Debts,
    /// How many records are not counted: nobody can read them, or they stand behind one that nobody can.
    /// Whoever lists the files sets it.
    pub uncounted: usize,
    /// What happened when.
    pub series: Series,
}

/// Measures all that a world holds, as of its moment; the tasks of one phase, if one is named. It takes a
/// world that was built with [`Focus::All`](crate::world::Focus::All): what is not in it is not counted.
pub fn measures(world: &World, phase: Option<&str>) -> Measures {
    let tasks = Tasks::of(world, phase);
    let (stages, agents) = work::runs(world, &tasks);
    let (failures, retries) = work::failures(&tasks);
    Measures {
        as_of: world.at,
        metrics: metrics(world, phase),
        stages,
        agents,
        failures,
        retries,
        queues: queues(world, tasks.open().map(|(_, state)| state)),
        handovers: work::handovers(&tasks),
        bus: standing::bus(world, &tasks),
        audits: work::audits(world, &tasks),
        deployments: work::deployments(world, &tasks),
        states: standing::states(world, &tasks),
        incidents: aside::incidents(world),
        halts: aside::halts(world),
        debts: aside::debts(world, &tasks),
        uncounted: 0,
        series: series::series(&tasks),
    }
}

/// The tasks that are measured, each with where it stands.
struct Tasks<'w> {
    all: Vec<(&'w LedgerView, &'w State)>,
    /// Whether no phase was named, so that rollbacks, which have none, are measured too.
    whole: bool,
}

impl<'w> Tasks<'w> {
    fn of(world: &'w World, phase: Option<&str>) -> Self {
        let ledgers = world.ledgers.values();
        let mut all: Vec<_> =
            ledgers.filter_map(|ledger| Some((ledger, ledger.state()?))).collect();
        all.retain(|(_, state)| phase.is_none() || state.task.phase.as_deref() == phase);
        Tasks { all, whole: phase.is_none() }
    }

    fn open(&self) -> impl Iterator<Item = (&'w LedgerView, &'w State)> {
        self.all.iter().copied().filter(|(_, state)| state.closed.is_none())
    }
}

#[cfg(test)]
mod tests;
