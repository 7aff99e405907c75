//! One entry in a few words, as stories and logs tell it.

use super::spelled;
use crate::record::kind::{Escalation, GateVerdict, Run, RunStatus, StepStatus, Verdict};
use crate::record::{Payload, Record};
use crate::source::many;

/// Gives one entry in a few words, on one line.
pub fn told(record: &Record) -> String {
    let payload = &record.payload;
    work(payload).or_else(|| judgement(payload)).or_else(|| trouble(payload)).unwrap_or_default()
}

fn work(payload: &Payload) -> Option<String> {
    Some(match payload {
        Payload::Task(task) => format!("opened it: {}", task.title),
        Payload::Update(_) => "changed its terms".into(),
        Payload::Assignment(assignment) => format!("gave it to {}", assignment.agent),
        Payload::Run(run) => ran(run),
        Payload::Handoff(handoff) => {
            let count = match handoff.artifacts.len() {
                1 => "one artifact".into(),
                count => many(count, "artifact"),
            };
            format!("handed {count} of {} to {}: {}", handoff.stage, handoff.to, handoff.message)
        }
        Payload::Rejection(rejection) => {
            format!("rejected handoff {:04}: {}", rejection.handoff, spelled(&rejection.reason))
        }
        Payload::Message(message) => format!("told {}: {}", message.to, spelled(&message.kind)),
        _ => return None,
    })
}

fn judgement(payload: &Payload) -> Option<String> {
    Some(match payload {
        Payload::Gate(gate) if gate.verdict == GateVerdict::Pass => {
            let next = gate.next_stage.as_ref().map_or("the end".into(), ToString::to_string);
            format!("gate behind {} passed, on to {next}", gate.stage)
        }
        Payload::Gate(gate) => {
            format!("gate behind {} failed: {}", gate.stage, gate.reasons.join("; "))
        }
        Payload::AuditRequest(request) => format!("asked for an audit of {}", request.version),
        Payload::AuditReport(report) => {
            let issues = if report.verdict == Verdict::Fail {
                format!(", {}", many(report.issues.len(), "issue"))
            } else {
                String::new()
            };
            format!("audited version {}: {}{issues}", report.version, spelled(&report.verdict))
        }
        Payload::FailureResponse(response) => format!("returned it to {}", response.returns_to),
        Payload::Approval(approval) => {
            format!("approved {}: {}", approval.stage, approval.statement)
        }
        Payload::Quarantine(quarantine) if quarantine.released => {
            format!("released {}: {}", quarantine.name, quarantine.reason)
        }
        Payload::Quarantine(quarantine) => {
            format!("put {} in quarantine: {}", quarantine.name, quarantine.reason)
        }
        Payload::Decision(decision) => format!("decided: {}", decision.title),
        _ => return None,
    })
}

fn trouble(payload: &Payload) -> Option<String> {
    Some(match payload {
        Payload::Block(block) => format!("blocked it: {}", block.reason),
        Payload::Unblock(unblock) => format!("unblocked it: {}", unblock.reason),
        Payload::Pause(pause) => format!("paused it: {}", pause.reason),
        Payload::Resume(resume) => format!("resumed it: {}", resume.sign_off),
        Payload::Escalation(escalation) => {
            let sides: Vec<&str> =
                escalation.positions.iter().map(|position| position.agent.as_str()).collect();
            let Escalation { level, trigger, due_at, .. } = escalation;
            let sides = sides.join(" and ");
            format!("escalated it, level {level}: {trigger} ({sides}; due {due_at})")
        }
        Payload::Incident(incident) => {
            format!("opened the incident, {}: {}", incident.severity, incident.trigger)
        }
        Payload::IncidentStep(step) if step.status == StepStatus::Failed => {
            format!("tried the step `{}`, which failed: {}", step.step, step.outcome)
        }
        Payload::IncidentStep(step) => format!("took the step `{}`: {}", step.step, step.outcome),
        Payload::Postmortem(report) => format!("wrote the post-mortem: {}", report.root_cause),
        Payload::Halt(halt) => format!("halted {}: {}", halt.scope, halt.reason),
        Payload::Close(close) => {
            format!("closed it as {}: {}", spelled(&close.outcome), close.reason)
        }
        _ => return None,
    })
}

/// What became of a run, in a few words.
fn ran(run: &Run) -> String {
    let stage = &run.stage;
    match run.status {
        RunStatus::InProgress => {
            let took = run.took_over.as_ref();
            let took = took.map(|t| format!(", taken over from {}: {}", t.agent, t.reason));
            let took = took.unwrap_or_default();
            format!("began stage {stage}, attempt {} ({}){took}", run.attempt, run.run_id)
        }
        RunStatus::Checkpoint => {
            let name = run.checkpoint.as_ref().map(|reached| reached.name.as_str());
            format!("stage {stage} reached `{}`", name.unwrap_or_default())
        }
        RunStatus::Succeeded => format!("the command of stage {stage} succeeded"),
        RunStatus::Failed => {
            let class =
                run.failure.as_ref().map(|f| format!("{} ({})", spelled(&f.class), f.reason));
            let after = run.retry_after.map(|after| format!(", again from {after} on"));
            let (class, after) = (class.unwrap_or_default(), after.unwrap_or_default());
            format!("stage {stage} failed, attempt {}: {class}{after}", run.attempt)
        }
    }
}
