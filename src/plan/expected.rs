//! How long work is expected to take: what was said of the task, else what such runs took so far.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::draft;
use crate::ledger::{RunStanding, State};
use crate::policy::Policy;
use crate::source::{StageName, WorkflowName};
use crate::world::World;

/// What a stage is taken to last of which nothing is known.
const UNKNOWN: TimeDelta = TimeDelta::hours(1);

/// How long the stages of each workflow took so far, as far as open ledgers tell.
#[derive(Debug, Default)]
pub struct Expected {
    means: BTreeMap<(WorkflowName, StageName), TimeDelta>,
}

impl Expected {
    /// Takes the mean, by workflow and stage, of the runs that have delivered.
    pub fn of(world: &World) -> Self {
        let mut sums: BTreeMap<_, (TimeDelta, i32)> = BTreeMap::new();
        for state in world.ledgers.values().filter_map(|ledger| ledger.state()) {
            for delivery in &state.deliveries {
                let run = state.runs.iter().rev().find(|run| run.run_id == delivery.run_id);
                let Some(run) = run.filter(|run| run.standing == RunStanding::Delivered) else {
                    continue;
                };
                let key = (state.task.workflow.clone(), run.stage.clone());
                let (sum, count) = sums.entry(key).or_default();
                *sum += delivery.at.since(run.started);
                *count += 1;
            }
        }
        let means = sums.into_iter().map(|(key, (sum, count))| (key, sum / count));
        Expected { means: means.collect() }
    }

    /// Gives how long the stages take that a task has yet to pass, each once, loops left out.
    pub fn rest_of(&self, policy: &Policy, state: &State) -> TimeDelta {
        let Some(workflow) = policy.workflows.get(&state.task.workflow) else { return UNKNOWN };
        let said = state.task.estimate.as_deref().and_then(crate::policy::duration);
        let mut stages: Vec<&StageName> = Vec::new();
        let mut next = draft::next_stage(workflow, state);
        while let Some(stage) = next.filter(|stage| !stages.contains(&&stage.name)) {
            stages.push(&stage.name);
            next = stage.next.first().and_then(|name| workflow.stage(name));
        }
        let mean = |stage: &StageName| {
            self.means.get(&(state.task.workflow.clone(), stage.clone())).copied()
        };
        let parts = i32::try_from(workflow.stages.len()).unwrap_or(i32::MAX);
        let one = |stage| said.map(|said| said / parts).or_else(|| mean(stage)).unwrap_or(UNKNOWN);
        stages.into_iter().map(one).sum()
    }
}
