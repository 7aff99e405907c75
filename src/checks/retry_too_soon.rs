//! A retry waits for its turn.
//!
//! From R001-15.

use super::again::again;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "retry-too-soon",
    group: Group::Retry,
    title: "A retry waits for its turn",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
What failed for a passing reason is given time to pass: each wait is longer than the one before, up to
the longest, and a part of it is left to chance so that many runs do not come back at once
(`initial_interval`, `backoff_coefficient`, `maximum_interval` and `jitter` of the policy's `retry`).
The chance follows from the run and the attempt, so everybody works out the same moment. `orch run
exec` waits by itself.

```yaml bad
- policy: ['initial_interval: 15s', 'initial_interval: 300s']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- propose: feature/strat-001-backtest
- run: {}
```

```yaml good
- policy: ['initial_interval: 15s', 'initial_interval: 300s']
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: transient, reason: network}}
- propose: feature/strat-001-backtest
- wait: 5m
- run: {}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(again) = again(step) else { return Vec::new() };
    let allowed = again.attempts < again.retry.maximum_attempts;
    if !allowed || again.has_changed(world, step) {
        return Vec::new();
    }
    let owed = again.failed.at.plus(again.retry.wait(&again.run.run_id, again.attempts));
    let due = again.failed.retry_after.map_or(owed, |said| said.max(owed));
    // A moment ahead is a claim; what is judged now is now.
    if step.record.entry.recorded_at.min(world.at) >= due {
        return Vec::new();
    }
    let message = format!("stage `{}` may be tried again from {due} on", again.run.stage);
    let help =
        format!("wait: `orch run exec {} -- COMMAND` does it by itself", again.state.task.task_id);
    vec![Objection::new(step.envelope("recorded_at"), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 103: the second wait is twice the first, and the failed entry can't shorten it.
    #[test]
    fn each_wait_is_longer() {
        let told = |retry_after: &str, wait: &str| {
            story(&format!(
                "
- policy: ['initial_interval: 15s', 'initial_interval: 100s']
- policy: ['jitter: 0.2', 'jitter: 0.0']
- done: {{until: backtest}}
- run: {{}}
- run: {{status: failed, failure: {{class: transient, reason: network}}}}
- wait: 1m
- run: {{}}
- run: {{status: failed, failure: {{class: transient, reason: network}}, {retry_after}}}
- propose: feature/strat-001-backtest
- wait: {wait}
- run: {{}}
"
            ))
        };
        told("", "140s").expect(&[]);
        told("", "139s").expect(&["retry-too-soon"]);
        told("retry_after: ~", "139s").expect(&["retry-too-soon"]);
        told("retry_after: '2026-11-21T10:00:00Z'", "139s").expect(&["retry-too-soon"]);
        // Whoever asks for more time gets it.
        told("retry_after: '2026-11-21T23:00:00Z'", "140s").expect(&["retry-too-soon"]);
    }
}
