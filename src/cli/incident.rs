//! `orch incident`: open one, take its steps, report, learn from it, close it.

use clap::Subcommand;

use super::Stop;
use super::context::{Context, View};
use super::incidents::{List, Show, next};
use super::ledger::{Writer, Writing, free_id};
use super::lock::Lock;
use super::output::{id, say};
use super::run::near_or_all;
use super::task::word;
use crate::draft::{self, Author};
use crate::ledger::IncidentState;
use crate::policy::REPORT_STEP;
use crate::record::kind::{self, IncidentStep, Outcome, StepStatus};
use crate::record::{Home, Payload, did_you_mean};
use crate::source::TaskId;
use crate::world::Focus;

#[derive(Debug, Subcommand)]
pub(super) enum Incident {
    /// Put an incident on the record, by a procedure of the policy
    #[command(after_help = "Example: orch incident open --procedure live_emergency --trigger \
                            'Orders without a stop' --task strat-001")]
    Open(Open),
    /// Record that a step was taken
    #[command(after_help = "Example: orch incident step inc-001 --step confirm_safe --outcome \
                            'No open orders' --evidence https://broker.example/orders")]
    Step(Step),
    /// Record the written report that every incident owes
    #[command(after_help = "Example: orch incident report inc-001 --summary 'A stop was lost' \
                            --evidence incidents/2026-11-21.md")]
    Report(Report),
    /// Record what was learnt
    #[command(
        after_help = "Example: orch incident postmortem inc-001 --summary 'A stop was lost' \
                            --root-cause 'No test of reconnects' --action 'Test reconnects'"
    )]
    Postmortem(Postmortem),
    /// Close an incident that owes nothing any more
    #[command(after_help = "Example: orch incident close inc-001 --reason 'Nothing is live'")]
    Close(Close),
    /// List incidents that are open
    #[command(after_help = "Example: orch incident list --all")]
    List(List),
    /// Show an incident: what was done, what is next, what it owes
    #[command(after_help = "Example: orch incident show inc-001 --format json")]
    Show(Show),
}

#[derive(Debug, clap::Args)]
pub(super) struct Open {
    /// What to call it; by default `inc-` and the moment
    #[arg(value_parser = id::<TaskId>)]
    id: Option<TaskId>,
    /// What set it off
    #[arg(long)]
    trigger: String,
    /// The procedure of the policy to follow; it brings class, severity, lanes and steps
    #[arg(long, value_name = "NAME")]
    procedure: Option<String>,
    /// What kind of incident it is, if not the procedure's
    #[arg(long)]
    class: Option<String>,
    /// How bad it is, if not as the procedure says
    #[arg(long)]
    severity: Option<String>,
    /// A task it is about; may be given several times
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: Vec<TaskId>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct Step {
    /// The incident
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The step, as the procedure names it
    #[arg(long)]
    step: String,
    /// How it went
    #[arg(long)]
    outcome: String,
    /// What shows it; may be given several times
    #[arg(long)]
    evidence: Vec<String>,
    /// Its command was run by hand, and failed for good
    #[arg(long)]
    failed: bool,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct Report {
    /// The incident
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// What happened
    #[arg(long)]
    summary: String,
    /// Where it is written down in full; may be given several times
    #[arg(long)]
    evidence: Vec<String>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct Postmortem {
    /// The incident
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// What happened
    #[arg(long)]
    summary: String,
    /// Why
    #[arg(long)]
    root_cause: String,
    /// What is done so that it does not happen again; may be given several times
    #[arg(long, required = true)]
    action: Vec<String>,
    /// What the audit should have caught
    #[arg(long)]
    audit_gap: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct Close {
    /// The incident
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// Why
    #[arg(long)]
    reason: String,
    /// completed, rejected, rolled_back or abandoned
    #[arg(long, default_value = "completed", value_parser = word::<Outcome>)]
    outcome: Outcome,
    #[command(flatten)]
    writing: Writing,
}

/// Tells that there is no such incident, and which one was probably meant.
pub(super) fn unknown_incident(view: &View, id: &TaskId) -> Stop {
    let known = view.world.survey.known_incidents.iter().map(TaskId::as_str);
    let help = match did_you_mean(id.as_str(), known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "open one: `orch incident open --trigger T`, or see `orch incident list`".into(),
    };
    Stop::fault(format!("there is no incident `{id}` on this branch"), help)
}

/// Gives where an incident stands; refuses if there is no such incident.
pub(super) fn incident_in<'v>(view: &'v View, id: &TaskId) -> Result<&'v IncidentState, Stop> {
    let ledger = view.world.ledgers.get(&Home::Incident(id.clone()));
    ledger.and_then(|ledger| ledger.incident()).ok_or_else(|| unknown_incident(view, id))
}

/// Looks at one incident.
pub(super) fn look(context: &Context, id: &TaskId) -> Result<View, Stop> {
    let focus = Focus::Ledgers(vec![Home::Incident(id.clone())]);
    Ok(View::beside(context, context.repository()?, focus)?)
}

impl Incident {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Incident::Open(command) => command.run(context),
            Incident::Step(command) => command.run(context),
            Incident::Report(command) => command.run(context),
            Incident::Postmortem(command) => command.run(context),
            Incident::Close(command) => command.run(context),
            Incident::List(command) => command.run(context),
            Incident::Show(command) => command.run(context),
        }
    }
}

impl Open {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let opening = Opening {
            id: self.id,
            trigger: self.trigger,
            procedure: self.procedure,
            class: self.class,
            severity: self.severity,
            tasks: self.task,
        };
        let id = open(context, opening, self.writing)?;
        if self.writing.dry_run {
            return Ok(());
        }
        tell_next(context, &id)
    }
}

/// What an incident is opened with.
pub(super) struct Opening {
    /// What to call it, if not by the moment.
    pub(super) id: Option<TaskId>,
    /// What set it off.
    pub(super) trigger: String,
    /// The procedure of the policy to follow.
    pub(super) procedure: Option<String>,
    /// What kind of incident it is, if not the procedure's.
    pub(super) class: Option<String>,
    /// How bad it is, if not as the procedure says.
    pub(super) severity: Option<String>,
    /// The tasks it is about.
    pub(super) tasks: Vec<TaskId>,
}

/// Opens an incident, or finds it opened in these words already; gives its id.
pub(super) fn open(context: &Context, said: Opening, writing: Writing) -> Result<TaskId, Stop> {
    let repository = context.repository()?;
    let _lock = Lock::take(&repository)?;
    let tasks: Vec<&TaskId> = said.tasks.iter().collect();
    let view = View::within(context, repository, &tasks)?;
    let policy = view.policy();
    let author = context.author(&policy, view.proposal.branch.clone())?;
    for task in tasks {
        view.task(task)?;
    }
    if let Some(name) = said.procedure.as_ref().filter(|n| !policy.procedures.contains_key(*n)) {
        let names = || policy.procedures.keys().map(String::as_str);
        let message = format!("the policy has no procedure `{name}`");
        return Err(Stop::fault(message, near_or_all(name, names)));
    }
    let drafted = draft::incident(&policy, said.procedure.as_deref(), said.trigger);
    let incident = kind::Incident {
        class: said.class.unwrap_or(drafted.class),
        severity: said.severity.unwrap_or(drafted.severity),
        tasks: said.tasks,
        ..drafted
    };
    let known = |id: &TaskId| view.world.survey.known_incidents.contains(id);
    let same = |id: &TaskId| {
        let view = look(context, id);
        view.is_ok_and(|view| incident_in(&view, id).is_ok_and(|s| s.incident == incident))
    };
    // Two that are opened within a second are two, unless they say the same.
    let other = |id: &TaskId| known(id) && !same(id);
    let derived = || free_id(&format!("inc-{}", draft::stamp(author.at)), other);
    let id = said.id.map_or_else(derived, Ok)?;
    if known(&id) {
        if same(&id) {
            say(format!("the incident `{id}` is open already"));
            return Ok(id);
        }
        let help = format!("see it: `orch incident show {id}`; or choose another id");
        return Err(Stop::denied(format!("the incident `{id}` is there already"), help));
    }
    let mut writer = Writer::new(context, &view, author);
    writer.add(&Home::Incident(id.clone()), incident)?;
    let _on_the_record = writer.commit(writing)?;
    Ok(id)
}

/// Tells what is next for an incident, as it stands by now.
pub(super) fn tell_next(context: &Context, id: &TaskId) -> Result<(), Stop> {
    let view = look(context, id)?;
    let state = incident_in(&view, id)?;
    match next(&view.policy(), id, state) {
        Some(next) => say(format!("next: git commit, then {}", next.told())),
        None => say("next: git commit"),
    }
    Ok(())
}

/// Adds one entry to an incident's ledger, unless `known` finds that it was said before, and tells
/// what is next.
fn record(
    context: &Context,
    id: &TaskId,
    writing: Writing,
    known: impl FnOnce(&IncidentState) -> Result<Option<String>, Stop>,
    payload: impl FnOnce(&Author) -> Payload,
) -> Result<(), Stop> {
    let written = write(context, id, writing, known, payload)?;
    if written { tell_next(context, id) } else { Ok(()) }
}

/// Adds one entry to an incident's ledger, unless `known` finds that it was said before; gives whether
/// it wrote it.
pub(super) fn write(
    context: &Context,
    id: &TaskId,
    writing: Writing,
    known: impl FnOnce(&IncidentState) -> Result<Option<String>, Stop>,
    payload: impl FnOnce(&Author) -> Payload,
) -> Result<bool, Stop> {
    let repository = context.repository()?;
    let _lock = Lock::take(&repository)?;
    let view = look(context, id)?;
    if let Some(done) = known(incident_in(&view, id)?)? {
        say(done);
        return Ok(false);
    }
    let author = context.author(&view.policy(), view.proposal.branch.clone())?;
    let payload = payload(&author);
    let mut writer = Writer::new(context, &view, author);
    writer.add(&Home::Incident(id.clone()), payload)?;
    Ok(!writer.commit(writing)?.is_foreseen())
}

/// Tells that a step was taken already; refuses one that the procedure does not know.
fn step_taken(state: &IncidentState, id: &TaskId, step: &str) -> Result<Option<String>, Stop> {
    if state.is_settled(step) {
        return Ok(Some(format!("step {step} of {id} is recorded already")));
    }
    let planned = &state.incident.steps;
    if step == REPORT_STEP || planned.is_empty() || planned.iter().any(|known| known.step == step) {
        return Ok(None);
    }
    let names = || planned.iter().map(|known| known.step.as_str()).chain([REPORT_STEP]);
    Err(Stop::fault(format!("incident `{id}` has no step `{step}`"), near_or_all(step, names)))
}

impl Step {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let (id, step) = (self.id.clone(), self.step.clone());
        let known = |state: &IncidentState| step_taken(state, &id, &step);
        let Step { step, outcome, evidence, writing, failed, .. } = self;
        let status = if failed { StepStatus::Failed } else { StepStatus::Completed };
        let payload = |_: &Author| IncidentStep { status, ..said(step, outcome, evidence) }.into();
        record(context, &self.id, writing, known, payload)
    }
}

impl Report {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let Report { id, summary, evidence, writing } = self;
        let known = |state: &IncidentState| step_taken(state, &id, REPORT_STEP);
        let step = REPORT_STEP.to_owned();
        let payload = |_: &Author| said(step, summary, evidence).into();
        record(context, &id, writing, known, payload)
    }
}

impl Postmortem {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let known = |state: &IncidentState| {
            Ok(state
                .postmortem_at
                .map(|at| format!("the post-mortem was recorded at {at} already")))
        };
        let payload = |_: &Author| {
            let Postmortem { summary, root_cause, action, audit_gap, .. } = self;
            kind::Postmortem { summary, root_cause, actions: action, audit_gap }.into()
        };
        record(context, &self.id.clone(), self.writing, known, payload)
    }
}

impl Close {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let id = self.id.clone();
        let known =
            |state: &IncidentState| Ok(state.closed.map(|_| format!("incident {id} is closed")));
        let payload = |_: &Author| {
            kind::Close { outcome: self.outcome, reason: self.reason, stage: None }.into()
        };
        record(context, &self.id, self.writing, known, payload)
    }
}

/// A step that somebody took.
fn said(step: String, outcome: String, evidence: Vec<String>) -> IncidentStep {
    IncidentStep { step, outcome, evidence, status: StepStatus::Completed, attempts: None }
}
