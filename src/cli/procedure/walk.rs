//! Taking an incident's steps: each that has a command is run and recorded, until one is somebody
//! else's.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::cli::Stop;
use crate::cli::context::{Context, View};
use crate::cli::exec::{Asked, Claim, How, Program, Tried, Tries, words};
use crate::cli::incident::{incident_in, look, tell_next, write};
use crate::cli::ledger::Writing;
use crate::cli::output::{complain, say};
use crate::cli::signals::Signals;
use crate::cli::trust::must_be_agreed;
use crate::ledger::IncidentState;
use crate::policy::{Policy, TASK_WORD, duration};
use crate::record::kind::{IncidentStep, PlannedStep, StepStatus};
use crate::source::{AgentName, TaskId};

/// What stands for the incident's id in a command.
const INCIDENT: &str = "{incident}";
/// How many of the last lines of its output a step shows as evidence.
const SHOWN: usize = 24;

/// Takes an incident's steps in their order as long as each has a command and is the actor's, or that of
/// one whom the actor directs. Each is recorded as it is taken, so that whoever is cut off goes on where
/// it stands; the repository is not locked while a command runs.
pub(super) fn walk(context: &Context, id: &TaskId, writing: Writing) -> Result<(), Stop> {
    let view = look(context, id)?;
    incident_in(&view, id)?;
    if writing.dry_run {
        return foresee(context, &view, id);
    }
    let signals = Signals::begin()?;
    let mut claim = claimed(&view, id)?;
    loop {
        let now = context.by_now();
        let view = look(&now, id)?;
        let (policy, state) = (view.policy(), incident_in(&view, id)?);
        let actor = now.agent(&policy)?;
        let Some(step) = ours(&policy, state, &actor) else { return tell_next(&now, id) };
        must_be_agreed(&view)?;
        agreed(&policy, id, state, step)?;
        signals.idle(false);
        let errand = errand(&now, &view, (id, state), (step, &actor))?;
        let tries = tries(step);
        let tried = tries.carry_out(&signals, |attempt| {
            let title = format!("step {}, attempt {attempt} of {}", step.step, tries.maximum);
            errand.program(title, view.repository.work_dir()).carry_out(&mut claim, &signals)
        })?;
        if let Some(signal) = signals.caught().filter(|_| tried.cut_off) {
            complain(format!(
                "step {} was cut off, and is not recorded; go on: orch procedure walk {id}",
                step.step
            ));
            return Err(Stop::Interrupted(signal));
        }
        record(&context.by_now(), id, step, &tried)?;
        if !tried.succeeded && state.stand_in(&step.step).is_none() {
            return Err(failed(id, step, &tried, &errand.log));
        }
        if let Some(signal) = signals.caught() {
            return Err(Stop::Interrupted(signal));
        }
        signals.idle(true);
    }
}

/// Refuses a command that the policy does not have for this step: an incident's file may have been written
/// by anyone, and what runs is what was agreed.
fn agreed(
    policy: &Policy,
    id: &TaskId,
    state: &IncidentState,
    step: &PlannedStep,
) -> Result<(), Stop> {
    let procedure = state.incident.procedure.as_ref().and_then(|name| policy.procedures.get(name));
    if procedure.is_some_and(|procedure| procedure.steps.contains(step)) {
        return Ok(());
    }
    let message = format!("the policy has no step `{}` with this command for `{id}`", step.step);
    let help = format!(
        "read it: `orch incident show {id}`; take it by hand if it is right, and say so: `orch incident \
         step {id} --step {} --outcome OUTCOME`",
        step.step
    );
    Err(Stop::denied(message, help))
}

/// Makes sure that nobody else takes the incident's steps meanwhile, here.
fn claimed(view: &View, id: &TaskId) -> Result<Claim, Stop> {
    let folder = view.repository.common_dir().join("orch").join("runs");
    match Claim::of_file(folder.join(format!("incident-{id}.lock")))? {
        Asked::Granted(claim) => Ok(claim),
        Asked::Busy(process) => {
            let process = process.map(|id| format!(", by process {id}")).unwrap_or_default();
            let message = format!("the steps of `{id}` are being taken{process}");
            Err(Stop::denied(message, "nothing is run twice: say this again when it has ended"))
        }
    }
}

/// Gives the next step, if it has a command that the actor may run.
fn ours<'s>(
    policy: &Policy,
    state: &'s IncidentState,
    actor: &AgentName,
) -> Option<&'s PlannedStep> {
    if state.closed.is_some() || state.active_run().is_some() {
        return None;
    }
    state.open_steps().next().filter(|step| may_run(policy, step, actor))
}

/// Tells whether the actor may run a step: its owner may, and who directs the work runs an agent's for it.
/// What is a person's is run by that person alone, for it is done in their name.
fn may_run(policy: &Policy, step: &PlannedStep, actor: &AgentName) -> bool {
    let directs = |owner| policy.directs(actor) && !policy.is_person(owner);
    let own = step.owner.as_ref().is_none_or(|owner| owner == actor || directs(owner));
    own && !step.person && !step.command.is_empty()
}

/// Tells which steps would be taken; refuses what would be refused.
fn foresee(context: &Context, view: &View, id: &TaskId) -> Result<(), Stop> {
    let (policy, state) = (view.policy(), incident_in(view, id)?);
    let actor = context.agent(&policy)?;
    if state.closed.is_some() || state.active_run().is_some() {
        return tell_next(context, id);
    }
    for step in state.open_steps() {
        if !may_run(&policy, step, &actor) {
            let who = step.owner.as_ref().map_or("anyone", AgentName::as_str);
            say(format!("then step {} would wait for {who}", step.step));
            return Ok(());
        }
        must_be_agreed(view)?;
        agreed(&policy, id, state, step)?;
        errand(context, view, (id, state), (step, &actor))?;
        say(format!("would run step {}: {}", step.step, step.command.join(" ")));
    }
    Ok(())
}

fn tries(step: &PlannedStep) -> Tries<'_> {
    let interval = step.retry.as_ref().and_then(|retry| retry.initial_interval.as_deref());
    let interval = interval.and_then(time).unwrap_or_default();
    let maximum = step.retry.as_ref().map_or(1, |retry| retry.maximum_attempts.max(1));
    Tries { title: Some(format!("step {}", step.step)), maximum, interval, accept: &step.accept }
}

fn time(text: &str) -> Option<Duration> {
    duration(text)?.to_std().ok()
}

/// A step's command as it is run for an incident.
struct Errand {
    words: Vec<OsString>,
    variables: Vec<(&'static str, Option<OsString>)>,
    timeout: Option<Duration>,
    log: PathBuf,
}

impl Errand {
    /// Gives it as a program, at the top of the repository.
    fn program<'e>(&'e self, title: String, directory: Option<&'e Path>) -> Program<'e> {
        Program {
            words: &self.words,
            directory,
            variables: self.variables.clone(),
            title,
            timeout: self.timeout,
            leaves_nobody: false,
            log: &self.log,
        }
    }
}

fn errand(
    context: &Context,
    view: &View,
    (id, state): (&TaskId, &IncidentState),
    (step, actor): (&PlannedStep, &AgentName),
) -> Result<Errand, Stop> {
    let task = state.incident.tasks.first();
    if task.is_none() && step.command.iter().any(|word| word.contains(TASK_WORD)) {
        let message = format!("step `{}` is about a task, and `{id}` names none", step.step);
        let help = format!(
            "do it by hand, then say so: `orch incident step {id} --step {} --outcome OUTCOME`",
            step.step
        );
        return Err(Stop::fault(message, help));
    }
    let task = task.map_or("", TaskId::as_str);
    let filled = |word: &String| word.replace(INCIDENT, id.as_str()).replace(TASK_WORD, task);
    let command: Vec<String> = step.command.iter().map(filled).collect();
    let owner = step.owner.as_ref().unwrap_or(actor);
    let variable = |text: &str| Some(text.into());
    let place = state.incident.steps.iter().position(|known| known.step == step.step);
    let logs = view.repository.common_dir().join("orch").join("logs").join(id.as_str());
    Ok(Errand {
        words: words(&command),
        variables: vec![
            ("ORCH_INCIDENT", variable(id.as_str())),
            ("ORCH_STEP", variable(&step.step)),
            ("ORCH_AGENT", variable(owner.as_str())),
            ("ORCH_SESSION", context.session().and_then(variable)),
            // The same for every attempt, so that who gets an order twice sees that it is one.
            ("ORCH_IDEMPOTENCY_KEY", variable(&format!("{id}/{}", step.step))),
        ],
        timeout: step.timeout.as_deref().and_then(time),
        log: logs.join(format!("step-{:02}.log", place.unwrap_or_default() + 1)),
    })
}

/// Records how a step's command ended, unless it, or somebody else meanwhile, has said so already. What it
/// said may be secret, and a record is for ever: its last lines are recorded of a step that is to show
/// evidence, and of no other.
fn record(context: &Context, id: &TaskId, step: &PlannedStep, tried: &Tried) -> Result<(), Stop> {
    let last = &tried.last;
    let mut outcome = last.in_words();
    if tried.attempts > 1 {
        outcome.push_str(&format!(", at attempt {}", tried.attempts));
    }
    let shows = step.evidence && matches!(last.how, How::Exited(_) | How::TimedOut);
    if let Some(line) = last.last_line().filter(|_| shows) {
        outcome.push_str(&format!(": {line}"));
    }
    let shown = if step.evidence { last.last_lines(SHOWN) } else { Vec::new() };
    let taken = IncidentStep {
        step: step.step.clone(),
        outcome,
        evidence: std::iter::once(format!("output {}", last.log)).chain(shown).collect(),
        status: if tried.succeeded { StepStatus::Completed } else { StepStatus::Failed },
        attempts: Some(tried.attempts),
    };
    let known = |state: &IncidentState| {
        let settled = state.is_settled(&step.step);
        Ok(settled.then(|| format!("step {} of {id} is recorded already", step.step)))
    };
    write(context, id, Writing::default(), known, |_| taken.into()).map(|_| ())
}

/// A step failed for good, and no other stands in for it.
fn failed(id: &TaskId, step: &PlannedStep, tried: &Tried, log: &Path) -> Stop {
    let (name, how) = (&step.step, tried.last.in_words());
    let line = tried.last.last_line().map(|line| format!(": {line}")).unwrap_or_default();
    let message = format!("step {name} of {id} failed, {how}{line}; see {}", log.display());
    let help = format!(
        "mend what it needs and go on: `orch procedure walk {id}`; or do it by hand and say so: `orch \
         incident step {id} --step {name} --outcome OUTCOME`"
    );
    Stop::denied(message, help)
}
