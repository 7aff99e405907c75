//! A branch carries one active run at a time.
//!
//! From R001-23.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::Severity;
use crate::record::Home;
use crate::source::TaskId;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "branch-reused",
    group: Group::Branches,
    title: "A branch carries one active run at a time",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::EachStep(run),
};

const EXPLAIN: &str = "\
Two runs at once on one branch change each other's files and land together or not at all. Several
stages may follow each other on a branch, and several tasks too, but a run begins only when no other
goes on there.

```yaml bad
- policy: ['\"codex/torghut-v3-{lane}-{date}-{run_id}\"', '\"week/{slug}\"']
- done: {until: strategy}
- task: {task_id: strat-002}
- on: week/47
- run: {task: strat-001}
- propose: week/47
- run: {task: strat-002}
```

```yaml good
- policy: ['\"codex/torghut-v3-{lane}-{date}-{run_id}\"', '\"week/{slug}\"']
- done: {until: strategy}
- task: {task_id: strat-002}
- on: week/47
- run: {task: strat-001}
- propose: week/48
- run: {task: strat-002}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Some(run), Some(task)) = (step.begun(), step.ledger.home.id()) else {
        return Vec::new();
    };
    let Some(branch) = run.branch.as_deref() else { return Vec::new() };
    if step.policy.is_none() {
        return Vec::new();
    }
    let Some(other) = runs_on(world, branch).find(|other| *other != task) else {
        return Vec::new();
    };
    let message = format!("a run of {other} goes on on `{branch}`");
    let help = match step.task_id() {
        Some(task) => {
            format!("finish it first, or give this run its own branch: `orch run start {task}`")
        }
        None => "give the rollback its own branch: start it from a protected one".to_owned(),
    };
    vec![Objection::new(step.field("branch"), message, help)]
}

/// The tasks that have a run on a branch: as they would stand, where the change touches them.
fn runs_on<'w>(world: &'w World, branch: &'w str) -> impl Iterator<Item = &'w TaskId> {
    let here = world.ledgers.values().filter_map(|ledger| ledger.state());
    let here = here.filter(move |state| {
        let run = state.active_run().filter(|_| state.closed.is_none());
        run.is_some_and(|run| run.branch.as_deref() == Some(branch))
    });
    let elsewhere = world.survey.active.iter().filter(move |active| {
        active.branch.as_deref() == Some(branch)
            && !world.ledgers.contains_key(&Home::Task(active.task.clone()))
    });
    here.map(|state| &state.task.task_id).chain(elsewhere.map(|active| &active.task))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const WEEK: &str = "
- policy: ['\"codex/torghut-v3-{lane}-{date}-{run_id}\"', '\"week/{slug}\"']
- done: {until: strategy}
- task: {task_id: strat-002}
";

    /// Two new runs in one change meet as well as one that has landed.
    #[test]
    fn two_new_runs_meet() {
        let findings = story(&format!(
            "{WEEK}
- propose: week/47
- run: {{task: strat-001}}
- run: {{task: strat-002}}
"
        ));
        findings.expect(&["branch-reused"]);
        assert_eq!(findings.underlined(0), "week/47");
    }

    /// Several tasks may follow each other on a branch.
    #[test]
    fn one_after_the_other_is_fine() {
        story(&format!(
            "{WEEK}
- on: week/47
- run: {{task: strat-001}}
- propose: week/47
- write: {{strategies/sma.py: code, docs/strategies/sma.md: about}}
- handoff: {{task: strat-001}}
- gate: {{task: strat-001}}
- run: {{task: strat-002}}
"
        ))
        .expect(&[]);
    }

    /// A task that was closed in the middle of a run no longer holds its branch.
    #[test]
    fn a_closed_task_leaves_its_branch() {
        story(&format!(
            "{WEEK}
- on: week/47
- run: {{task: strat-001}}
- close: {{task: strat-001, outcome: abandoned, reason: not wanted}}
- propose: week/47
- run: {{task: strat-002}}
"
        ))
        .expect(&[]);
    }
}
