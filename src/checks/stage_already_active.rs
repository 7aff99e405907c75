//! One stage of a task runs at a time.
//!
//! From R001-11.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::ledger::Standing;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "stage-already-active",
    group: Group::Flow,
    title: "One stage of a task runs at a time",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
While a stage of a task runs, nobody knows what it will deliver, so no other run of the task may
begin. The run that goes on ends with its handoff, or, if it came to nothing, with `orch run fail`.

```yaml bad
# Somebody is at the strategy again while the backtest begins.
- done: {until: backtest}
- run: {stage: strategy, run_id: r0000000001}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```

```yaml good
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Some(run), Some(state)) = (step.begun(), step.before) else { return Vec::new() };
    let Standing::Running(stage) = &state.standing else { return Vec::new() };
    let active = state.active_run();
    // The very same run again is a duplicate, and is told as one.
    if active.is_some_and(|active| active.run_id == run.run_id) || state.closed.is_some() {
        return Vec::new();
    }
    let task = &state.task.task_id;
    let (who, place) = match active {
        Some(active) => {
            let started = step.earlier().find(|record| record.sequence() == active.sequence);
            let place =
                started.map(|record| Place::at(record.repo_path().clone(), record.field("stage")));
            (format!(", run by `{}`,", active.agent), place)
        }
        None => (String::new(), None),
    };
    let message = format!("stage `{stage}` of `{task}`{who} goes on");
    let help = format!(
        "wait for its handoff, or end it: `orch run fail {task} --class transient --reason R`"
    );
    let objection = Objection::new(step.field("stage"), message, help);
    match place {
        Some(place) => vec![objection.related(place, "the run that goes on")],
        None => vec![objection],
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 105: two active stages, told with the one that is in the way.
    #[test]
    fn the_other_run_is_shown() {
        let findings = story(
            "
- done: {until: backtest}
- run: {stage: strategy, run_id: r0000000001}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
",
        );
        findings.expect(&["stage-already-active"]);
        assert_eq!(findings.underlined(0), "backtest");
        let related = &findings.report.findings[0].related[0];
        assert!(related.place.path.to_string().ends_with("-run.yaml"));
    }

    /// A failed run is over: the next attempt has the same id, and is none beside it.
    #[test]
    fn a_failed_run_makes_room_for_the_next() {
        story(
            "
- done: {until: backtest}
- run: {stage: backtest}
- run: {stage: backtest, status: failed, failure: {class: transient, reason: network}}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
",
        )
        .expect(&[]);
    }

    /// A run that was overtaken by a return is over, too.
    #[test]
    fn a_return_ends_the_run_that_went_on() {
        story(
            "
- done: {until: backtest}
- run: {stage: backtest}
- rejection: {handoff: 3, reason: mismatch}
- propose: feature/strat-001-strategy-2
- run: {stage: strategy}
",
        )
        .expect(&[]);
    }
}
