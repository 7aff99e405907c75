//! What a run consumed still holds what it held.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::record::kind::{Artifact, Handoff};
use crate::world::{Fact, Step, World};

pub(super) static CHECK: Check = Check {
    name: "evidence-stale",
    group: Group::Flow,
    title: "What a run consumed still holds what it held",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A backtest of yesterday's strategy says nothing about today's. A run names the checksums of what it
consumes, and both when it begins and when it hands off, these files must still hold exactly that.
If one has changed, the stage that made it must hand it over again, and then this one runs anew.

```yaml bad
- done: {until: backtest}
- write: {strategies/sma.py: changed behind the handoff}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```

```yaml good
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    // A landed run is replayed, not judged by files that others may have changed since.
    if step.policy.is_none() {
        return Vec::new();
    }
    match &step.record.payload {
        Payload::Handoff(handoff) => of_handoff(world, step, handoff),
        _ => of_run(world, step),
    }
}

fn of_run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let inputs = step.begun().map(|run| run.inputs.as_slice()).unwrap_or_default();
    let stale = inputs.iter().enumerate().filter_map(|(index, input)| {
        let why = stale(world, step, input)?;
        let place = step.field(&format!("inputs.{index}.checksum"));
        let message = format!("`{}`, which this run consumes, {why}", input.path);
        Some(Objection::new(place, message, help(step)))
    });
    stale.collect()
}

fn of_handoff(world: &World, step: &Step<'_>, handoff: &Handoff) -> Vec<Objection> {
    let active = step.before.and_then(|state| state.active_run());
    let Some(run) = active.filter(|run| run.stage == handoff.stage) else { return Vec::new() };
    let stale = run.inputs.iter().filter_map(|input| {
        // A stage may remake what it consumed: it then hands over the new one itself.
        if handoff.artifacts.iter().any(|made| made.path == input.path) {
            return None;
        }
        let why = stale(world, step, input)?;
        let message = format!("`{}`, which run `{}` consumed, {why}", input.path, run.run_id);
        Some(Objection::new(step.field("run_id"), message, help(step)))
    });
    stale.collect()
}

fn stale(world: &World, step: &Step<'_>, input: &Artifact) -> Option<&'static str> {
    match world.fact(step, &input.path) {
        Fact::File { digest, .. } if *digest == input.checksum => None,
        Fact::Unseen => None,
        Fact::File { .. } => Some("has changed since it was handed over"),
        Fact::Missing => Some("is no longer there"),
        Fact::Irregular(_) => Some("is no longer a file"),
    }
}

fn help(step: &Step<'_>) -> String {
    let task = step.task_id().map(ToString::to_string).unwrap_or_default();
    format!(
        "restore the file, or return the task to the stage that made it: \
         `orch handoff reject {task} --reason mismatch`"
    )
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    #[test]
    fn the_digest_of_the_input_is_underlined() {
        for change in ["write: {data/manifests/btc.json: '{}'}", "remove: {strategies/sma.py: x}"] {
            let findings = story(&format!(
                "
- done: {{until: backtest}}
- {change}
- propose: feature/strat-001-backtest
- run: {{stage: backtest}}
"
            ));
            findings.expect(&["evidence-stale"]);
            assert!(findings.underlined(0).starts_with("sha256:"), "{}", findings.underlined(0));
        }
    }

    /// A result of inputs that changed while the run went on is a result of nothing.
    #[test]
    fn a_handoff_asks_again() {
        let findings = story(
            "
- done: {until: backtest}
- run: {stage: backtest}
- write: {data/manifests/btc.json: '{}'}
- propose: feature/strat-001-backtest
- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}
- handoff: {}
",
        );
        findings.expect(&["evidence-stale"]);
        assert!(findings.underlined(0).starts_with('r'), "{}", findings.underlined(0));
    }
}
