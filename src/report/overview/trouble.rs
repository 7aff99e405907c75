//! What is frozen, and what went wrong and is not done with.

use serde::Serialize;

use crate::record::kind::HaltTopic;
use crate::report::incident_debts;
use crate::source::{AgentName, Moment, TaskId};
use crate::world::World;

/// A halt that stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HaltRow {
    /// Its id.
    pub id: TaskId,
    /// Who pulled it; none if it can't be read.
    pub topic: Option<HaltTopic>,
    /// What it stops.
    pub scope: String,
    /// Why.
    pub reason: String,
    /// Since when.
    pub since: Option<Moment>,
    /// When it ends by itself.
    pub until: Option<Moment>,
    /// The incident that looks into it.
    pub incident: Option<TaskId>,
    /// The command that lifts it.
    pub command: String,
}

/// An incident that is open.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct IncidentRow {
    /// Its id.
    pub id: TaskId,
    /// What set it off.
    pub trigger: String,
    /// What kind of incident it is.
    pub class: String,
    /// How bad it is.
    pub severity: String,
    /// Who opened it.
    pub opened_by: AgentName,
    /// When.
    pub opened_at: Moment,
    /// The tasks it is about.
    pub tasks: Vec<TaskId>,
    /// The steps of its procedure that were taken.
    pub done: Vec<String>,
    /// Those that are yet to be taken.
    pub open_steps: Vec<String>,
    /// Whether its written report is there.
    pub reported: bool,
    /// When the first of what it owes is due.
    pub due_at: Option<Moment>,
}

/// Gives the halts that stand at the world's moment.
pub(super) fn halts(world: &World) -> Vec<HaltRow> {
    let halts = world.survey.halts.iter().filter(|halt| halt.stands_at(world.at));
    let told = halts.map(|halt| HaltRow {
        id: halt.id.clone(),
        topic: halt.topic,
        scope: halt.scope.clone(),
        reason: halt.reason.clone(),
        since: halt.since,
        until: halt.until,
        incident: halt.incident.clone(),
        command: halt.lifting(),
    });
    told.collect()
}

/// Gives the incidents that are open, the oldest first.
pub(super) fn incidents(world: &World) -> Vec<IncidentRow> {
    let told = world.survey.incidents.iter().map(|known| {
        let state = &known.state;
        let what = &state.incident;
        let due = incident_debts(&world.policy, state).into_iter().map(|(_, due)| due);
        IncidentRow {
            id: known.id.clone(),
            trigger: what.trigger.clone(),
            class: what.class.clone(),
            severity: what.severity.clone(),
            opened_by: state.opened_by.clone(),
            opened_at: state.opened_at,
            tasks: what.tasks.clone(),
            done: state.done.clone(),
            open_steps: state.open_steps().map(|step| step.step.clone()).collect(),
            reported: state.reported_at.is_some(),
            due_at: due.min(),
        }
    });
    let mut all: Vec<IncidentRow> = told.collect();
    all.sort_by_key(|row| (row.opened_at, row.id.clone()));
    all
}
