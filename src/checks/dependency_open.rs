//! A run begins when the tasks that it depends on have done their part.
//!
//! From R000-22.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::{Standing, State};
use crate::policy::{Policy, Stage};
use crate::record::Payload;
use crate::record::kind::Outcome;
use crate::source::TaskId;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "dependency-open",
    group: Group::Flow,
    title: "A run begins when the tasks that it depends on have done their part",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A task may name others in `depends_on`. Its runs begin when each of these has closed as completed,
or has already delivered, through a gate, whatever the stage requires of it. A task that nobody has
opened can't be depended on.

```yaml bad
- task: {task_id: data-001, workflow: data_refresh}
- task: {depends_on: [data-001]}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
```

```yaml good
- task: {task_id: data-001, workflow: data_refresh}
- run: {task: data-001, stage: validate}
- write: {data/manifests/btc.json: {rows: 1000}}
- handoff: {task: data-001}
- gate: {task: data-001}
- close: {task: data-001, outcome: completed, reason: validated}
- task: {depends_on: [data-001]}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    match &step.record.payload {
        Payload::Task(task) => dangling(world, step, &task.depends_on),
        Payload::Update(update) => {
            dangling(world, step, update.depends_on.as_deref().unwrap_or_default())
        }
        _ => open(world, step),
    }
}

fn dangling(world: &World, step: &Step<'_>, depends_on: &[TaskId]) -> Vec<Objection> {
    let folders = &world.survey.folders;
    let known = |id: &TaskId| {
        world.task(id).is_some() || folders.spelled(id).is_some() || world.whole.knows(id)
    };
    let dangling = depends_on.iter().enumerate().filter(|(_, id)| !known(id));
    let objections = dangling.map(|(index, id)| {
        let message = format!("nobody has opened `{id}`, which this depends on");
        let help = match folders.get(id.as_str()) {
            Some(known) => format!("did you mean `{}`?", known.file_name()),
            None => format!("open it first: `orch task open {id} --workflow NAME --title TITLE`"),
        };
        Objection::new(step.field(&format!("depends_on.{index}")), message, help)
    });
    objections.collect()
}

fn open(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Some(run), Some(state), Some(policy)) = (step.begun(), step.before, step.policy) else {
        return Vec::new();
    };
    let Some(stage) = step.stage(&run.stage) else { return Vec::new() };
    let open = awaited(world, policy, state, stage).into_iter().map(|Awaited { id, why, .. }| {
        let message = format!("`{id}`, which `{}` depends on, {why}", state.task.task_id);
        let finished = world.task(id).is_some_and(|other| other.standing == Standing::Finished);
        if finished {
            let help = format!("a coordinator closes it: `orch task close {id} --outcome completed --reason R`");
            return Objection::new(step.field("stage"), message, help);
        }
        let help = format!(
            "see to that one first: `orch status {id}`; or depend on another: `orch task update {} --depends-on ID`",
            state.task.task_id
        );
        Objection::new(step.field("stage"), message, help)
    });
    open.collect()
}

/// A task that keeps another, which depends on it, from beginning a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited<'s> {
    /// Its id.
    pub id: &'s TaskId,
    /// Why, in words that follow the id.
    pub why: String,
    /// Nobody will ever finish it.
    pub never: bool,
}

/// Gives the tasks that keep another from beginning a stage, of those that it depends on, in that
/// order (R000-22).
pub fn awaited<'s>(
    world: &World,
    policy: &Policy,
    state: &'s State,
    stage: &Stage,
) -> Vec<Awaited<'s>> {
    let open = state.task.depends_on.iter().filter_map(|id| {
        let other = world.task(id);
        let why = match other {
            None => "can't be found".to_owned(),
            Some(other) => unfinished(world, policy, other, stage)?,
        };
        let never = other.is_none_or(|other| other.closed.is_some());
        Some(Awaited { id, why, never })
    });
    open.collect()
}

fn unfinished(world: &World, policy: &Policy, other: &State, stage: &Stage) -> Option<String> {
    match other.closed {
        Some(Outcome::Completed) => return None,
        Some(_) => return Some("was closed, but not as completed".to_owned()),
        None if delivered(policy, other, stage) => return None,
        None => {}
    }
    let completed =
        |id: &&TaskId| world.task(id).is_some_and(|known| known.closed == Some(Outcome::Completed));
    let before = other.task.depends_on.iter().filter(|id| !completed(id));
    let before: Vec<String> = before.map(|id| format!("`{id}`")).collect();
    Some(match other.standing {
        Standing::Finished => "has done all its stages, and is not closed".to_owned(),
        // What it still depends on may have delivered enough for it; then it has begun already.
        Standing::Ready(None) if !before.is_empty() => format!("waits for {}", before.join(", ")),
        _ => format!("is {}", other.standing),
    })
}

/// Tells whether an open task has passed on all that the stage requires of it, and anything at all.
fn delivered(policy: &Policy, other: &State, stage: &Stage) -> bool {
    let Some(workflow) = policy.workflows.get(&other.task.workflow) else { return false };
    let makes = |name| workflow.stages.iter().any(|stage| stage.produces.contains_key(name));
    let mut names = stage
        .requires
        .iter()
        .filter(|needed| !needed.optional)
        .map(|needed| &needed.name)
        .filter(|name| makes(*name))
        .peekable();
    names.peek().is_some() && names.all(|name| !other.evidence(name, true).is_empty())
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// A verification knows every task by its folder, and finds a dependency on one that is gone.
    #[test]
    fn a_verification_finds_what_hangs_in_the_air() {
        let landed = "
- task: {task_id: aa, workflow: data_refresh}
- task: {task_id: bb, workflow: data_refresh, depends_on: [aa]}
";
        let all = "- occasion: verification\n";
        story(&format!("{landed}{all}")).expect(&[]);
        let gone = "- remove: {.orch/tasks/2026-11/aa/0001-task.yaml: ~}\n";
        story(&format!("{landed}{gone}{all}")).expect(&["dependency-open"]);
    }

    /// What a stage requires may be there long before the task that made it is closed.
    #[test]
    fn delivered_evidence_is_enough_for_the_stage_that_requires_it() {
        let told = "
- task: {task_id: data-001, workflow: data_refresh}
- run: {task: data-001}
- write: {data/manifests/btc.json: {rows: 1000}}
- handoff: {task: data-001}
- gate: {task: data-001}
- done: {until: strategy}
- update: {depends_on: [data-001]}
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
- gate: {}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
";
        story(told).expect(&[]);
        // The strategy's own stage requires nothing of it, so it waits for the end.
        let (before, _) = told.split_once("- run: {}\n").expect("the strategy's run");
        let early = story(&format!("{before}- propose: feature/strat-001-x\n- run: {{}}\n"));
        early.expect(&["dependency-open"]);
        assert_eq!(
            early.report.findings[0].message,
            "`data-001`, which `strat-001` depends on, has done all its stages, and is not closed"
        );
    }

    /// R000-22: what was given up, or taken back, is nothing to build on.
    #[test]
    fn only_completed_tasks_are_done() {
        for outcome in ["rejected", "rolled_back", "abandoned"] {
            story(&format!(
                "
- task: {{task_id: data-001, workflow: data_refresh}}
- close: {{task: data-001, outcome: {outcome}, reason: none}}
- task: {{depends_on: [data-001]}}
- propose: feature/strat-001-strategy
- run: {{stage: strategy}}
"
            ))
            .expect(&["dependency-open"]);
        }
    }

    #[test]
    fn nobody_depends_on_what_was_never_opened() {
        let opened = story("- propose: feature/strat-001-x\n- task: {depends_on: [data-009]}\n");
        opened.expect(&["dependency-open"]);
        assert_eq!(opened.underlined(0), "data-009");
        let updated = "
- done: {until: strategy}
- propose: feature/strat-001-x
- update: {depends_on: [data-009]}
";
        story(updated).expect(&["dependency-open"]);
        let together = "
- propose: feature/strat-001-x
- task: {depends_on: [data-001]}
- task: {task_id: data-001, workflow: data_refresh}
";
        story(together).expect(&[]);
    }
}
