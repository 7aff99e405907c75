//! What passes between agents, and what stands in its way.

use std::collections::{BTreeMap, BTreeSet};

use super::{Component, Measured, Reason, open, span};
use crate::ledger::State;
use crate::policy::Escalation;
use crate::record::kind::GateVerdict;
use crate::record::{Payload, Record};
use crate::source::{Moment, TaskId};
use crate::world::{LedgerView, World};

/// No tasks wait for each other (R002-33).
pub(super) fn no_circular_deps(world: &World) -> Component {
    let waits: BTreeMap<&TaskId, &[TaskId]> =
        open(world).map(|(_, state)| (&state.task.task_id, &state.task.depends_on[..])).collect();
    let count: usize = waits.values().map(|others| others.len()).sum();
    let circle = circle(&waits);
    let reason = circle.first().map(|first| {
        let names: Vec<&str> = circle.iter().map(|id| id.as_str()).collect();
        let message = format!("{} wait for each other", names.join(", "));
        Reason::failed(message, format!("leave one out: `orch task update {first} --depends-on …`"))
    });
    let told = format!("{} tasks, {count} dependencies", waits.len());
    Component::of("no_circular_deps", told, reason.into_iter().collect())
}

/// Gives the tasks that are part of a circle, or lie between two: those that remain when, again and again,
/// what waits for nothing is taken away, and what nothing waits for.
fn circle<'w>(waits: &BTreeMap<&'w TaskId, &'w [TaskId]>) -> BTreeSet<&'w TaskId> {
    let mut left: BTreeSet<&TaskId> = waits.keys().copied().collect();
    loop {
        let waited_for: BTreeSet<&TaskId> = left.iter().flat_map(|id| waits[*id]).collect();
        let waiting = |id: &TaskId| waits[id].iter().any(|other| left.contains(other));
        let kept: BTreeSet<&TaskId> =
            left.iter().copied().filter(|id| waited_for.contains(*id) && waiting(id)).collect();
        if kept.len() == left.len() {
            return kept;
        }
        left = kept;
    }
}

/// What was handed over can be used, and its gate has not said otherwise (R002-33).
pub(super) fn handoffs_working(world: &World, measured: &Measured) -> Component {
    let stale = measured.stale.iter().map(|live| {
        let (task, path) = (&live.task, &live.artifact.path);
        let message = format!("{path}, handed over by stage {} of {task}, has changed", live.stage);
        let help = format!(
            "see `orch handoff verify {task}`; restore the file, or `orch handoff reject {task}`"
        );
        Reason::failed(message, help)
    });
    let returned = open(world).filter_map(|(ledger, state)| returned(ledger, state));
    let reasons: Vec<Reason> = stale.chain(returned).collect();
    let told = format!("{} files of live handoffs", world.survey.live.len());
    Component::of("handoffs_working", told, reasons)
}

/// Gives that the last handoff of a task was rejected, or that its gate failed, if nothing came after.
fn returned(ledger: &LedgerView, state: &State) -> Option<Reason> {
    let id = &state.task.task_id;
    let told = |record: &&Record| {
        matches!(
            record.payload,
            Payload::Handoff(_)
                | Payload::Rejection(_)
                | Payload::Gate(_)
                | Payload::AuditReport(_)
        )
    };
    let message = match &ledger.records.iter().rev().find(told)?.payload {
        Payload::Rejection(no) => {
            format!("handoff {:04} of {id} was rejected, and not made again", no.handoff)
        }
        Payload::Gate(gate) if gate.verdict == GateVerdict::Fail => {
            format!(
                "the gate behind stage {} of {id} failed: {}",
                gate.stage,
                gate.reasons.join("; ")
            )
        }
        _ => return None,
    };
    Some(Reason::degraded(message, format!("see who makes it again: `orch status {id}`")))
}

/// Nobody owes a report, a post-mortem or a decision for too long (R000-48, R000-51).
pub(super) fn debts(world: &World) -> Component {
    let Escalation { report_due, postmortem_due, .. } = world.policy.escalation;
    let late = |due: Moment| (world.at > due).then(|| span(world.at.since(due)));
    let (mut owed, mut reasons) = (0, Vec::new());
    for incident in &world.survey.incidents {
        let (id, state) = (&incident.id, &incident.state);
        let debts = [
            ("written report", state.reported_at, report_due, "report {id} --summary S"),
            (
                "post-mortem",
                state.postmortem_at,
                postmortem_due,
                "postmortem {id} --summary S --root-cause R --action A",
            ),
        ];
        for (what, _, within, pay) in debts.into_iter().filter(|debt| debt.1.is_none()) {
            owed += 1;
            if let Some(late) = late(state.opened_at.plus(within)) {
                let message = format!("the {what} of {id} is overdue for {late}");
                let pay = pay.replace("{id}", id.as_str());
                reasons.push(Reason::degraded(message, format!("pay it: `orch incident {pay}`")));
            }
        }
    }
    for (_, state) in open(world) {
        for escalated in world.unsettled(state) {
            owed += 1;
            if let Some(late) = late(escalated.escalation.due_at) {
                let id = &state.task.task_id;
                let message = format!("{id} waits for a decision, overdue for {late}");
                let help = format!("a person decides: `{}`", escalated.deciding(id));
                reasons.push(Reason::degraded(message, help));
            }
        }
    }
    Component::of("debts", format!("{owed} owed, {} overdue", reasons.len()), reasons)
}

/// No kill switch is pulled (R003-12).
pub(super) fn halts(world: &World) -> Component {
    let standing = world.survey.halts.iter().filter(|halt| halt.stands_at(world.at));
    let reasons: Vec<Reason> = standing
        .map(|halt| {
            let until = halt.until.map(|until| format!(", until {until}")).unwrap_or_default();
            let message = format!("halt {} stops {}{until}: {}", halt.id, halt.scope, halt.reason);
            let help = format!("a person lifts it: `{}`", halt.lifting());
            match halt.scope.as_str() {
                "all" => Reason::failed(message, help),
                _ => Reason::degraded(message, help),
            }
        })
        .collect();
    Component::of("halts", format!("{} stand", reasons.len()), reasons)
}
