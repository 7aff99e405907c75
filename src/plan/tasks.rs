//! The tasks of a world as a graph: where each stands in one word, and which wait for which.

use std::collections::BTreeSet;

use super::{Graph, Node, Status};
use crate::draft;
use crate::ledger::{Standing, State};
use crate::record::kind::Outcome;
use crate::source::TaskId;
use crate::world::World;

/// Gives the open tasks of a world, and those that they depend on; of one phase, if one is named. With
/// `closed`, the closed ones too.
pub fn task_graph(world: &World, phase: Option<&str>, closed: bool) -> Graph {
    let states = world.ledgers.values().filter_map(|ledger| ledger.state());
    let of_phase =
        |state: &&State| phase.is_none_or(|phase| state.task.phase.as_deref() == Some(phase));
    let shown = states.filter(|state| closed || state.closed.is_none()).filter(of_phase);
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
    Graph::new(nodes, &edges)
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
pub fn status(world: &World, state: &State) -> Status {
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
