//! `orch handoff list` and `show`: what was handed over, and what became of it.

use super::Stop;
use super::context::{Context, View};
use super::output::{id, json, say, say_lines, table};
use crate::ledger::{Delivery, State};
use crate::record::kind::{Artifact, HandoffStatus};
use crate::render::Format;
use crate::snapshot::{Repository as _, Side};
use crate::source::{AgentName, TaskId};

#[derive(Debug, clap::Args)]
pub(super) struct List {
    /// Of this task only
    #[arg(value_parser = id::<TaskId>)]
    id: Option<TaskId>,
    /// human or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(super) struct Show {
    /// The task
    #[arg(value_parser = id::<TaskId>)]
    id: TaskId,
    /// human (the YAML) or json
    #[arg(long, default_value = "human", value_parser = super::output::format)]
    format: Format,
}

/// A handoff, as lists show it.
#[derive(serde::Serialize)]
struct Listed<'s> {
    task_id: &'s TaskId,
    stage: &'s crate::source::StageName,
    run_id: &'s crate::source::RunId,
    from: &'s AgentName,
    to: &'s AgentName,
    status: HandoffStatus,
    live: bool,
    passed: bool,
    path: String,
    artifacts: &'s [Artifact],
}

impl<'s> Listed<'s> {
    fn of(state: &'s State, delivery: &'s Delivery) -> Self {
        Listed {
            task_id: &state.task.task_id,
            stage: &delivery.stage,
            run_id: &delivery.run_id,
            from: &delivery.from,
            to: &delivery.to,
            status: delivery.status,
            live: delivery.live,
            passed: delivery.passed,
            path: delivery.path.to_string(),
            artifacts: &delivery.artifacts,
        }
    }

    fn row(&self) -> Vec<String> {
        let standing = match (self.live, self.passed) {
            (true, true) => "passed its gate",
            (true, false) => "waits for its gate",
            (false, _) => "superseded",
        };
        let arrow = format!("{} -> {}", self.from, self.to);
        vec![
            self.task_id.to_string(),
            self.stage.to_string(),
            arrow,
            standing.into(),
            self.path.clone(),
        ]
    }
}

impl List {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, false)?;
        let states = view.world.ledgers.values().filter_map(|ledger| ledger.state());
        let states =
            states.filter(|state| self.id.as_ref().is_none_or(|id| *id == state.task.task_id));
        let listed: Vec<Listed<'_>> = states
            .flat_map(|state| state.deliveries.iter().map(move |d| Listed::of(state, d)))
            .collect();
        match self.format {
            Format::Json => json(&listed),
            Format::Human if listed.is_empty() => say("no handoffs"),
            Format::Human => table(&listed.iter().map(Listed::row).collect::<Vec<_>>()),
        }
        Ok(())
    }
}

impl Show {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of(context, &[&self.id])?;
        let (_, state) = view.task(&self.id)?;
        let Some(delivery) = state.deliveries.last() else {
            let help = format!("see where it stands: `orch status {}`", self.id);
            return Err(Stop::fault(format!("`{}` has no handoff yet", self.id), help));
        };
        match self.format {
            Format::Json => json(&Listed::of(state, delivery)),
            Format::Human => {
                let node = view.repository.node(Side::Index, &delivery.path)?;
                let bytes = node.map(|node| view.repository.read(node.oid)).transpose()?;
                say(format!("# {}", delivery.path));
                say_lines(String::from_utf8_lossy(&bytes.unwrap_or_default()));
            }
        }
        Ok(())
    }
}
