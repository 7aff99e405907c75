//! Evidence in quarantine is used by nobody.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::record::kind::{Artifact, GateVerdict};
use crate::source::TaskId;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "evidence-quarantined",
    group: Group::Flow,
    title: "Evidence in quarantine is used by nobody",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
Evidence that turned out to be wrong is quarantined by its name and checksum, in the ledger of the
task that delivered it or that consumes it (R003-8). No run consumes it and no gate passes on it,
until a later `quarantine` entry says `released: true`, or another file takes its place.

```yaml bad
- done: {until: backtest}
- quarantine:
    name: strategy_code
    checksum: sha256:5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b
    reason: The signal was fitted by hand
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
    let (list, evidence) = match &step.record.payload {
        // A gate that fails because of the quarantine must name what it judged.
        Payload::Gate(gate) if gate.verdict == GateVerdict::Pass => ("evidence", &gate.evidence),
        _ => match step.begun() {
            Some(run) => ("inputs", &run.inputs),
            None => return Vec::new(),
        },
    };
    let quarantined = evidence.iter().enumerate().filter_map(|(index, artifact)| {
        let task = quarantine(world, step, artifact)?;
        let message = format!("`{}` is in quarantine, by the ledger of `{task}`", artifact.path);
        let help = format!(
            "have it made anew: `orch handoff reject {task} --reason mismatch`; `orch status \
             {task}` tells why it is out of use"
        );
        let place = step.field(&format!("{list}.{index}.checksum"));
        Some(Objection::new(place, message, help))
    });
    quarantined.collect()
}

/// Gives the task in whose ledger the evidence is out of use: this one, or one it depends on.
fn quarantine<'w>(world: &'w World, step: &Step<'w>, artifact: &Artifact) -> Option<&'w TaskId> {
    let state = step.before?;
    let evidence = (artifact.name.clone(), artifact.checksum);
    // What a dependency says today must not refuse a landed history.
    let others = step.policy.map(|_| world.dependencies(state)).into_iter().flatten();
    let mut states = std::iter::once(state).chain(others);
    let holder = states.find(|state| state.quarantined.contains(&evidence))?;
    Some(&holder.task.task_id)
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const QUARANTINE: &str = "
    name: backtest_results
    checksum: sha256:32fe6f0e4b65e26b7a2edc40a40d7df19ec7a46a1d27055e396c2cbd58bc3164
    reason: The vendor's prices were wrong
";

    #[test]
    fn what_is_released_is_of_use_again() {
        let told = |more: &str| {
            story(&format!(
                "
- done: {{until: audit}}
- quarantine:{QUARANTINE}{more}
- propose: feature/strat-001-audit
- run: {{stage: audit}}
"
            ))
        };
        let refused = told("");
        refused.expect(&["evidence-quarantined"]);
        assert!(refused.underlined(0).starts_with("sha256:32fe"));
        told(&format!("- quarantine:{QUARANTINE}    released: true\n")).expect(&[]);
    }

    /// A gate can't pass on it, and can say that it fails because of it.
    #[test]
    fn a_gate_fails_on_it() {
        let told = |gate: &str| {
            story(&format!(
                "
- done: {{until: backtest}}
- run: {{}}
- write: {{research/reports/sma.json: '{{\"trades\": 42, \"max_drawdown\": 0.1}}'}}
- handoff: {{}}
- quarantine:{QUARANTINE}
- propose: feature/strat-001-backtest
- gate: {{{gate}}}
"
            ))
        };
        told("").expect(&["evidence-quarantined"]);
        told("verdict: fail, next_stage: null, returns_to: strategy, reasons: [in quarantine]")
            .expect(&[]);
    }

    /// R003-8: the task that made it says so, and everybody who depends on it is stopped.
    #[test]
    fn it_is_out_of_use_for_those_who_depend_on_it() {
        story(
            "
- task: {task_id: data-001, workflow: data_refresh}
- run: {task: data-001}
- write: {data/manifests/btc.json: code}
- handoff: {task: data-001}
- gate: {task: data-001}
- quarantine:
    task: data-001
    name: validated_data
    checksum: sha256:5694d08a2e53ffcae0c3103e5ad6f6076abd960eb1f8a56577040bc1028f702b
    reason: The vendor's prices were wrong
- done: {until: strategy}
- run: {}
- write: {strategies/sma.py: code of ours, docs/strategies/sma.md: about}
- handoff: {}
- gate: {}
- update: {depends_on: [data-001]}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
",
        )
        .expect(&["evidence-quarantined"]);
    }
}
