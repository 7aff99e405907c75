//! What a task waits for that others have in hand, in words, and who is next to move it.

use crate::checks::{self, Awaited};
use crate::draft;
use crate::ledger::{Standing, State};
use crate::policy::Policy;
use crate::source::{AgentName, TaskId};
use crate::world::World;

/// How many tasks that wait for each other are followed to the one that doesn't.
const DEPTH: usize = 100;

/// Which tasks keep another from beginning its next stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// In words: `waits for strat-001, strat-002`.
    pub words: String,
    /// Who is next to move the first of them; of one that itself waits, whoever moves what it waits
    /// for.
    pub next: Option<AgentName>,
}

/// Gives what a task waits for before its next stage; none if no other task keeps it (R000-22).
/// `further` gives the state of a task that is further elsewhere.
pub fn waits<'w>(
    world: &'w World,
    state: &'w State,
    further: &dyn Fn(&TaskId) -> Option<&'w State>,
) -> Option<Waits> {
    let awaited = awaited(world, state);
    let first = awaited.first()?.id.clone();
    let names = awaited.iter().map(|awaited| match awaited.never {
        true => format!("{}, which {}", awaited.id, awaited.why),
        false => awaited.id.to_string(),
    });
    let words = format!("waits for {}", names.collect::<Vec<_>>().join(", "));
    Some(Waits { words, next: mover(world, &first, further, DEPTH) })
}

fn awaited<'w>(world: &'w World, state: &'w State) -> Vec<Awaited<'w>> {
    let ready = matches!(state.standing, Standing::Ready(_)) && state.closed.is_none();
    match draft::due_stage(&world.policy, state).filter(|_| ready) {
        Some(stage) => checks::awaited(world, &world.policy, state, stage),
        None => Vec::new(),
    }
}

fn mover<'w>(
    world: &'w World,
    id: &TaskId,
    further: &dyn Fn(&TaskId) -> Option<&'w State>,
    depth: usize,
) -> Option<AgentName> {
    let policy = &world.policy;
    let state = further(id).or_else(|| world.task(id))?;
    if state.paused.is_some() || world.unsettled(state).next().is_some() {
        return first(policy.agents_who(|agent| agent.human));
    }
    if state.closed.is_some() || state.blocked.is_some() {
        return coordinator(policy);
    }
    if let (Some(before), true) = (awaited(world, state).first(), depth > 0) {
        return mover(world, before.id, further, depth - 1);
    }
    match &state.standing {
        Standing::Running(_) => state.active_run().map(|run| run.agent.clone()),
        Standing::Delivered(_) | Standing::Finished => coordinator(policy),
        Standing::Ready(_) => {
            let stage = draft::due_stage(policy, state)?;
            Some(draft::agent(policy, state, stage).clone())
        }
    }
}

fn coordinator(policy: &Policy) -> Option<AgentName> {
    first(policy.agents_who(|agent| agent.coordinator))
}

fn first(names: Vec<&AgentName>) -> Option<AgentName> {
    names.first().map(|&name| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    fn told(tail: &str, id: &str) -> Option<(String, String)> {
        let world = world(&format!(
            "
- data: {{}}
- task: {{}}
- task: {{task_id: data-002, workflow: data_refresh}}
- task: {{task_id: strat-002, depends_on: [strat-001, data-001, data-002]}}
- task: {{task_id: strat-003, depends_on: [strat-002]}}
{tail}"
        ));
        let state = world.task(&id.parse().expect("an id")).expect("it was opened");
        let waits = waits(&world, state, &|_| None)?;
        Some((waits.words, waits.next.map(|name| name.to_string()).unwrap_or_default()))
    }

    /// R000-22, R002-27: it names what is not done, and who moves that, however far down it is.
    #[test]
    fn it_names_what_is_not_done_and_who_moves_it() {
        let some = |words: &str, who: &str| Some((words.to_owned(), who.to_owned()));
        assert_eq!(told("", "strat-001"), None);
        assert_eq!(
            told("", "strat-002"),
            some("waits for strat-001, data-002", "strategy_developer")
        );
        assert_eq!(told("", "strat-003"), some("waits for strat-002", "strategy_developer"));
        let blocked = "- block: {task: strat-001, reason: x}\n";
        assert_eq!(told(blocked, "strat-003"), some("waits for strat-002", "orchestrator"));
        let abandoned = "- close: {task: strat-002, outcome: abandoned, reason: x}\n";
        let words = "waits for strat-002, which was closed, but not as completed";
        assert_eq!(told(abandoned, "strat-003"), some(words, "orchestrator"));
    }
}
