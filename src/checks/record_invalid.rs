//! A record can be read, and what it says makes sense by itself.
//!
//! From R001-13, R000-43, R000-46.

mod disputes;
mod trouble;

use std::collections::BTreeSet;

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::policy::Scope;
use crate::record::kind::{self, Issue, RunStatus, Verdict};
use crate::record::{Home, Payload, RecordPath};
use crate::source::{RepoPath, StageName, TaskId};
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "record-invalid",
    group: Group::Records,
    title: "A record can be read, and what it says makes sense by itself",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A record that a program can't read, or that two programs read differently, proves nothing. It is one
YAML document with the fields of its kind (`orch schema` prints them): no duplicate or unknown keys,
no aliases, no tags. Days are real days, a scope is made of globs, titles and reasons say something,
a run that failed says why, an issue has an id and a location, and a halt has a scope that exists.
Records are written by `orch`; mend one that has not landed, or write it anew.

```yaml bad
- propose: orch/open-tasks
- task: {deadline: 2026-02-30}
```

```yaml good
- propose: orch/open-tasks
- task: {deadline: 2026-02-28}
```
";

fn run(world: &World) -> Vec<Objection> {
    let mut objections = unreadable(world, CHECK.name);
    for step in world.steps() {
        let mut faults = faults(&step.record.payload);
        faults.extend(trouble::faults(world, &step));
        // What landed before this was asked for stays as it is.
        faults.extend(step.policy.and_then(|_| no_glob(&step.record.payload)));
        match &step.record.payload {
            Payload::Escalation(escalation) => {
                faults.extend(disputes::escalation(&step, escalation));
            }
            Payload::Decision(decision) => {
                faults.extend(disputes::decision(world, &step, decision));
            }
            _ => {}
        }
        objections.extend(faults.into_iter().map(|fault| {
            let objection = Objection::new(step.field(&fault.field), fault.message, fault.help);
            step.task_id().into_iter().fold(objection, Objection::task)
        }));
    }
    objections
}

/// Gives what keeps files from being records, as far as one check speaks of it.
pub(super) fn unreadable(world: &World, check: &str) -> Vec<Objection> {
    let problems = world.problems_of(check);
    let objections = problems.map(|(path, problem)| {
        let place = Place::at(path.clone(), problem.span);
        let objection = Objection::new(place, &problem.message, &problem.help);
        task_of(path).iter().fold(objection, Objection::task)
    });
    objections.collect()
}

/// Gives the task in whose ledger a path lies.
pub(super) fn task_of(path: &RepoPath) -> Option<TaskId> {
    match RecordPath::parse(path).ok()?.home {
        Home::Task(id) => Some(id),
        _ => None,
    }
}

/// What a payload says that its types can't refuse.
struct Fault {
    field: String,
    message: String,
    help: String,
}

impl Fault {
    fn new(field: impl Into<String>, message: impl Into<String>, help: impl Into<String>) -> Self {
        Fault { field: field.into(), message: message.into(), help: help.into() }
    }
}

fn faults(payload: &Payload) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (field, text) in words(payload) {
        if text.trim().is_empty() {
            faults.push(Fault::new(field, format!("`{field}` says nothing"), "say it in words"));
        }
    }
    faults.extend(day(payload));
    match payload {
        Payload::Run(run) => faults.extend(run_faults(run)),
        Payload::AuditReport(report) => faults.extend(issue_faults(&report.issues)),
        Payload::FailureResponse(response) => {
            faults.extend(issue_faults(&response.issues));
            if response.verdict != Verdict::Fail {
                let message = "a failure response says FAIL";
                let help = "write FAIL, or record the PASS with `orch audit report`";
                faults.push(Fault::new("verdict", message, help));
            }
        }
        Payload::Halt(halt) if !is_scope(&halt.scope) => {
            let message = format!("`{}` is no scope of a halt", halt.scope);
            let help = "use all, or workflow:NAME, lane:NAME, stage:NAME, task:ID, schedule:JOB, \
                        schedule:*";
            faults.push(Fault::new("scope", message, help));
        }
        _ => {}
    }
    faults
}

/// The texts that a reader relies on.
fn words(payload: &Payload) -> Vec<(&'static str, &str)> {
    match payload {
        Payload::Task(task) => vec![("title", &task.title)],
        Payload::Update(update) => update.title.iter().map(|t| ("title", t.as_str())).collect(),
        Payload::Run(run) => {
            let failed = run.failure.iter().map(|f| ("failure.reason", f.reason.as_str()));
            let took = run.took_over.iter().map(|t| ("took_over.reason", t.reason.as_str()));
            failed.chain(took).collect()
        }
        Payload::Handoff(handoff) => vec![("message", &handoff.message)],
        Payload::AuditRequest(request) => {
            vec![("name", &request.name), ("version", &request.version)]
        }
        Payload::AuditReport(report) => vec![("name", &report.name), ("version", &report.version)],
        Payload::Approval(approval) => vec![("statement", &approval.statement)],
        Payload::Block(block) => vec![("reason", &block.reason)],
        Payload::Unblock(unblock) => vec![("reason", &unblock.reason)],
        Payload::Quarantine(quarantine) => vec![("reason", &quarantine.reason)],
        Payload::Pause(pause) => vec![("reason", &pause.reason)],
        Payload::Escalation(escalation) => vec![("trigger", &escalation.trigger)],
        Payload::Close(close) => vec![("reason", &close.reason)],
        Payload::Incident(incident) => vec![
            ("trigger", &incident.trigger),
            ("class", &incident.class),
            ("severity", &incident.severity),
        ],
        Payload::IncidentStep(step) => vec![("step", &step.step), ("outcome", &step.outcome)],
        Payload::Postmortem(report) => {
            vec![("summary", &report.summary), ("root_cause", &report.root_cause)]
        }
        Payload::Halt(halt) => vec![("reason", &halt.reason)],
        Payload::Decision(decision) => vec![
            ("title", &decision.title),
            ("context", &decision.context),
            ("outcome", &decision.outcome),
        ],
        _ => Vec::new(),
    }
}

/// A scope that can't match a file would let a task pass for one that touches nothing.
fn no_glob(payload: &Payload) -> Option<Fault> {
    let scope = match payload {
        Payload::Task(task) => &task.scope,
        Payload::Update(update) => update.scope.as_ref()?,
        _ => return None,
    };
    let (index, why) = Scope::new(scope).err()?;
    let message = format!("`{}` is no glob of files: {why}", scope[index]);
    let help = "write it from the top of the repository, such as `src/**`";
    Some(Fault::new(format!("scope.{index}"), message, help))
}

fn day(payload: &Payload) -> Option<Fault> {
    let (field, text) = match payload {
        Payload::Task(task) => ("deadline", task.deadline.as_ref()?),
        Payload::Update(update) => ("deadline", update.deadline.as_ref()?),
        Payload::AuditRequest(request) => ("deadline", request.deadline.as_ref()?),
        Payload::Decision(decision) => ("date", &decision.date),
        _ => return None,
    };
    let day = chrono::NaiveDate::parse_from_str(text, "%Y-%m-%d");
    if day.is_ok_and(|day| day.to_string() == *text) {
        return None;
    }
    let message = format!("`{text}` is no day of the calendar");
    Some(Fault::new(field, message, "write a day as YYYY-MM-DD"))
}

fn run_faults(run: &kind::Run) -> Vec<Fault> {
    let mut faults = Vec::new();
    if run.attempt == 0 {
        faults.push(Fault::new("attempt", "attempts are counted from 1", "write 1"));
    }
    match (run.status, &run.failure) {
        (RunStatus::Failed, None) => faults.push(Fault::new(
            "status",
            "this run failed, but does not say why",
            "record it with `orch run fail TASK --class … --reason … --message …`",
        )),
        (RunStatus::Checkpoint, _) if run.checkpoint.is_none() => faults.push(Fault::new(
            "status",
            "this run reached a checkpoint, but does not name it",
            "record it with `orch run checkpoint TASK --name NAME`",
        )),
        (RunStatus::InProgress | RunStatus::Checkpoint | RunStatus::Succeeded, Some(_)) => faults
            .push(Fault::new(
                "failure",
                "this run goes on, but names a failure",
                "remove `failure`, or record the end with `orch run fail`",
            )),
        _ => {}
    }
    faults
}

fn issue_faults(issues: &[Issue]) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut known = BTreeSet::new();
    for (index, issue) in issues.iter().enumerate() {
        let field = |name: &str| format!("issues.{index}.{name}");
        if !is_issue_id(&issue.id) {
            let message = format!("`{}` is no id of an issue", issue.id);
            faults.push(Fault::new(field("id"), message, "number the issues issue-001 and on"));
        } else if !known.insert(&issue.id) {
            let message = format!("`{}` is the id of two issues", issue.id);
            faults.push(Fault::new(field("id"), message, "give every issue a number of its own"));
        }
        if !is_location(&issue.location) {
            let message = format!("`{}` is no location", issue.location);
            faults.push(Fault::new(field("location"), message, "write FILE:LINE, or general"));
        }
        if issue.description.trim().is_empty() {
            let message = "this issue does not say what is wrong";
            faults.push(Fault::new(field("description"), message, "say it in words"));
        }
    }
    faults
}

fn is_issue_id(text: &str) -> bool {
    let digits = text.strip_prefix("issue-").unwrap_or_default();
    digits.len() >= 3 && digits.bytes().all(|digit| digit.is_ascii_digit())
}

/// `general`, a file, or a file with a line (R000-46).
fn is_location(text: &str) -> bool {
    let file = match text.rsplit_once(':') {
        Some((file, line)) => match line.parse::<u32>() {
            Ok(line) if line > 0 => file,
            _ => return false,
        },
        None => text,
    };
    RepoPath::canonical(file).is_ok()
}

const SCOPES: [&str; 5] = ["workflow", "lane", "stage", "task", "schedule"];

fn is_scope(text: &str) -> bool {
    let named = text.split_once(':');
    matches!(text, "all" | "schedule:*")
        || named
            .is_some_and(|(word, name)| SCOPES.contains(&word) && name.parse::<StageName>().is_ok())
}

#[cfg(test)]
mod tests;
