//! What escalations and decisions say must fit the ledgers that they speak of.

use std::collections::BTreeSet;

use super::Fault;
use crate::record::kind::{Decision, Escalation, Finding};
use crate::record::{Home, Payload};
use crate::source::TaskId;
use crate::world::{EntryName, Step, World, entry_name};

/// Gives what is wrong with an escalation: its level, its sides (R000-48), what it is about
/// (R000-49), when it is due.
pub(super) fn escalation(step: &Step<'_>, escalation: &Escalation) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !(1..=3).contains(&escalation.level) {
        let message = format!("there is no level {} of escalation", escalation.level);
        let help = "1 is a conflict of agents, 2 a dispute of an audit, 3 a live emergency";
        faults.push(Fault::new("level", message, help));
    }
    let sides: BTreeSet<_> = escalation.positions.iter().map(|position| &position.agent).collect();
    if sides.len() < 2 && escalation.level < 3 {
        let message = "a dispute has two sides, and both are heard";
        let help = "name each: `--position 'AGENT: STATEMENT'`";
        faults.push(Fault::new("positions", message, help));
    }
    for (index, position) in escalation.positions.iter().enumerate() {
        if position.statement.trim().is_empty() {
            let field = format!("positions.{index}.statement");
            faults.push(Fault::new(field, "this position says nothing", "say it in words"));
        }
    }
    faults.extend(subject(step, escalation));
    faults.extend(due(step, escalation));
    faults
}

fn subject(step: &Step<'_>, escalation: &Escalation) -> Option<Fault> {
    let Some(sequence) = escalation.about else {
        return (escalation.level == 2).then(|| {
            let message = "a dispute of an audit names the report";
            Fault::new("level", message, "name its entry: `--about SEQUENCE`")
        });
    };
    let entry = step.earlier().find(|record| record.sequence() == sequence);
    let message = match (entry.map(|record| &record.payload), escalation.level) {
        (None, _) => format!("no entry {sequence} stands before this one"),
        (Some(Payload::AuditReport(report)), _) => {
            let known = |id: &String| report.issues.iter().any(|issue| issue.id == *id);
            let index = escalation.issues.iter().position(|id| !known(id))?;
            let message = format!("report {sequence} has no issue `{}`", escalation.issues[index]);
            let help = "see its issues: `orch audit show TASK`";
            return Some(Fault::new(format!("issues.{index}"), message, help));
        }
        (Some(_), 1 | 3) => return None,
        (Some(_), _) => format!("entry {sequence} is no audit report"),
    };
    Some(Fault::new("about", message, "see the numbers: `orch status TASK`"))
}

/// Nobody puts a decision off by giving it a later day than the policy does.
fn due(step: &Step<'_>, escalation: &Escalation) -> Option<Fault> {
    let at = step.record.entry.recorded_at;
    let latest = at.plus(step.policy?.escalation.decision_due);
    if escalation.due_at <= at {
        let message = "this was due before it was asked for";
        return Some(Fault::new("due_at", message, "let `orch escalate` work it out"));
    }
    if escalation.due_at <= latest {
        return None;
    }
    let message = format!("this is due by {latest}, as the policy has it");
    Some(Fault::new("due_at", message, "let `orch escalate` work it out"))
}

/// Gives what is wrong with a decision: what it settles is there, and a finding is one that was in
/// dispute (R000-50).
pub(super) fn decision(world: &World, step: &Step<'_>, decision: &Decision) -> Vec<Fault> {
    // What a decision of long ago settled may lie in ledgers that nobody looked at now.
    if step.policy.is_none() {
        return Vec::new();
    }
    let mut faults = Vec::new();
    if let Some(task) = decision.task_id.as_ref().filter(|task| world.task(task).is_none()) {
        faults.push(unknown_task("task_id", task));
    }
    let mut disputed = false;
    for (index, text) in decision.resolves.iter().enumerate() {
        let field = format!("resolves.{index}");
        let Some(name) = entry_name(text) else {
            let message = format!("`{text}` names no entry");
            faults.push(Fault::new(field, message, "write TASK/SEQUENCE, such as strat-001/7"));
            continue;
        };
        match entry(world, &name) {
            Ok(Payload::Escalation(known)) => disputed |= known.level == 2,
            Ok(other) => {
                let message =
                    format!("`{text}` is a `{}`: only an escalation is settled", other.word());
                let help = "see what is in dispute: `orch status TASK`";
                faults.push(Fault::new(field, message, help));
            }
            Err(message) => faults.push(Fault::new(field, message, "see `orch status TASK`")),
        }
    }
    match decision.finding {
        Some(_) if !disputed => {
            let message = "no dispute of an audit is settled by this, so there is no finding";
            let help = "name the escalation: `--resolves TASK/SEQUENCE`";
            faults.push(Fault::new("finding", message, help));
        }
        None if disputed => {
            let message = "this settles a dispute of an audit, and does not say what became of it";
            let help = "say it: `--finding upheld`, or `--finding overturned --consequence TEXT`";
            faults.push(Fault::new("resolves", message, help));
        }
        Some(Finding::Overturned) if decision.consequences.is_empty() => {
            let message = "a finding that does not hold has the audit itself reviewed";
            let help = "say how: `--consequence TEXT`";
            faults.push(Fault::new("finding", message, help));
        }
        _ => {}
    }
    faults
}

fn entry<'w>(world: &'w World, (task, sequence): &EntryName) -> Result<&'w Payload, String> {
    let ledger = world.ledgers.get(&Home::Task(task.clone()));
    let ledger = ledger.ok_or_else(|| format!("there is no task `{task}`"))?;
    let record = ledger.records.iter().find(|record| record.sequence() == *sequence);
    let record = record.ok_or_else(|| format!("`{task}` has no entry {sequence}"))?;
    Ok(&record.payload)
}

fn unknown_task(field: &str, task: &TaskId) -> Fault {
    Fault::new(field, format!("there is no task `{task}`"), "see `orch task list --all`")
}
