//! What could be done about a task now, and by whom. It asks the checks, so that what it suggests is
//! what the guard accepts.

use serde::Serialize;

use super::elsewhere::Ahead;
use super::heard::handed_over;
use crate::diagnostic::{Report, Severity};
use crate::draft::{self, Author};
use crate::ledger::{RunState, Standing, State};
use crate::plan::{Asker, judged, may_start};
use crate::policy::{Policy, Stage, StageKind};
use crate::report::{is_blocked, told, waits};
use crate::source::{AgentName, Moment, TaskId};
use crate::world::{LedgerView, World};

/// Something to do.
#[derive(Debug, Serialize)]
pub(super) struct Suggestion {
    pub(super) task_id: String,
    pub(super) agent: Option<AgentName>,
    pub(super) stage: String,
    /// What to type; none if something stands in the way.
    pub(super) command: Option<String>,
    /// Why, or what stands in the way.
    pub(super) why: String,
    /// What to do about what stands in the way.
    pub(super) help: Option<String>,
}

/// Who is asked: the first person, and the first coordinator, of the policy.
fn person(policy: &Policy) -> Option<AgentName> {
    policy.agents_who(|agent| agent.human).first().map(|&name| name.clone())
}

fn coordinator(policy: &Policy) -> Option<AgentName> {
    policy.agents_who(|agent| agent.coordinator).first().map(|&name| name.clone())
}

impl Suggestion {
    /// Takes whom it is for, what it is about, what to type, and why.
    pub(super) fn to(
        agent: Option<AgentName>,
        task: &TaskId,
        stage: &str,
        command: String,
        why: String,
    ) -> Self {
        Suggestion {
            task_id: task.to_string(),
            agent,
            stage: stage.to_owned(),
            command: Some(command),
            why,
            help: None,
        }
    }
}

/// Gives where to go for a task that is further on another branch.
pub(super) fn further_elsewhere(policy: &Policy, task: &TaskId, ahead: &Ahead) -> Suggestion {
    let Ahead { place, command, last, state } = ahead;
    let due = draft::due_stage(policy, state);
    let agent = match (&state.paused, &state.standing) {
        (Some(_), _) => person(policy),
        (_, Standing::Running(_)) => state.active_run().map(|run| run.agent.clone()),
        (_, Standing::Ready(_)) => due.map(|stage| draft::agent(policy, state, stage).clone()),
        (_, Standing::Delivered(_) | Standing::Finished) => coordinator(policy),
    };
    let stage = due.map_or("-", |stage| stage.name.as_str());
    let why = format!("further on {place}: {}", told(last));
    Suggestion::to(agent, task, stage, command.clone(), why)
}

/// Gives what keeps a task from moving until somebody says otherwise: who, and with what command.
pub(super) fn freezes(world: &World, policy: &Policy, state: &State) -> Vec<Suggestion> {
    let id = &state.task.task_id;
    let mut all = Vec::new();
    for escalated in world.unsettled(state) {
        let command = escalated.deciding(id);
        let escalation = &escalated.escalation;
        let why = format!("escalated: {}, due {}", escalation.trigger, escalation.due_at);
        all.push(Suggestion::to(person(policy), id, "-", command, why));
    }
    for (name, _) in &state.quarantined {
        let command = format!("orch task quarantine {id} --evidence {name} --release --reason …");
        let why = format!("quarantined: {name}, and all that was made from it");
        all.push(Suggestion::to(coordinator(policy), id, "-", command, why));
    }
    if let Some(pause) = &state.paused {
        let command = format!("orch resume {id} --sign-off …");
        let why = format!("paused: {}", pause.reason);
        all.push(Suggestion::to(person(policy), id, "-", command, why));
    }
    if let Some(reason) = &state.blocked {
        let command = format!("orch task unblock {id} --reason …");
        all.push(Suggestion::to(
            coordinator(policy),
            id,
            "-",
            command,
            format!("blocked: {reason}"),
        ));
    }
    all
}

/// Gives since when an open task rests, in words, if that is longer than the policy's
/// `stalled_after` (R000-58): what was done last, when, and by whom.
pub(super) fn stalled(policy: &Policy, ledger: &LedgerView, at: Moment) -> Option<String> {
    let last = ledger.records.last()?;
    let since = at.since(last.entry.recorded_at);
    if since <= policy.escalation.stalled_after {
        return None;
    }
    let rest = match since.num_hours() {
        0 => format!("{} min", since.num_minutes()),
        hours => format!("{hours} h"),
    };
    Some(format!("nothing for {rest}, since {} {}", last.entry.actor, told(last)))
}

/// Gives what could be done about a task now, and by whom; whoever asks may be told otherwise than others.
pub(super) fn suggest(
    world: &World,
    policy: &Policy,
    ledger: &LedgerView,
    state: &State,
    asker: Option<Asker<'_>>,
) -> Vec<Suggestion> {
    let id = &state.task.task_id;
    let frozen = freezes(world, policy, state);
    if is_blocked(world, state) {
        return frozen;
    }
    let Some(workflow) = policy.workflows.get(&state.task.workflow) else { return Vec::new() };
    let mut all = match (&state.standing, draft::next_stage(workflow, state)) {
        (Standing::Finished, _) => {
            let (outcome, why) = match world.survey.rolled_back.contains(id) {
                true => ("rolled_back", "what it delivered was rolled back".to_owned()),
                false => ("completed", "every stage is done".to_owned()),
            };
            let command = format!("orch task close {id} --outcome {outcome} --reason …");
            vec![Suggestion::to(coordinator(policy), id, "-", command, why)]
        }
        (Standing::Delivered(_), Some(stage)) => gate(world, policy, ledger, state, stage),
        (Standing::Running(_), Some(stage)) => {
            let run = state.active_run();
            run.map(|run| go_on(world, ledger, state, stage, run)).into_iter().collect()
        }
        (Standing::Ready(_), Some(stage)) => start(world, ledger, state, stage, asker),
        _ => Vec::new(),
    };
    if let (Some(why), Standing::Running(stage)) =
        (stalled(policy, ledger, world.at), &state.standing)
    {
        let command = format!("orch run fail {id} --class transient --reason stalled");
        let help = format!(
            "then `orch run retry {id}`; if its data is at fault, mend that first; if nobody knows, \
             `orch escalate {id} --level 1 …`"
        );
        let suggestion = Suggestion::to(
            coordinator(policy),
            id,
            stage.as_str(),
            command,
            format!("stalled: {why}"),
        );
        all.push(Suggestion { help: Some(help), ..suggestion });
    }
    all
}

/// Gives what stands in the way, a suggestion each.
fn in_the_way(report: &Report, what: &str, like: &Suggestion) -> Vec<Suggestion> {
    let errors = report.findings.iter().filter(|finding| finding.severity == Severity::Error);
    let told = errors.map(|finding| Suggestion {
        task_id: like.task_id.clone(),
        agent: like.agent.clone(),
        stage: like.stage.clone(),
        command: None,
        why: format!("{what}: {}", finding.message),
        help: Some(finding.help.clone()),
    });
    told.collect()
}

fn gate(
    world: &World,
    policy: &Policy,
    ledger: &LedgerView,
    state: &State,
    stage: &Stage,
) -> Vec<Suggestion> {
    let (id, name) = (&state.task.task_id, stage.name.as_str());
    let why = format!("stage {name} waits for its gate");
    let found = Suggestion::to(coordinator(policy), id, name, format!("orch gate {id}"), why);
    let Some(actor) = coordinator(policy) else { return Vec::new() };
    let payload = draft::gate(world, state, stage, actor.clone(), None).into();
    let author = Author { actor, session: None, branch: world.branch.clone(), at: world.at };
    let report = judged(world, ledger, payload, &author).unwrap_or_default();
    let what = format!("the gate of stage {name} can't be recorded");
    let obstacles = in_the_way(&report, &what, &found);
    if obstacles.is_empty() { vec![found] } else { obstacles }
}

fn go_on(
    world: &World,
    ledger: &LedgerView,
    state: &State,
    stage: &Stage,
    run: &RunState,
) -> Suggestion {
    let (id, name) = (&state.task.task_id, stage.name.as_str());
    let on = run.branch.as_ref().map(|branch| format!(" on {branch}")).unwrap_or_default();
    let reached = run.checkpoint.as_ref().map(|reached| format!(", from `{}` on", reached.name));
    let why =
        format!("stage {name} goes on{on}{}; when its work is done", reached.unwrap_or_default());
    let found = Suggestion::to(Some(run.agent.clone()), id, name, ending(stage, id.as_str()), why);
    // Of what a handoff would be told, only what no work can change stands in the way.
    let (run_id, from) = (run.run_id.clone(), run.agent.clone());
    let handoff = draft::handoff(&world.policy, state, stage, run_id, from.clone(), Vec::new());
    let author = Author { actor: from, session: None, branch: world.branch.clone(), at: world.at };
    let report = judged(world, ledger, handoff.into(), &author).unwrap_or_default();
    let halted = report.findings.iter().find(|finding| finding.check == "halt-standing");
    match halted {
        Some(finding) => Suggestion {
            command: None,
            why: format!("stage {name} must rest: {}", finding.message),
            help: Some(finding.help.clone()),
            ..found
        },
        None => found,
    }
}

fn ending(stage: &Stage, id: &str) -> String {
    if stage.kind == StageKind::Audit {
        let tests = stage.tests.iter().map(|test| format!(" --test {test}=PASS"));
        return format!("orch audit report {id} --verdict PASS{}", tests.collect::<String>());
    }
    let globs = stage.produces.iter().filter(|(_, produce)| !produce.optional);
    let globs = globs.map(|(name, produce)| format!("{name} in {}", produce.glob.as_str()));
    let produced = globs.collect::<Vec<_>>().join(", ");
    let wanted = if produced.is_empty() { String::new() } else { format!("  # {produced}") };
    format!("orch handoff create {id}{wanted}")
}

/// Asks the checks whether a run may begin; if not, tells what stands in the way, and what a
/// person could do about it.
fn start(
    world: &World,
    ledger: &LedgerView,
    state: &State,
    stage: &Stage,
    asker: Option<Asker<'_>>,
) -> Vec<Suggestion> {
    let (run, report) = may_start(world, ledger, state, stage, asker);
    let (agent, id) = (run.agent, &state.task.task_id);
    let failed = state.failures(&stage.name).next();
    let (verb, why) = match failed {
        Some((_, failed)) => (
            "retry",
            format!(
                "stage {} failed: {}; it may be tried again",
                stage.name, failed.failure.reason
            ),
        ),
        None => ("start", format!("stage {} is ready", stage.name)),
    };
    let command = format!("orch run {verb} {id}");
    let found = Suggestion::to(Some(agent), id, stage.name.as_str(), command, why);
    let mut report = report;
    let mut all = Vec::new();
    if let Some(waits) = waits(world, state, &|_| None) {
        // What other tasks are to make is missing as long as they make it: that is no news.
        let of_others = |check: &str| matches!(check, "dependency-open" | "evidence-missing");
        let first = report.findings.iter().find(|found| found.check == "dependency-open");
        all.push(Suggestion {
            task_id: id.to_string(),
            agent: found.agent.clone(),
            stage: found.stage.clone(),
            command: None,
            why: waits.words,
            help: first.map(|found| found.help.clone()),
        });
        report.findings.retain(|found| !of_others(found.check));
    }
    all.extend(in_the_way(&report, &format!("stage {} can't start", stage.name), &found));
    if all.is_empty() {
        return vec![Suggestion { help: handed_over(ledger, state), ..found }];
    }
    let owed = report.findings.iter().any(|finding| finding.check == "approval-missing");
    let asked = stage.approvers.iter().flat_map(|approvers| &approvers.of).filter(|_| owed);
    let covers = draft::to_be_approved(world, state, stage);
    let people = asked.filter(|person| {
        let mut said = state.approvals.iter().filter(|said| said.live && said.stage == stage.name);
        !said.any(|said| said.approver == **person && said.covers == covers)
    });
    for person in people {
        let command = format!("orch approve {id} --stage {} --statement …", stage.name);
        let why = format!("stage {} waits for your approval", stage.name);
        let name = stage.name.as_str();
        all.push(Suggestion::to(Some(person.clone()), id, name, command, why));
    }
    all
}
