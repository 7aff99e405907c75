//! After failures in a row the task pauses, for a person to look.
//!
//! From R001-17.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::record::kind::RunStatus;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "pause-owed",
    group: Group::Retry,
    title: "After failures in a row the task pauses, for a person to look",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
Something that fails again and again is not mended by trying. The failure that reaches `pause_after`
of its class, since the stage last came through, in the policy's `retry` is followed by a `pause`
entry, and only a person's sign-off lets the task go on. `orch run fail` and `orch run exec` write
both by themselves.

```yaml bad
- policy: ['pause_after: 5', 'pause_after: 2']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- run: {}
- propose: feature/strat-001-backtest
- run: {status: failed, failure: {class: transient, reason: network}}
```

```yaml good
- policy: ['pause_after: 5', 'pause_after: 2']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- run: {}
- propose: feature/strat-001-backtest
- run: {status: failed, failure: {class: transient, reason: network}}
- pause: {cause: repeated_failures, reason: Twice in a row}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Some(policy), Some(state), Payload::Run(run)) =
        (step.policy, step.before, &step.record.payload)
    else {
        return Vec::new();
    };
    let stage = &run.stage;
    let last = state.failures(stage).next().map(|(_, failed)| failed.failure.class);
    let (class, more, field) = match (run.status, &run.failure, last) {
        (RunStatus::Failed, Some(failure), _) => (failure.class, 1, "failure.class"),
        // A pause that was left out when the failure landed is owed still.
        (RunStatus::InProgress, _, Some(class)) if state.paused.is_none() => (class, 0, "stage"),
        _ => return Vec::new(),
    };
    let count = state.failures_in_a_row(stage, class) + more;
    let limit = policy.retry(policy.stage(&state.task.workflow, stage), class).pause_after;
    if limit.is_none_or(|limit| count < limit) {
        return Vec::new();
    }
    if run.status == RunStatus::Failed && pauses_next(step) {
        return Vec::new();
    }
    let task = &state.task.task_id;
    let message =
        format!("stage `{}` failed {count} times in a row, and no pause follows", run.stage);
    let help = format!(
        "`orch pause {task} --reason R`, for a person to look; `orch run fail` and `orch run exec` \
         do it by themselves"
    );
    vec![Objection::new(step.field(field), message, help)]
}

fn pauses_next(step: &Step<'_>) -> bool {
    let mut behind =
        step.ledger.records.iter().skip_while(|r| r.sequence() <= step.record.sequence());
    behind.next().is_some_and(|record| matches!(record.payload, Payload::Pause(_)))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const TWICE: &str = "
- policy: ['pause_after: 5', 'pause_after: 2']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
";

    /// What landed without its pause does not go on either.
    #[test]
    fn a_pause_that_was_left_out_is_owed_still() {
        let findings =
            story(&format!("{TWICE}- propose: feature/strat-001-backtest\n- run: {{}}\n"));
        findings.expect(&["pause-owed"]);
        assert_eq!(findings.underlined(0), "backtest");
        let paused = "- pause: {cause: repeated_failures, reason: x}\n- resume: {approver: founder, sign_off: y}\n";
        story(&format!("{TWICE}{paused}- propose: feature/strat-001-backtest\n- run: {{}}\n"))
            .expect(&[]);
    }

    /// A stage that came through in between begins to count anew.
    #[test]
    fn only_failures_in_a_row_count() {
        story(
            "
- policy: ['pause_after: 5', 'pause_after: 2']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- run: {}
- write: {research/reports/sma.json: {trades: 12, max_drawdown: 0.1}}
- handoff: {}
- gate: {}
- run: {}
- write: {strategies/sma.py: better}
- handoff: {}
- gate: {}
- run: {}
- propose: feature/strat-001-backtest-2
- run: {status: failed, failure: {class: transient, reason: network}}
",
        )
        .expect(&[]);
    }

    /// A blip before it does not make one fault two.
    #[test]
    fn classes_are_counted_apart() {
        let told = |second: &str| {
            story(&format!(
                "
- done: {{until: backtest}}
- run: {{}}
- run: {{status: failed, failure: {{class: {second}, reason: r}}}}
- write: {{research/reports/x.json: '1'}}
- run: {{}}
- propose: feature/strat-001-backtest
- run: {{status: failed, failure: {{class: deterministic, reason: r}}}}
"
            ))
        };
        told("transient").expect(&[]);
        told("deterministic").expect(&["pause-owed"]);
    }

    /// One failure for a rule that forbids it is enough.
    #[test]
    fn each_class_has_its_own_limit() {
        let failed = |class: &str| {
            story(&format!(
                "
- done: {{until: backtest}}
- run: {{}}
- propose: feature/strat-001-backtest
- run: {{status: failed, failure: {{class: {class}, reason: r}}}}
"
            ))
        };
        failed("policy").expect(&["pause-owed"]);
        failed("spec").expect(&[]);
    }
}
