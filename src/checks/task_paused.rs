//! A paused task waits for a person.
//!
//! From R001-17.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::Payload;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "task-paused",
    group: Group::Flow,
    title: "A paused task waits for a person",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
After repeated failures, an incident, or at a person's word, a task is paused. No run begins and no
gate is recorded until a person resumes it and signs for that: `orch resume ID --sign-off
STATEMENT`.

```yaml bad
- done: {until: backtest}
- pause: {cause: repeated_failures, reason: The vendor sends nonsense}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```

```yaml good
- done: {until: backtest}
- pause: {cause: repeated_failures, reason: The vendor sends nonsense}
- resume: {approver: founder, sign_off: The vendor has mended it}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(pause) = step.before.and_then(|state| state.paused.as_ref()) else {
        return Vec::new();
    };
    if step.begun().is_none() && !matches!(step.record.payload, Payload::Gate(_)) {
        return Vec::new();
    }
    let task = step.task_id().map(ToString::to_string).unwrap_or_default();
    let message = format!("`{task}` is paused: {}", pause.reason);
    let help = format!("a person resumes it: `orch resume {task} --sign-off STATEMENT`");
    let objection = Objection::new(step.field("stage"), message, help);
    let paused = step.earlier().find(|record| matches!(record.payload, Payload::Pause(_)));
    match paused {
        Some(record) => {
            let place = Place::at(record.repo_path().clone(), record.field("reason"));
            vec![objection.related(place, "why it was paused")]
        }
        None => vec![objection],
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 104: neither a run nor a gate gets past a pause; ending a run does.
    #[test]
    fn nothing_moves_until_a_person_resumes() {
        let paused = "
- done: {until: backtest}
- run: {}
- pause: {cause: person, reason: Hold on}
- propose: feature/strat-001-backtest
";
        let failed =
            "- run: {stage: backtest, status: failed, failure: {class: spec, reason: x}}\n";
        story(&format!("{paused}{failed}")).expect(&[]);
        let handed_off = format!(
            "{paused}- write: {{research/reports/sma.json: {{trades: 42, max_drawdown: 0.1}}}}
- handoff: {{}}\n"
        );
        story(&handed_off).expect(&[]);
        let findings = story(&format!("{handed_off}- gate: {{}}\n"));
        findings.expect(&["task-paused"]);
        assert_eq!(findings.underlined(0), "backtest");
        assert_eq!(findings.report.findings[0].related.len(), 1);
    }
}
