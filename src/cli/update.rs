//! `orch task update`: what may change of a task.

use super::Stop;
use super::context::Context;
use super::desk::Desk;
use super::ledger::Writing;
use super::open::each_once;
use super::output::id;
use super::task::{time, word};
use crate::record::kind::{self, Priority};
use crate::source::TaskId;

/// Change what may change of a task, on the record.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch task update strat-001 --depends-on data-001")]
pub(super) struct Update {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// The new title
    #[arg(long)]
    title: Option<String>,
    /// The new version
    #[arg(long = "version", value_name = "VERSION")]
    of_version: Option<String>,
    /// A task that must be done first; name all of them, the former ones are replaced
    #[arg(long, value_name = "ID", value_parser = id::<TaskId>)]
    depends_on: Vec<TaskId>,
    /// Depend on no task any more
    #[arg(long, conflicts_with = "depends_on")]
    independent: bool,
    /// The new priority: emergency, critical, high, normal, low
    #[arg(long, value_parser = word::<Priority>)]
    priority: Option<Priority>,
    /// The new deadline, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    deadline: Option<String>,
    /// A glob of the files it is about; name all of them, the former ones are replaced
    #[arg(long, value_name = "GLOB")]
    scope: Vec<String>,
    /// The new phase
    #[arg(long)]
    phase: Option<String>,
    /// How long its work is expected to take, such as 30m
    #[arg(long, value_name = "TIME", value_parser = time)]
    estimate: Option<String>,
    #[command(flatten)]
    writing: Writing,
}

impl Update {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let depends = self.independent || !self.depends_on.is_empty();
        let update = kind::Update {
            title: self.title,
            priority: self.priority,
            depends_on: depends.then(|| each_once(self.depends_on)),
            scope: (!self.scope.is_empty()).then_some(self.scope),
            deadline: self.deadline,
            version: self.of_version,
            phase: self.phase,
            estimate: self.estimate,
        };
        if update == kind::Update::default() {
            return Err(Stop::fault("nothing is to be changed", "see `orch task update --help`"));
        }
        let desk = Desk::of(context, &self.id)?;
        let author = desk.author(context)?;
        desk.record(context, author, update, self.writing)
    }
}
