//! Evidence in quarantine is used by nobody.
//!
//! From R003-8.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::State;
use crate::record::Payload;
use crate::record::kind::{Artifact, GateVerdict};
use crate::source::{Digest, TaskId};
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
task that delivered it or that consumes it: `orch task quarantine`. No run consumes it and no gate
passes on it, nor on what was made from it, until a later `quarantine` entry says `released: true`,
or another file takes its place.

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
        let (task, source) = quarantine(world, step, artifact)?;
        let message = match source == artifact {
            true => format!("`{}` is in quarantine, by the ledger of `{task}`", artifact.path),
            false => format!(
                "`{}` was made from `{}`, which is in quarantine by the ledger of `{task}`",
                artifact.path, source.path
            ),
        };
        let help = match world.task(task).is_none_or(|holder| holder.closed.is_some()) {
            true => format!(
                "have it made anew by another task, and depend on that: `orch task open ID`; or, if \
                 it was right, `orch task quarantine {task} --evidence {} --reason R --release`",
                source.name
            ),
            false => format!(
                "have it made anew: `orch handoff reject {task} --reason mismatch`; `orch status \
                 {task}` tells why it is out of use"
            ),
        };
        let place = step.field(&format!("{list}.{index}.checksum"));
        Some(Objection::new(place, message, help))
    });
    quarantined.collect()
}

/// Gives the task in whose ledger the evidence is out of use, or what it was made from, and that
/// artifact. What it was made from is what the runs consumed when they ran, whatever the task depends
/// on by now; and the same bytes are the same evidence, under whatever name they come back.
fn quarantine<'w>(
    world: &'w World,
    step: &Step<'w>,
    artifact: &'w Artifact,
) -> Option<(&'w TaskId, &'w Artifact)> {
    let state = step.before?;
    let mut states = vec![state];
    let mut next = 0;
    // What others say today must not refuse a landed history.
    while let (Some(state), Some(_)) = (states.get(next).copied(), step.policy) {
        let others = world.dependencies(state);
        let new = others
            .filter(|other| states.iter().all(|known| known.task.task_id != other.task.task_id));
        let new: Vec<&State> = new.collect();
        states.extend(new);
        next += 1;
    }
    let mut sources = vec![artifact];
    let mut looked_at = 0;
    while let Some(source) = sources.get(looked_at).copied() {
        if let Some(holder) = holder(world, step, state, source.checksum) {
            return Some((holder, source));
        }
        let made_from = states.iter().flat_map(|state| made_from(state, source));
        let new: Vec<&Artifact> =
            made_from.filter(|artifact| !sources.contains(artifact)).collect();
        sources.extend(new);
        looked_at += 1;
    }
    None
}

/// Gives the task in whose ledger some bytes are out of use: this one as it stood before the entry,
/// or any other.
fn holder<'w>(
    world: &'w World,
    step: &Step<'w>,
    own: &'w State,
    checksum: Digest,
) -> Option<&'w TaskId> {
    let own_id = &own.task.task_id;
    if own.quarantined.iter().any(|(_, held)| *held == checksum) {
        return Some(own_id);
    }
    step.policy?;
    let mut others = world.quarantined.iter().filter(|(task, _)| task != own_id);
    others.find(|(_, held)| *held == checksum).map(|(task, _)| task)
}

/// What the run that delivered an artifact had consumed; for an audit, what it covers.
fn made_from<'s>(state: &'s State, artifact: &'s Artifact) -> impl Iterator<Item = &'s Artifact> {
    let delivered = state.deliveries.iter().filter(|known| known.artifacts.contains(artifact));
    let runs = delivered.filter_map(|delivery| state.run(&delivery.run_id));
    let audits = state.audits.iter().filter(|audit| audit.evidence == *artifact);
    runs.flat_map(|run| &run.inputs).chain(audits.flat_map(|audit| &audit.covers))
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

    /// R003-8: what was made from bad data is bad, over every stage and up to the deployment.
    #[test]
    fn what_was_made_from_it_is_out_of_use_too() {
        let told = |until: &str, next: &str| {
            story(&format!(
                "
- done: {{until: {until}}}
- quarantine:
    task: data-001
    name: validated_data
    checksum: sha256:2a202bf9f4bf8254f12bda0a3e52da0b4f35b75bbfa533ec5249359f9fb970b1
    reason: The vendor's prices were wrong
- propose: feature/strat-001-x
{next}
"
            ))
        };
        told("strategy", "- run: {}\n").expect(&[]);
        for until in ["backtest", "audit", "deploy_paper"] {
            let findings = told(until, "- run: {}\n");
            findings.expect(&["evidence-quarantined"]);
            let message = &findings.report.findings[0].message;
            assert!(message.contains("data-001"), "{message}");
        }
        let anew = "
- rejection: {handoff: 3, reason: mismatch}
- run: {}
- write: {strategies/sma.py: another}
- handoff: {}
- gate: {}
- update: {depends_on: []}
";
        told("audit", &format!("{anew}- wait: 1m\n")).expect(&[]);
    }

    /// R003-8: neither a dependency that is dropped nor a copy under another name washes it off.
    #[test]
    fn it_stays_out_of_use_whatever_depends_on_what() {
        let told = |between: &str, next: &str| {
            story(&format!(
                "
- done: {{until: audit}}
- quarantine:
    task: data-001
    name: validated_data
    checksum: sha256:2a202bf9f4bf8254f12bda0a3e52da0b4f35b75bbfa533ec5249359f9fb970b1
    reason: The vendor's prices were wrong
{between}
- propose: feature/strat-001-audit
{next}
"
            ))
        };
        told("- update: {depends_on: []}", "- run: {}\n").expect(&["evidence-quarantined"]);
        let copy = "
- task: {task_id: data-002, workflow: data_refresh}
- run: {task: data-002}
- write: {data/manifests/copy.json: {rows: 1000}}
- edit: {data/manifests/copy.json: ['{\"rows\":1000}', '{\"rows\": 1000}']}
- handoff: {task: data-002, artifacts: [{name: validated_data, path: data/manifests/copy.json,
    checksum: 'sha256:2a202bf9f4bf8254f12bda0a3e52da0b4f35b75bbfa533ec5249359f9fb970b1'}]}
- gate: {task: data-002}
- close: {task: data-002, outcome: completed, reason: done}
- task: {task_id: strat-005, depends_on: [data-002]}
- run: {task: strat-005, branch: feature/strat-005-x}
- write: {strategies/five.py: five, docs/strategies/five.md: about}
- handoff: {task: strat-005, artifacts: [
    {name: strategy_code, path: strategies/five.py,
     checksum: 'sha256:222b0bd51fcef7e65c2e62db2ed65457013bab56be6fafeb19ee11d453153c80'},
    {name: documentation, path: docs/strategies/five.md,
     checksum: 'sha256:9e0e4a4b2a4d3a4d0cd3a3f6e6e1c4c2a0dd8f3b9bb8c54a5fbd0f0f6f3f6a4b'}]}
- gate: {task: strat-005, verdict: pass, next_stage: backtest, returns_to: ~, reasons: []}
";
        let findings = told(copy, "- on: feature/strat-005-x\n- run: {task: strat-005}\n");
        assert_eq!(findings.of("evidence-quarantined").len(), 1, "{:#?}", findings.report.findings);
    }
}
