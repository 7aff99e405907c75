//! `orch task deps`: what a task waits for, down to the last, and who waits for it.

use serde_json::{Value, json};

use super::Stop;
use super::context::{Context, View};
use super::output::{id, json as print_json, say};
use super::status::Now;
use crate::ledger::State;
use crate::plan::{Status, status};
use crate::record::kind::Outcome;
use crate::render::Format;
use crate::source::{Moment, TaskId};
use crate::world::World;

/// Tell what a task waits for, and who waits for it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch task deps strat-001")]
pub(super) struct Deps {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

/// A task, and what it waits for in its turn.
struct Branch<'w> {
    id: &'w TaskId,
    stands: String,
    completed: bool,
    below: Below<'w>,
}

enum Below<'w> {
    Told(Vec<Branch<'w>>),
    /// It stands in the tree already, with what is below it.
    Again,
}

impl Deps {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let open = View::of_all(context, false)?;
        // A closed task that nobody open waits for is not among them.
        let view = if open.task(&self.id).is_ok() { open } else { View::of_all(context, true)? };
        let (_, state) = view.task(&self.id)?;
        let tree = Branch::of(&view.world, &state.task.task_id, context.at(), &mut Vec::new());
        let states = view.world.ledgers.values().filter_map(|ledger| ledger.state());
        let waiting: Vec<Branch<'_>> = states
            .filter(|other| other.closed.is_none() && other.task.depends_on.contains(&self.id))
            .map(|other| leaf(&view.world, other, context.at()))
            .collect();
        if self.format == Format::Json {
            let mut value = tree.as_json();
            value["waited_for_by"] = waiting.iter().map(Branch::as_json).collect();
            print_json(&value);
            return Ok(());
        }
        say(format!("{}  {}", tree.id, tree.stands));
        match &tree.below {
            Below::Told(below) if !below.is_empty() => tell(below, ""),
            _ => say(format!("`{}` depends on no task", self.id)),
        }
        if !waiting.is_empty() {
            say("waited for by");
            tell(&waiting, "");
        }
        Ok(())
    }
}

/// A task alone, without what it waits for.
fn leaf<'w>(world: &World, state: &'w State, at: Moment) -> Branch<'w> {
    let stands = match status(world, state) {
        Status::Waiting => Status::Waiting.word().to_owned(),
        _ => Now::of(world, state, at).stands,
    };
    let completed = state.closed == Some(Outcome::Completed);
    Branch { id: &state.task.task_id, stands, completed, below: Below::Told(Vec::new()) }
}

impl<'w> Branch<'w> {
    fn of(world: &'w World, id: &'w TaskId, at: Moment, told: &mut Vec<&'w TaskId>) -> Self {
        let Some(state) = world.task(id) else {
            let (stands, below) = ("there is no such task".into(), Below::Told(Vec::new()));
            return Branch { id, stands, completed: false, below };
        };
        let branch = leaf(world, state, at);
        if told.contains(&id) {
            let again = !state.task.depends_on.is_empty();
            let below = if again { Below::Again } else { Below::Told(Vec::new()) };
            return Branch { below, ..branch };
        }
        told.push(id);
        let below = state.task.depends_on.iter().map(|id| Branch::of(world, id, at, told));
        Branch { below: Below::Told(below.collect()), ..branch }
    }

    fn as_json(&self) -> Value {
        let mut value = json!({
            "task_id": self.id, "stands": self.stands, "completed": self.completed,
        });
        match &self.below {
            Below::Told(below) => {
                value["depends_on"] = below.iter().map(Branch::as_json).collect();
            }
            Below::Again => value["again"] = true.into(),
        }
        value
    }
}

fn tell(branches: &[Branch<'_>], before: &str) {
    for (index, branch) in branches.iter().enumerate() {
        let last = index + 1 == branches.len();
        let fork = if last { "└─" } else { "├─" };
        let again = if matches!(branch.below, Below::Again) { "  (see above)" } else { "" };
        say(format!("{before}{fork} {}  {}{again}", branch.id, branch.stands));
        if let Below::Told(below) = &branch.below {
            tell(below, &format!("{before}{}", if last { "   " } else { "│  " }));
        }
    }
}
