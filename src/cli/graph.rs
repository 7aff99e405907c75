//! `orch task graph`: which tasks wait for which, in waves or as a picture.

use std::collections::BTreeSet;

use serde_json::json;

use super::Stop;
use super::context::{Context, View};
use super::output::{json as print_json, say, say_lines, show, table};
use crate::draft;
use crate::ledger::{Standing, State};
use crate::plan::{self, Node, Status};
use crate::record::kind::Outcome;
use crate::source::TaskId;
use crate::world::World;

/// Draw which tasks wait for which.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Shows the open tasks, and the closed ones that they waited for.\nExample: orch \
                        task graph --format svg > tasks.svg"
)]
pub(super) struct Graph {
    /// Only this phase's tasks, and what they wait for
    #[arg(long)]
    phase: Option<String>,
    /// All closed tasks too
    #[arg(long)]
    all: bool,
    /// human, mermaid, svg or json
    #[arg(long, default_value = "human", value_name = "FORMAT")]
    format: Picture,
}

/// The forms in which a graph is shown.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Picture {
    Human,
    Mermaid,
    Svg,
    Json,
}

impl Graph {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        let view = View::of_all(context, self.all)?;
        super::phases::known(context, &view, self.phase.as_deref(), None)?;
        let graph = self.graph(&view.world);
        match self.format {
            Picture::Human => tell(&graph),
            Picture::Mermaid => show(plan::mermaid(&graph)),
            Picture::Svg => show(plan::svg(&graph)),
            Picture::Json => print_json(&as_json(&graph)),
        }
        Ok(())
    }

    fn graph(&self, world: &World) -> plan::Graph {
        let states = world.ledgers.values().filter_map(|ledger| ledger.state());
        let of_phase = |state: &&State| self.phase.is_none() || state.task.phase == self.phase;
        let shown = states.filter(|state| self.all || state.closed.is_none()).filter(of_phase);
        let (mut nodes, mut edges, mut beside) = (Vec::new(), Vec::new(), BTreeSet::new());
        for state in shown {
            let task = &state.task;
            nodes.push(node(world, state));
            beside.extend(&task.depends_on);
            edges.extend(task.depends_on.iter().map(|id| (task.task_id.clone(), id.clone())));
        }
        let known: BTreeSet<TaskId> = nodes.iter().map(|node| node.id.clone()).collect();
        for id in beside.into_iter().filter(|id| !known.contains(*id)) {
            nodes.push(match world.task(id) {
                Some(state) => node(world, state),
                None => missing(id),
            });
        }
        plan::Graph::new(nodes, &edges)
    }
}

fn missing(id: &TaskId) -> Node {
    let title = "there is no such task".into();
    Node { id: id.clone(), title, status: Status::Missing, phase: None }
}

fn node(world: &World, state: &State) -> Node {
    let task = &state.task;
    let (title, phase) = (task.title.clone(), task.phase.clone());
    Node { id: task.task_id.clone(), title, status: status(world, state), phase }
}

/// Gives where a task stands, in one word.
pub(super) fn status(world: &World, state: &State) -> Status {
    let mut halts = world.survey.halts.iter();
    let waits = |state: &State| {
        let needed = |id| world.task(id).and_then(|other| other.closed);
        state.task.depends_on.iter().any(|id| needed(id) != Some(Outcome::Completed))
    };
    let failed = |state: &State| {
        let stage = draft::due_stage(&world.policy, state);
        stage.is_some_and(|stage| state.has_failed(&stage.name))
    };
    let held = state.paused.is_some()
        || state.blocked.is_some()
        || world.unsettled(state).next().is_some()
        || halts.any(|halt| halt.stands_at(world.at) && halt.concerns(&world.policy, state));
    match (&state.closed, &state.standing) {
        (Some(Outcome::Completed), _) => Status::Done,
        (Some(_), _) => Status::Dropped,
        _ if held => Status::Held,
        (None, Standing::Running(_)) => Status::Running,
        (None, Standing::Delivered(_) | Standing::Finished) => Status::Delivered,
        (None, Standing::Ready(_)) if failed(state) => Status::Failed,
        (None, Standing::Ready(_)) if waits(state) => Status::Waiting,
        (None, Standing::Ready(_)) => Status::Ready,
    }
}

fn tell(graph: &plan::Graph) {
    if graph.nodes().is_empty() {
        return say("no open tasks; open one: orch task open ID --workflow NAME --title TEXT");
    }
    let waves = graph.waves();
    let mut places: Vec<usize> = (0..waves.len()).collect();
    places.sort_by_key(|place| waves[*place]);
    let rows = places.iter().enumerate().map(|(row, &place)| {
        let begins = row == 0 || waves[places[row - 1]] != waves[place];
        let wave = match waves[place] {
            _ if !begins => String::new(),
            0 => "over".into(),
            wave => format!("wave {wave}"),
        };
        let Node { id, title, status, .. } = &graph.nodes()[place];
        let needed = graph.needed_by(place).map(|needed| graph.nodes()[needed].id.as_str());
        let needed: Vec<&str> = needed.collect();
        vec![wave, id.to_string(), status.word().into(), title.clone(), needed.join(", ")]
    });
    let heading = ["WAVE", "TASK", "STATUS", "TITLE", "AFTER"].map(str::to_owned).to_vec();
    table(&std::iter::once(heading).chain(rows).collect::<Vec<_>>());
    for cycle in graph.cycles() {
        let way: Vec<&str> = cycle.iter().chain(cycle.first()).map(|id| id.as_str()).collect();
        say_lines(format!(
            "these wait for each other: {}\n    take one out: orch task update {} --independent",
            way.join(" -> "),
            way[0]
        ));
    }
}

fn as_json(graph: &plan::Graph) -> serde_json::Value {
    let nodes = graph.nodes();
    let (waves, depths) = (graph.waves(), graph.depths());
    let tasks = nodes.iter().enumerate().map(|(place, node)| {
        let mut value = json!(node);
        value["wave"] = waves[place].into();
        value["depth"] = depths[place].into();
        value
    });
    let edges = graph
        .edges()
        .map(|(task, needed)| json!({ "task_id": nodes[task].id, "depends_on": nodes[needed].id }));
    json!({
        "nodes": tasks.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "cycles": graph.cycles(),
    })
}
