//! What passes between agents, and what stands in its way.

use std::collections::{BTreeMap, BTreeSet};

use super::{Component, Measured, Reason, open, span};
use crate::ledger::State;
use crate::record::kind::GateVerdict;
use crate::record::{Payload, Record};
use crate::report::{Debt, debts as owed};
use crate::source::{TaskId, many};
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
    let told = format!("{}, {}", many(waits.len(), "task"), many(count, "dependency"));
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
    let numbers = [("live_files", world.survey.live.len()), ("stale_files", measured.stale.len())];
    let told = format!("{} of live handoffs", many(world.survey.live.len(), "file"));
    Component::of("handoffs_working", told, reasons).with(numbers)
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

/// Nobody owes a report, a post-mortem, a decision, an audit or a task for too long (R000-48, R000-51).
pub(super) fn debts(world: &World) -> Component {
    let owed: Vec<Debt> = owed(world).into_iter().filter(|debt| debt.due_at.is_some()).collect();
    let overdue =
        owed.iter().filter_map(|debt| Some((debt, debt.due_at?))).filter(|(d, _)| d.overdue);
    let reasons = overdue.map(|(debt, due)| {
        let Debt { what, about, command, .. } = debt;
        let late = span(world.at.since(due));
        let message = format!("{about} owes {what}, overdue for {late}");
        Reason::degraded(message, format!("pay it: `{command}`"))
    });
    let reasons: Vec<Reason> = reasons.collect();
    let numbers = [("owed", owed.len()), ("overdue", reasons.len())];
    let told = format!("{} owed, {} overdue", owed.len(), reasons.len());
    Component::of("debts", told, reasons).with(numbers)
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
    let standing = reasons.len();
    Component::of(
        "halts",
        if standing == 0 { "none stands".into() } else { format!("{standing} standing") },
        reasons,
    )
    .with([("standing", standing)])
}
