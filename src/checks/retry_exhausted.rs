//! A run is tried as often as the policy says, and no more.
//!
//! From R001-15.

use super::again::again;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "retry-exhausted",
    group: Group::Retry,
    title: "A run is tried as often as the policy says, and no more",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
Retries have a cap, `maximum_attempts` of the failure's class in the policy's `retry`, the first
attempt included. What failed that often wants somebody to look: change files of its lane, or have a
person resume the task, which counts the attempts anew.

```yaml bad
- policy: ['maximum_attempts: 5', 'maximum_attempts: 2']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- propose: feature/strat-001-backtest
- run: {}
```

```yaml good
- policy: ['maximum_attempts: 5', 'maximum_attempts: 2']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- propose: feature/strat-001-backtest
- run: {}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(again) = again(step) else { return Vec::new() };
    let most = again.retry.maximum_attempts;
    if most == 1 || again.attempts < most || again.has_changed(world, step) {
        return Vec::new();
    }
    let task = &again.state.task.task_id;
    let message = format!(
        "stage `{}` was tried {} times, and {most} are allowed",
        again.run.stage, again.attempts
    );
    let help = format!(
        "a person looks first: `orch pause {task} --reason R`, then `orch resume {task} --sign-off S`"
    );
    vec![Objection::new(step.field("attempt"), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::{Findings, story};

    fn tried(times: usize, rest: &str) -> Findings {
        let attempt = "- run: {}\n- wait: 10m\n- run: {status: failed, failure: {class: transient, reason: network}}\n- wait: 10m\n";
        story(&format!(
            "
- policy: ['maximum_attempts: 5', 'maximum_attempts: 3']
- done: {{until: backtest}}
- on: feature/strat-001-backtest
{}
- propose: feature/strat-001-backtest
{rest}
- run: {{}}
",
            attempt.repeat(times)
        ))
    }

    /// Attack 103: the cap counts the entries, whatever number the next one gives itself.
    #[test]
    fn the_cap_is_exact() {
        tried(2, "").expect(&[]);
        let findings = tried(3, "");
        findings.expect(&["retry-exhausted"]);
        assert_eq!(findings.underlined(0), "4");
    }

    /// R001-17: a person's resume counts anew, and so does a mended lane.
    #[test]
    fn a_resume_counts_anew() {
        let resumed = "- pause: {cause: person, reason: x}\n- resume: {approver: founder, sign_off: The line is up}\n";
        tried(3, resumed).expect(&[]);
        tried(3, "- write: {research/reports/x.json: '1'}\n").expect(&[]);
    }
}
