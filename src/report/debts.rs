//! What somebody owes, by when, and the command that pays it (R000-48, R000-51).

use std::fmt;

use serde::Serialize;

use crate::ledger::{IncidentState, Standing, State};
use crate::policy::{Policy, StageKind};
use crate::record::Payload;
use crate::record::kind::AuditRequest;
use crate::source::{AgentName, Moment, TaskId};
use crate::world::{LedgerView, World};

/// What kind of thing is owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DebtKind {
    /// An incident's written report (R000-51).
    Report,
    /// An incident's post-mortem (R000-51).
    Postmortem,
    /// A step of an incident's procedure.
    Step,
    /// A person's decision about what was escalated (R000-48).
    Decision,
    /// A task that has a deadline.
    Task,
    /// An audit that was asked for.
    Audit,
    /// An answer to what an audit found.
    Answer,
}

/// Something that is owed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Debt {
    /// What kind of thing.
    pub kind: DebtKind,
    /// What, in a few words.
    pub what: String,
    /// The task or the incident it is about.
    pub about: TaskId,
    /// Who may pay it; the first is asked first.
    pub who: Vec<AgentName>,
    /// By when; none if nobody said.
    pub due_at: Option<Moment>,
    /// Whether that has passed.
    pub overdue: bool,
    /// The command that pays it.
    pub command: String,
}

impl fmt::Display for DebtKind {
    /// Tells it in a word.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            DebtKind::Report => "report",
            DebtKind::Postmortem => "post-mortem",
            DebtKind::Step => "step",
            DebtKind::Decision => "decision",
            DebtKind::Task => "task",
            DebtKind::Audit => "audit",
            DebtKind::Answer => "answer",
        })
    }
}

/// Gives everything that is owed at the world's moment: overdue first, then by when it is due.
pub fn debts(world: &World) -> Vec<Debt> {
    let mut all = Vec::new();
    for known in &world.survey.incidents {
        all.extend(of_incident(world, &known.id, &known.state));
    }
    for ledger in world.ledgers.values() {
        if let Some(state) = ledger.state().filter(|state| state.closed.is_none()) {
            all.extend(of_task(world, ledger, state));
        }
    }
    for debt in &mut all {
        debt.overdue = debt.due_at.is_some_and(|due| world.at > due);
    }
    all.sort_by_key(|debt| (!debt.overdue, debt.due_at.is_none(), debt.due_at, debt.about.clone()));
    all
}

/// Gives what an incident owes, with the moments until when (R000-51).
pub fn incident_debts(policy: &Policy, state: &IncidentState) -> Vec<(DebtKind, Moment)> {
    if state.closed.is_some() {
        return Vec::new();
    }
    let due = [
        (DebtKind::Report, state.reported_at, policy.escalation.report_due),
        (DebtKind::Postmortem, state.postmortem_at, policy.escalation.postmortem_due),
    ];
    let owed = due.into_iter().filter(|(_, paid, _)| paid.is_none());
    owed.map(|(kind, _, within)| (kind, state.opened_at.plus(within))).collect()
}

fn of_incident(world: &World, id: &TaskId, state: &IncidentState) -> Vec<Debt> {
    let directs = |agent: &crate::policy::Agent| agent.human || agent.coordinator;
    let who = named(world.policy.agents_who(directs));
    let written = incident_debts(&world.policy, state).into_iter().map(|(kind, due)| {
        let command = match kind {
            DebtKind::Report => format!("orch incident report {id} --summary S"),
            _ => format!("orch incident postmortem {id} --summary S --root-cause R --action A"),
        };
        let what = format!("the {kind} of the incident");
        debt(kind, what, id, who.clone(), Some(due), command)
    });
    let steps = state.open_steps().map(|step| {
        let who = step.owner.clone().map_or_else(|| who.clone(), |owner| vec![owner]);
        let words = step.description.as_deref().unwrap_or(&step.step);
        let command = format!("orch incident step {id} --step {} --outcome OUTCOME", step.step);
        let what = format!("the step {}: {words}", step.step);
        debt(DebtKind::Step, what, id, who, None, command)
    });
    written.chain(steps).collect()
}

fn of_task(world: &World, ledger: &LedgerView, state: &State) -> Vec<Debt> {
    let (id, policy) = (&state.task.task_id, &world.policy);
    let people = named(policy.agents_who(|agent| agent.human));
    let mut all: Vec<Debt> = world
        .unsettled(state)
        .map(|known| {
            let what = format!("a decision: {}", known.escalation.trigger);
            let due = Some(known.escalation.due_at);
            debt(DebtKind::Decision, what, id, people.clone(), due, known.deciding(id))
        })
        .collect();
    if let Some(due) = state.task.deadline.as_deref().and_then(end_of_day) {
        let agent = crate::draft::due_stage(policy, state);
        let agent = agent.map(|stage| crate::draft::agent(policy, state, stage).clone());
        let who = agent.into_iter().collect();
        all.push(debt(
            DebtKind::Task,
            "the task, by its deadline".into(),
            id,
            who,
            Some(due),
            format!("orch status {id}"),
        ));
    }
    all.extend(requested_audit(world, ledger, state));
    let overturned = world.overturned(state);
    let open = state.open_issues().filter(|issue| !overturned.contains(issue.id.as_str())).count();
    if open > 0 {
        let what = match open {
            1 => "an answer to one issue of the audit".to_owned(),
            many => format!("answers to {many} issues of the audit"),
        };
        let who = crate::draft::due_stage(policy, state)
            .map(|stage| crate::draft::agent(policy, state, stage).clone());
        let who = who.into_iter().collect();
        all.push(debt(DebtKind::Answer, what, id, who, None, format!("orch status {id}")));
    }
    all
}

/// Tells whether a task stands before or in an audit, or one was asked for and not given since (R000-55).
pub(super) fn awaits_audit(world: &World, ledger: &LedgerView, state: &State) -> bool {
    let due = crate::draft::due_stage(&world.policy, state);
    let due = due.filter(|_| matches!(state.standing, Standing::Ready(_) | Standing::Running(_)));
    requested(ledger).is_some() || due.is_some_and(|stage| stage.kind == StageKind::Audit)
}

/// Gives the last request of an audit, if nobody has reported since.
fn requested(ledger: &LedgerView) -> Option<&AuditRequest> {
    ledger.records.iter().rev().find_map(|record| match &record.payload {
        Payload::AuditRequest(request) => Some(Some(request)),
        Payload::AuditReport(_) => Some(None),
        _ => None,
    })?
}

/// An audit that was asked for, with a day by which it is due, and that nobody has reported since.
fn requested_audit(world: &World, ledger: &LedgerView, state: &State) -> Option<Debt> {
    let request = requested(ledger)?;
    let id = &state.task.task_id;
    let who = named(world.policy.agents_who(|agent| agent.auditor));
    let due = request.deadline.as_deref().and_then(end_of_day);
    let what = format!("the audit of {} {}", request.name, request.version);
    let command = format!("orch audit report {id} --verdict PASS|FAIL");
    Some(debt(DebtKind::Audit, what, id, who, due, command))
}

/// A day is over with its last second, in UTC.
fn end_of_day(day: &str) -> Option<Moment> {
    format!("{day}T23:59:59Z").parse().ok()
}

fn named(names: Vec<&AgentName>) -> Vec<AgentName> {
    names.into_iter().cloned().collect()
}

fn debt(
    kind: DebtKind,
    what: String,
    about: &TaskId,
    who: Vec<AgentName>,
    due_at: Option<Moment>,
    command: String,
) -> Debt {
    Debt { kind, what, about: about.clone(), who, due_at, overdue: false, command }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    const OWED: &str = "
- done: {until: backtest}
- escalation: {level: 1, trigger: Two views, positions: [{agent: quant_engineer, statement: a}, {agent: strategy_developer, statement: b}]}
- task: {task_id: data-009, workflow: data_refresh, deadline: '2026-11-30'}
- incident: {trigger: Prices are late}
";

    fn told(text: &str) -> Vec<String> {
        let debts = debts(&world(text)).into_iter();
        debts.map(|debt| format!("{}{}", if debt.overdue { "! " } else { "" }, debt.what)).collect()
    }

    /// R000-48, R000-51: what is due first stands first, and what is overdue before everything.
    #[test]
    fn what_is_overdue_comes_first() {
        let all = told(OWED);
        let place = |all: &[String], what: &str| {
            all.iter().position(|known| known.contains(what)).unwrap_or_else(|| panic!("{all:?}"))
        };
        assert!(place(&all, "the report of the incident") < place(&all, "post-mortem"), "{all:?}");
        assert!(place(&all, "a decision: Two views") < place(&all, "the task,"), "{all:?}");
        assert!(!all.iter().any(|what| what.starts_with('!')), "{all:?}");
        let later = told(&format!("{OWED}- wait: 25h\n"));
        assert!(later[place(&later, "a decision")].starts_with("! "), "{later:?}");
        assert!(place(&later, "a decision") < place(&later, "the task,"), "{later:?}");
        assert!(!later[place(&later, "the task,")].starts_with('!'), "{later:?}");
    }

    /// What is closed owes nothing.
    #[test]
    fn what_is_paid_is_no_debt() {
        assert_eq!(told("- data: {}\n- task: {}\n"), Vec::<String>::new());
        let issue = "{id: issue-001, severity: critical, category: lookahead, description: x, \
                     location: general, remediation: y}";
        let failed = format!(
            "- data: {{}}\n- done: {{until: audit}}\n- run: {{}}\n- audit_report: {{verdict: FAIL, \
             issues: [{issue}]}}\n- failure_response: {{}}\n"
        );
        assert_eq!(told(&failed), ["an answer to one issue of the audit"]);
        let closed = format!("{failed}- close: {{outcome: abandoned, reason: x}}\n");
        assert_eq!(told(&closed), Vec::<String>::new());
    }
}
