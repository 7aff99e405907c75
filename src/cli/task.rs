//! `orch task`: list, show and close.

use clap::Subcommand;

use super::Stop;
use super::assign::Assign;
use super::context::Context;
use super::deps::Deps;
use super::desk::Desk;
use super::graph::Graph;
use super::ledger::Writing;
use super::open::Open;
use super::output::{id, say};
use super::quarantine::Quarantine;
use super::rebase::Rebase;
use super::update::Update;
use super::{freeze, status};
use crate::record::kind::{self, Outcome};
use crate::render::Format;
use crate::source::TaskId;

#[derive(Debug, Subcommand)]
pub(super) enum Task {
    /// Open a task
    Open(Open),
    /// List open tasks
    #[command(after_help = "Example: orch task list --all")]
    List(List),
    /// Show one task's ledger as a story
    #[command(after_help = "Example: orch task show strat-001")]
    Show(Show),
    /// Change what may change of a task, on the record
    Update(Update),
    /// Tell what a task waits for, and who waits for it
    Deps(Deps),
    /// Draw which tasks wait for which
    Graph(Graph),
    /// Give a task's current stage to an agent, or to the backup of one that is late
    Assign(Assign),
    /// Keep a task from moving
    #[command(after_help = "Example: orch task block strat-001 --reason 'No data yet'")]
    Block(freeze::Because),
    /// Let a blocked task move again
    #[command(after_help = "Example: orch task unblock strat-001 --reason 'The data is there'")]
    Unblock(freeze::Because),
    /// Take evidence out of use, with all that was made from it
    Quarantine(Quarantine),
    /// Put your own entries behind those that landed, while you merge them
    Rebase(Rebase),
    /// Close a task for good
    #[command(
        after_help = "Example: orch task close strat-001 --outcome completed --reason 'Live'"
    )]
    Close(Close),
}

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Closed ones too
    #[arg(long)]
    all: bool,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Close {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// completed, rejected, rolled_back or abandoned
    #[arg(long, value_parser = word::<Outcome>)]
    outcome: Outcome,
    /// Why
    #[arg(long)]
    reason: String,
    #[command(flatten)]
    writing: Writing,
}

/// Parses a word as records spell it.
pub(super) fn word<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(text.into()).map_err(|error| error.to_string())
}

/// Reads a time as records spell it, such as `30m`.
pub(super) fn time(text: &str) -> Result<String, String> {
    let known = crate::policy::duration(text).filter(|time| *time > chrono::TimeDelta::zero());
    known.map(|_| text.to_owned()).ok_or_else(|| DURATION.to_owned())
}

/// What a time looks like.
pub(super) const DURATION: &str = "write a number and s, m, h or d, such as `30m`";

impl Task {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        match self {
            Task::Open(command) => command.run(context),
            Task::List(command) => status::list(context, command.all, command.format),
            Task::Show(command) => status::story(context, &command.id, command.format),
            Task::Update(command) => command.run(context),
            Task::Deps(command) => command.run(context),
            Task::Graph(command) => command.run(context),
            Task::Assign(command) => command.run(context),
            Task::Block(command) => command.block(context),
            Task::Unblock(command) => command.unblock(context),
            Task::Quarantine(command) => command.run(context),
            Task::Rebase(command) => command.run(context),
            Task::Close(command) => command.run(context),
        }
    }
}

impl Close {
    fn run(self, context: &Context) -> Result<(), Stop> {
        let desk = Desk::of(context, &self.id)?;
        if desk.state().closed == Some(self.outcome) {
            say(format!("`{}` is closed already, with that outcome", self.id));
            return Ok(());
        }
        let author = desk.author(context)?;
        let close = kind::Close { outcome: self.outcome, reason: self.reason, stage: None };
        desk.record(context, author, close, self.writing)
    }
}
