//! A gate says what its conditions say.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::Standing;
use crate::record::Payload;
use crate::record::kind::{Gate, GateVerdict};
use crate::world::{Evaluation, Seen, Step, World, evaluate};

pub(super) static CHECK: Check = Check {
    name: "gate-contradicted",
    group: Group::Flow,
    title: "A gate says what its conditions say",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A record that says `verdict: pass` proves nothing. The guard reads the evidence again, evaluates
every condition of the stage, and refuses a gate whose verdict, conditions or evidence differ from
what it found. A coordinator may fail a stage for other `reasons`, in words, but never pass one
whose conditions do not hold. `orch gate` records what holds.

```yaml bad
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
- write: {research/reports/sma.json: {trades: 12, max_drawdown: 0.1}}
- handoff: {}
- gate: {verdict: pass, next_stage: audit, returns_to: null, reasons: null}
```

```yaml good
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
- write: {research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}
- handoff: {}
- gate: {}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Payload::Gate(gate), Some(state)) = (&step.record.payload, step.before) else {
        return Vec::new();
    };
    let Some(stage) = step.stage(&gate.stage) else { return Vec::new() };
    if state.standing != Standing::Delivered(gate.stage.clone()) {
        return Vec::new();
    }
    if step.seen == Seen::Nowhere {
        let message = "this gate was replaced in one commit, so it could not be recomputed";
        let help = "commit a stage at a time, and each gate can be checked";
        return vec![Objection::new(step.field("verdict"), message, help).note()];
    }
    let found = evaluate(world, state, stage, step.seen);
    let help = format!("record what holds: `orch gate {}`", state.task.task_id);
    let wrong = match of_verdict(gate, &found) {
        Some(verdict) => vec![verdict],
        None => of_conditions(gate, &found).into_iter().chain(of_evidence(gate, &found)).collect(),
    };
    wrong
        .into_iter()
        .map(|Wrong { field, message }| Objection::new(step.field(&field), message, help.clone()))
        .collect()
}

/// A field of the gate, and what is wrong with it.
struct Wrong {
    field: String,
    message: String,
}

fn of_verdict(gate: &Gate, found: &Evaluation) -> Option<Wrong> {
    match (gate.verdict, found.verdict) {
        (GateVerdict::Pass, GateVerdict::Fail) => {
            let message =
                format!("stage `{}` does not pass: {}", gate.stage, found.reasons.join("; "));
            Some(Wrong { field: "verdict".into(), message })
        }
        (GateVerdict::Fail, GateVerdict::Pass) if !gate.reasons.iter().any(|r| !r.is_empty()) => {
            let message = format!(
                "this fails stage `{}` without a reason, and every condition holds",
                gate.stage
            );
            Some(Wrong { field: "verdict".into(), message })
        }
        _ => None,
    }
}

fn of_conditions(gate: &Gate, found: &Evaluation) -> Option<Wrong> {
    if gate.conditions == found.conditions {
        return None;
    }
    let differs = found
        .conditions
        .iter()
        .enumerate()
        .find(|(index, condition)| gate.conditions.get(*index) != Some(condition));
    let Some((index, condition)) = differs else {
        let index = found.conditions.len();
        let message = format!("stage `{}` has no such condition", gate.stage);
        return Some(Wrong { field: format!("conditions.{index}.expression"), message });
    };
    let holds = if condition.result { "holds" } else { "does not hold" };
    let observed = condition.observed.as_deref().unwrap_or("nothing could be read");
    let message = format!("`{}` {holds}: {observed}", condition.expression);
    // Underline the one word that is wrong, where it is only one.
    let recorded = gate.conditions.get(index);
    let field = match recorded {
        None => "conditions".to_owned(),
        Some(recorded) if recorded.expression != condition.expression => {
            format!("conditions.{index}.expression")
        }
        Some(recorded) if recorded.result != condition.result => {
            format!("conditions.{index}.result")
        }
        Some(_) => format!("conditions.{index}.observed"),
    };
    Some(Wrong { field, message })
}

fn of_evidence(gate: &Gate, found: &Evaluation) -> Option<Wrong> {
    let mut recorded: Vec<_> = gate.evidence.iter().enumerate().collect();
    recorded.sort_by_key(|(_, artifact)| *artifact);
    if recorded.iter().map(|(_, artifact)| *artifact).eq(&found.evidence) {
        return None;
    }
    if let Some((index, extra)) =
        recorded.iter().find(|(_, artifact)| !found.evidence.contains(artifact))
    {
        let message = format!("`{}` is not what this gate had to judge", extra.path);
        return Some(Wrong { field: format!("evidence.{index}.checksum"), message });
    }
    let left_out = found.evidence.iter().find(|artifact| !gate.evidence.contains(artifact));
    let message = match left_out {
        Some(artifact) => {
            format!("this gate leaves out `{}`, which it had to judge", artifact.path)
        }
        None => "this gate lists a file twice".to_owned(),
    };
    Some(Wrong { field: "evidence".into(), message })
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn gated(report: &str, gate: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: backtest}}
- propose: feature/strat-001-backtest
- run: {{}}
- write: {{research/reports/sma.json: {report}}}
- handoff: {{}}
- gate: {{{gate}}}
"
        ))
    }

    const GOOD: &str = "{trades: 42, max_drawdown: 0.1}";
    const POOR: &str = "{trades: 12, max_drawdown: 0.1}";

    #[test]
    fn a_pass_never_stands_against_a_condition() {
        let forged = gated(POOR, "verdict: pass, next_stage: audit, returns_to: null");
        forged.expect(&["gate-contradicted"]);
        assert_eq!(forged.underlined(0), "pass");
        let message = &forged.report.findings[0].message;
        assert!(message.contains("backtest_results.trades = 12"), "{message}");
        gated(POOR, "").expect(&[]);
    }

    /// The whole gate is invented: conditions, observations and verdict.
    #[test]
    fn an_invented_observation_is_underlined() {
        let conditions = |expression: &str, observed: &str, result: bool| {
            format!(
                "conditions: [{{expression: '{expression}', observed: '{observed}', result: \
                 {result}}}, {{expression: backtest_results.max_drawdown <= 0.2, observed: \
                 backtest_results.max_drawdown = 0.1, result: true}}]"
            )
        };
        let true_expression = "backtest_results.trades >= 30";
        let true_observation = "backtest_results.trades = 42";
        for (expression, observed, result, underlined) in [
            (
                "backtest_results.trades >= 3",
                true_observation,
                true,
                "backtest_results.trades >= 3",
            ),
            (
                true_expression,
                "backtest_results.trades = 420",
                true,
                "backtest_results.trades = 420",
            ),
            (true_expression, true_observation, false, "false"),
        ] {
            let findings = gated(GOOD, &conditions(expression, observed, result));
            findings.expect(&["gate-contradicted"]);
            assert_eq!(findings.underlined(0), underlined);
        }
        gated(GOOD, &conditions(true_expression, true_observation, true)).expect(&[]);
        gated(GOOD, "conditions: []").expect(&["gate-contradicted"]);
    }

    #[test]
    fn the_evidence_is_what_was_handed_over() {
        gated(GOOD, "evidence: []").expect(&["gate-contradicted"]);
        let other = "evidence: [{name: backtest_results, path: research/reports/sma.json, checksum: \
             sha256:5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b}]";
        let findings = gated(GOOD, other);
        findings.expect(&["gate-contradicted"]);
        assert!(findings.underlined(0).starts_with("sha256:"));
    }

    /// A coordinator may know more than the conditions, and then says what.
    #[test]
    fn a_fail_beyond_the_conditions_has_a_reason() {
        let fail = "verdict: fail, next_stage: null, returns_to: strategy";
        let silent = gated(GOOD, fail);
        silent.expect(&["gate-contradicted"]);
        assert_eq!(silent.underlined(0), "fail");
        gated(GOOD, &format!("{fail}, reasons: [The data vendor withdrew the feed]")).expect(&[]);
    }

    /// A handoff that calls itself partial passes no gate.
    #[test]
    fn unfinished_work_does_not_pass() {
        story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {status: partial}
- gate: {verdict: pass, next_stage: backtest, returns_to: null, reasons: null}
",
        )
        .expect(&["gate-contradicted"]);
    }

    /// What was judged and then replaced in one commit can't be looked at again.
    #[test]
    fn what_can_not_be_seen_is_noted() {
        let findings = story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: first, docs/strategies/sma.md: about}
- handoff: {}
- gate: {verdict: fail, next_stage: null, returns_to: strategy, reasons: [Too slow]}
- run: {}
- write: {strategies/sma.py: second}
- handoff: {}
- gate: {}
",
        );
        findings.expect(&[]);
        assert!(findings.report.findings.iter().any(|note| note.check == "gate-contradicted"));
    }
}
