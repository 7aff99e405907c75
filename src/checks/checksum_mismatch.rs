//! A new record gives each artifact the digest that head holds.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::world::{Fact, Step, World};

pub(super) static CHECK: Check = Check {
    name: "checksum-mismatch",
    group: Group::Artifacts,
    title: "A new record gives each artifact the digest that head holds",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A handoff seals its artifacts: the next agent relies on exactly these bytes. A record that is new
in the change must therefore name the digest of the blob that the change holds. If the file was
changed after the handoff was written, hand off again.

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
    let (list, artifacts) = match &step.record.payload {
        Payload::Handoff(handoff) => ("artifacts", &handoff.artifacts),
        Payload::AuditReport(report) => ("covers", &report.covers),
        Payload::Approval(approval) => ("covers", &approval.covers),
        _ => return Vec::new(),
    };
    let mut objections = Vec::new();
    for (index, artifact) in artifacts.iter().enumerate() {
        let Fact::File { digest, .. } = world.fact(step, &artifact.path) else { continue };
        if *digest != artifact.checksum {
            let message = format!("`{}` holds {digest}, not what this record says", artifact.path);
            let place = step.field(&format!("{list}.{index}.checksum"));
            objections.push(Objection::new(place, message, HELP));
        }
    }
    objections
}

const HELP: &str = "restore the file, or hand off again with `orch handoff create`";

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
}
