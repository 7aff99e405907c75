//! `orch procedure`: what the policy says about each kind of incident, and doing it step by step.

mod list;
mod walk;

use clap::Subcommand;

use self::list::{List, Show};
use super::Stop;
use super::context::{Context, View};
use super::incident::{self, Opening};
use super::ledger::Writing;
use super::output::{id, say};
use super::run::near_or_all;
use super::trust::must_be_agreed;
use crate::policy::{Policy, Procedure as Planned};
use crate::source::TaskId;

#[derive(Debug, Subcommand)]
pub(super) enum Procedure {
    /// List the procedures, and what starts each
    #[command(after_help = "Example: orch procedure list --format json")]
    List(List),
    /// Show a procedure's steps: who takes each, and with what command
    #[command(after_help = "Example: orch procedure show kill_switch")]
    Show(Show),
    /// Open an incident by a procedure, and take its steps as far as you may
    #[command(
        after_help = "Steps that have a command are run and recorded, one after the other; it stops at the first that \
                      is a\nperson's, somebody else's, or has no command, and tells who does what next. A command \
                      sees ORCH_INCIDENT,\nORCH_STEP, ORCH_AGENT (the step's owner) and ORCH_IDEMPOTENCY_KEY.\nRecorded are \
                      its exit code, its attempts and the digest of its output; the last lines of the \
                      output only if the\nstep says `evidence: true`. Exit code 1 if a step failed for good\nand no other stands in for it.\nExample: orch procedure \
                      start kill_switch --trigger 'Drawdown over limit'"
    )]
    Start(Start),
    /// Go on with an incident's steps from where it stands
    #[command(
        after_help = "Nothing that is recorded is run again.\nExample: orch procedure walk inc-001"
    )]
    Walk(Walk),
}

#[derive(Debug, clap::Args)]
pub(super) struct Start {
    /// The procedure
    name: String,
    /// What to call the incident; by default `inc-` and the moment
    #[arg(value_parser = id::<TaskId>)]
    id: Option<TaskId>,
    /// What set it off
    #[arg(long)]
    trigger: String,
    /// A task it is about; may be given several times
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    task: Vec<TaskId>,
    /// Open the incident, and take no step
    #[arg(long)]
    no_run: bool,
    #[command(flatten)]
    writing: Writing,
}

#[derive(Debug, clap::Args)]
pub(super) struct Walk {
    /// The incident
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    #[command(flatten)]
    writing: Writing,
}

impl Procedure {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Procedure::List(command) => command.run(context),
            Procedure::Show(command) => command.run(context),
            Procedure::Start(command) => command.run(context),
            Procedure::Walk(command) => walk::walk(context, &command.id, command.writing),
        }
    }
}

/// Gives a procedure of the policy; refuses if there is no such one.
fn known<'p>(policy: &'p Policy, name: &str) -> Result<&'p Planned, Stop> {
    policy.procedures.get(name).ok_or_else(|| {
        let names = || policy.procedures.keys().map(String::as_str);
        let message = format!("the policy has no procedure `{name}`");
        match policy.procedures.is_empty() {
            true => Stop::fault(message, "add it to `procedures` in .orch/policy.yaml"),
            false => Stop::fault(message, near_or_all(name, names)),
        }
    })
}

impl Start {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of(context, &[])?;
        let policy = view.policy();
        let planned = known(&policy, &self.name)?;
        if self.task.is_empty() && planned.is_about_task() {
            let message = format!("procedure `{}` is about a task, and none is named", self.name);
            return Err(Stop::fault(message, "name it: `--task ID`"));
        }
        let opening = Opening {
            id: self.id,
            trigger: self.trigger,
            procedure: Some(self.name),
            class: None,
            severity: None,
            tasks: self.task,
        };
        if !self.no_run {
            must_be_agreed(&view)?;
        }
        let id = incident::open(context, opening, self.writing)?;
        if self.writing.dry_run {
            say("would then take its steps: orch procedure show tells them");
            return Ok(());
        }
        match self.no_run {
            true => incident::tell_next(context, &id),
            false => walk::walk(context, &id, self.writing),
        }
    }
}
