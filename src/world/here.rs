//! The runs of this branch: they explain why files of their lanes change.

use std::collections::BTreeSet;

use super::{Step, World};
use crate::policy::Scope;
use crate::record::Payload;
use crate::source::{AgentName, LaneName, TaskId};

/// A run that explains changes in its lane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunHere {
    /// Its task; of a rollback, the incident in whose ledger it stands.
    pub task: TaskId,
    /// Its lane.
    pub lane: LaneName,
    /// Who does it.
    pub agent: AgentName,
    /// The task that it takes back, if it is a rollback.
    pub takes_back: Option<TaskId>,
    /// The globs of its task's scope; empty if it has none.
    pub scope: Vec<String>,
}

/// The runs of a branch, and the lanes they work in.
#[derive(Debug, Default)]
pub(super) struct Here {
    pub(super) runs: Vec<RunHere>,
    /// What of its lane each run may change, if its task's scope says.
    pub(super) scopes: Vec<Option<Scope>>,
    pub(super) lanes: BTreeSet<LaneName>,
    /// Those of the lanes that nothing but rollbacks opens.
    pub(super) taken_back: BTreeSet<LaneName>,
}

/// Finds the runs that are new in the change, and those active where it starts.
///
/// An active run counts on its own branch. On a protected branch, and where the branch is not
/// known, it counts wherever it was begun: what is pushed or merged there came from other branches.
pub(super) fn find(world: &World) -> Here {
    let new = world.steps().filter_map(|step| {
        let (Payload::Run(run), Some(owner)) = (&step.record.payload, step.ledger.home.id()) else {
            return None;
        };
        Some(RunHere {
            task: owner.clone(),
            lane: run.lane.clone(),
            agent: run.agent.clone(),
            takes_back: run.task_id.clone().filter(|_| step.task_id().is_none()),
            scope: step.ledger.state().map(|state| state.task.scope.clone()).unwrap_or_default(),
        })
    });
    let own = world.branch.as_deref().filter(|branch| !world.policy.is_protected(branch));
    let active = world.survey.active.iter().filter(|active| match (own, &active.branch) {
        (Some(own), Some(branch)) => own == branch,
        _ => true,
    });
    let active = active.map(|active| RunHere {
        task: active.task.clone(),
        lane: active.lane.clone(),
        agent: active.agent.clone(),
        takes_back: active.takes_back.clone(),
        scope: active.scope.clone(),
    });
    let runs: Vec<RunHere> = new.chain(active).collect();
    let along: BTreeSet<LaneName> = world.steps().flat_map(|step| brought_along(&step)).collect();
    let (back, work): (Vec<_>, Vec<_>) = runs.iter().partition(|run| run.takes_back.is_some());
    let mut lanes: BTreeSet<LaneName> =
        work.iter().map(|run| run.lane.clone()).chain(along).collect();
    let taken_back: BTreeSet<LaneName> =
        back.iter().map(|run| run.lane.clone()).filter(|lane| !lanes.contains(lane)).collect();
    lanes.extend(taken_back.iter().cloned());
    let scopes = runs.iter().map(|run| scope(world, run)).collect();
    Here { runs, scopes, lanes, taken_back }
}

/// Gives what of its lane a run may change; none if its task's scope says nothing of it, or nothing
/// that can be read.
fn scope(world: &World, run: &RunHere) -> Option<Scope> {
    let said = (!run.scope.is_empty()).then(|| world.policy.scope_in(&run.scope, &run.lane))?;
    Scope::new(&said).ok()
}

/// Gives the lanes whose files an entry of an open incident may bring along, such as its written
/// report (R000-51).
fn brought_along(step: &Step<'_>) -> Vec<LaneName> {
    match (&step.record.payload, step.incident) {
        (Payload::Incident(incident), None) => incident.lanes.clone(),
        (_, Some(state)) if state.closed.is_none() => state.incident.lanes.clone(),
        _ => Vec::new(),
    }
}
