//! A new record gives each artifact the digest that head holds.

use std::collections::BTreeSet;

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::Severity;
use crate::record::kind::{Artifact, Run, RunStatus};
use crate::record::{Home, Payload, snapshot_path};
use crate::snapshot::Occasion;
use crate::world::{Fact, Step, World};

pub(super) static CHECK: Check = Check {
    name: "checksum-mismatch",
    group: Group::Artifacts,
    title: "A new record gives each artifact the digest that head holds",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::EachStep(run),
};

const EXPLAIN: &str = "\
A handoff seals its artifacts: the next agent relies on exactly these bytes. A record that is new
in the change must therefore name the digest of the blob that the change holds. If the file was
changed after the handoff was written, hand off again. A checkpoint that names files is held against
them where it is recorded; behind it, the work goes on.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: first, docs/strategies/sma.md: about}
- handoff: {}
- write: {strategies/sma.py: second}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: second, docs/strategies/sma.md: about}
- handoff: {}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let mut objections = Vec::new();
    for (field, artifact) in sealed(world, step) {
        let Fact::File { digest, .. } = world.fact(step, &artifact.path) else { continue };
        let anew =
            world.occasion == Occasion::Verification && world.sealed(&artifact.path, *digest);
        if *digest != artifact.checksum && !anew {
            let message = format!("`{}` holds {digest}, not what this record says", artifact.path);
            let place = step.field(&format!("{field}.checksum"));
            objections.push(Objection::new(place, message, HELP).for_now());
        }
    }
    objections.extend(of_snapshot(world, step));
    objections
}

/// A halt seals the state of what it stopped (R003-13): the file beside it holds that, and stays.
fn of_snapshot(world: &World, step: &Step<'_>) -> Option<Objection> {
    let (Payload::Halt(halt), Home::Halt(id)) = (&step.record.payload, &step.ledger.home) else {
        return None;
    };
    let path = snapshot_path(id);
    let message = match world.fact(step, &path) {
        Fact::Unseen => return None,
        Fact::File { digest, .. } if halt.snapshot? == *digest => return None,
        Fact::File { digest, .. } => format!("`{path}` holds {digest}, not what this halt says"),
        Fact::Missing | Fact::Irregular(_) => {
            halt.snapshot?;
            format!("there is no file at `{path}`, whose digest this halt gives")
        }
    };
    let help = format!("`git add {path}` as `orch halt` wrote it, or write the halt anew");
    Some(Objection::new(step.field("snapshot"), message, help))
}

/// Gives what an entry seals, with the field that says so, such as `artifacts.0`.
///
/// In a verification nothing is new, and what live handoffs hold is compared by a check of its
/// own, so that a file that changed is told once.
pub(super) fn sealed<'w>(world: &World, step: &Step<'w>) -> Vec<(String, &'w Artifact)> {
    let (list, artifacts) = match &step.record.payload {
        Payload::Handoff(handoff) => ("artifacts", &handoff.artifacts),
        Payload::Run(Run { status: RunStatus::Checkpoint, checkpoint: Some(reached), .. }) => {
            ("checkpoint.artifacts", &reached.artifacts)
        }
        Payload::AuditReport(report) => ("covers", &report.covers),
        Payload::Approval(approval) => ("covers", &approval.covers),
        _ => return Vec::new(),
    };
    let live: BTreeSet<&Artifact> = match (world.occasion, step.ledger.state()) {
        (Occasion::Verification, Some(state)) => {
            state.live_deliveries().flat_map(|delivery| &delivery.artifacts).collect()
        }
        _ => BTreeSet::new(),
    };
    let named = artifacts.iter().enumerate().filter(|(_, artifact)| !live.contains(artifact));
    named.map(|(index, artifact)| (format!("{list}.{index}"), artifact)).collect()
}

const HELP: &str = "restore the file; or return the task with `orch handoff reject TASK`, and start \
                    the stage again";

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 79: one flipped byte of an artifact.
    #[test]
    fn the_digest_itself_is_underlined() {
        let findings = story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: first, docs/strategies/sma.md: about}
- handoff: {}
- write: {strategies/sma.py: fIrst}
",
        );
        findings.expect(&["checksum-mismatch"]);
        assert!(findings.underlined(0).starts_with("sha256:"), "{}", findings.underlined(0));
    }

    /// R000-58: a checkpoint holds where it is recorded, and binds nothing once the run goes on.
    #[test]
    fn a_checkpoint_names_what_it_holds() {
        let reached = format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{strategies/sma.py: half}}
- run:
    status: checkpoint
    inputs: []
    checkpoint:
      name: half
      artifacts: [{{name: code, path: strategies/sma.py, checksum: '{}'}}]
",
            crate::source::Digest::of(b"half")
        );
        story(&reached).expect(&[]);
        let findings = story(&format!("{reached}- write: {{strategies/sma.py: other}}\n"));
        findings.expect(&["checksum-mismatch"]);
        assert!(findings.underlined(0).starts_with("sha256:"), "{}", findings.underlined(0));
        let gone = story(&format!("{reached}- remove: {{strategies/sma.py: ~}}\n"));
        gone.expect(&["artifact-missing"]);
        let link = story(&format!("{reached}- link: {{strategies/sma.py: half}}\n"));
        link.expect(&["artifact-irregular"]);
        story(&format!(
            "{reached}- write: {{strategies/sma.py: all, docs/strategies/sma.md: about}}\n- handoff: {{}}\n"
        ))
        .expect(&[]);
    }

    /// A `close` in the same commit frees no file before it has landed.
    #[test]
    fn closing_in_the_same_commit_hides_nothing() {
        let findings = story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: first, docs/strategies/sma.md: about}
- handoff: {}
- write: {strategies/sma.py: fIrst}
- close: {outcome: abandoned, reason: enough}
",
        );
        assert_eq!(findings.of("checksum-mismatch").len(), 1);
    }
}
