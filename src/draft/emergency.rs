//! What is said in an emergency: an incident by its procedure, the state of what a halt stopped, a
//! rollback.

use serde_json::{Value, json};

use super::{begun, branch_of};
use crate::ledger::{IncidentState, RunStanding, RunState, State};
use crate::policy::{ORCHESTRATOR, Policy, ROLLBACK_STAGE, Rollback};
use crate::record::kind::{Artifact, Handoff, HandoffStatus, Incident, Run};
use crate::source::{Moment, StageName, TaskId};
use crate::world::{StandingHalt, World};

/// Gives a moment as ids hold it, `20261121-143000`.
pub fn stamp(at: Moment) -> String {
    let text = at.to_string();
    let digits: String = text.chars().filter(char::is_ascii_digit).take(14).collect();
    let (day, time) = digits.split_at(8.min(digits.len()));
    format!("{day}-{time}")
}

/// Gives an incident that follows a procedure of the policy: its class, severity, lanes and steps as
/// they are now (R003-7). Without one, `severity` is `high` if nobody says otherwise.
pub fn incident(policy: &Policy, procedure: Option<&str>, trigger: String) -> Incident {
    let known = procedure.and_then(|name| Some((name, policy.procedures.get(name)?)));
    Incident {
        trigger,
        class: known.map_or("other", |(name, _)| name).to_owned(),
        severity: known.and_then(|(_, known)| known.severity.clone()).unwrap_or("high".into()),
        procedure: known.map(|(name, _)| name.to_owned()),
        tasks: Vec::new(),
        lanes: known.map(|(_, known)| known.lanes.clone()).unwrap_or_default(),
        steps: known.map(|(_, known)| known.steps.clone()).unwrap_or_default(),
    }
}

/// Gives the state of every task that a halt is about, as canonical JSON (R003-13): tasks and keys
/// in order, so that the same state gives the same bytes. Of closed tasks, only one that the scope
/// itself names is told.
pub fn snapshot(world: &World, halt: &StandingHalt, head: Option<String>) -> String {
    let states = world.ledgers.values().filter_map(|ledger| ledger.state());
    let named = halt.scope.starts_with("task:");
    let states = states.filter(|state| named || state.closed.is_none());
    let mut told: Vec<(&TaskId, Value)> = states
        .filter(|state| halt.concerns(&world.policy, state))
        .map(|state| (&state.task.task_id, of_task(world, state)))
        .collect();
    told.sort_by_key(|(id, _)| *id);
    let tasks: Vec<Value> = told.into_iter().map(|(_, value)| value).collect();
    let all = json!({
        "head": head, "policy": world.policy.digest, "scope": halt.scope, "tasks": tasks,
    });
    let text = serde_json::to_string_pretty(&sorted(all));
    format!("{}\n", text.expect("what is told has text keys only"))
}

/// Gives the same value with the keys of every map in order, whatever keeps them.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let mut pairs: Vec<(String, Value)> = map.into_iter().collect();
            pairs.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(pairs.into_iter().map(|(key, value)| (key, sorted(value))).collect())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(sorted).collect()),
        other => other,
    }
}

fn of_task(world: &World, state: &State) -> Value {
    let live = state.live_deliveries().map(|delivery| {
        json!({
            "sequence": delivery.sequence, "stage": delivery.stage, "run_id": delivery.run_id,
            "artifacts": delivery.artifacts, "passed": delivery.passed,
        })
    });
    let audits = state.audits.iter().map(|audit| {
        json!({
            "sequence": audit.sequence, "auditor": audit.auditor, "version": audit.version,
            "verdict": audit.verdict, "date": audit.date, "live": audit.live,
        })
    });
    let open: Vec<u32> = world.unsettled(state).map(|escalated| escalated.sequence).collect();
    let escalations = state.escalations.iter().map(|escalated| {
        json!({
            "sequence": escalated.sequence, "level": escalated.escalation.level,
            "trigger": escalated.escalation.trigger, "settled": !open.contains(&escalated.sequence),
        })
    });
    json!({
        "task_id": state.task.task_id, "workflow": state.task.workflow,
        "standing": state.standing.to_string(), "closed": state.closed,
        "paused": state.paused.as_ref().map(|pause| &pause.reason), "blocked": state.blocked,
        "last_at": state.last_at, "runs": state.runs.iter().map(of_run).collect::<Vec<_>>(),
        "live": live.collect::<Vec<_>>(), "audits": audits.collect::<Vec<_>>(),
        "escalations": escalations.collect::<Vec<_>>(),
    })
}

fn of_run(run: &RunState) -> Value {
    let standing = match run.standing {
        RunStanding::Active => "active",
        RunStanding::Delivered => "delivered",
        RunStanding::Failed(_) => "failed",
        RunStanding::Overtaken => "overtaken",
    };
    json!({
        "sequence": run.sequence, "stage": run.stage, "run_id": run.run_id, "attempt": run.attempt,
        "agent": run.agent, "lane": run.lane, "branch": run.branch, "started": run.started,
        "standing": standing,
    })
}

/// Gives the run with which an incident takes back what a task put live (R000-51): the stage
/// `rollback`, by the agent and in the lane that the task's workflow names.
///
/// After a failure it is another attempt of the same run; after a handoff, another run.
pub fn rollback(id: &TaskId, state: &IncidentState, task: &TaskId, by: &Rollback) -> Run {
    let run_id = state.next_run_id(id, &stage());
    let attempts = state.runs.iter().filter(|run| run.run_id == run_id).count();
    let attempt = u32::try_from(attempts).unwrap_or(u32::MAX).saturating_add(1);
    Run {
        task_id: Some(task.clone()),
        ..begun(stage(), run_id, attempt, by.agent.clone(), by.lane.clone())
    }
}

/// Gives the name of the branch that a rollback would be done on, as the policy's patterns have it
/// for the incident; later ones get `-2`, `-3` behind it.
pub fn rollback_branch(
    policy: &Policy,
    id: &TaskId,
    state: &IncidentState,
    run: &Run,
    at: Moment,
) -> Option<String> {
    let slug = match state.runs.len() {
        0 => ROLLBACK_STAGE.to_owned(),
        before => format!("{ROLLBACK_STAGE}-{}", before + 1),
    };
    branch_of(policy, id, run, &slug, at)
}

/// Gives the handoff that completes a rollback.
pub fn rollback_handoff(task: &TaskId, run: &RunState, artifacts: Vec<Artifact>) -> Handoff {
    Handoff {
        from: run.agent.clone(),
        to: ORCHESTRATOR.parse().expect("a word that is a name"),
        task_id: task.clone(),
        stage: stage(),
        run_id: run.run_id.clone(),
        status: HandoffStatus::Complete,
        artifacts,
        message: format!("{task} is rolled back"),
        next_steps: Vec::new(),
        resolves: Vec::new(),
        deliverables: None,
        context: None,
        changes: None,
        bundle: None,
        notes: Vec::new(),
    }
}

fn stage() -> StageName {
    ROLLBACK_STAGE.parse().expect("a word that is a name")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_goes_into_an_id() {
        let at: Moment = "2026-11-21T14:30:05Z".parse().expect("a moment");
        assert_eq!(stamp(at), "20261121-143005");
    }

    #[test]
    fn keys_are_in_order_at_every_depth() {
        let value = sorted(json!({"b": [{"d": 1, "c": 2}], "a": null}));
        assert_eq!(value.to_string(), r#"{"a":null,"b":[{"c":2,"d":1}]}"#);
    }
}
