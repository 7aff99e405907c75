//! What a stage produces is not an empty file.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::world::{Fact, Step, World};

pub(super) static CHECK: Check = Check {
    name: "artifact-empty",
    group: Group::Artifacts,
    title: "What a stage produces is not an empty file",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
An empty file has a fine checksum and proves nothing: it is the easiest way past a guard that only
asks whether the file exists. What a stage `produces` holds something. An empty file that is meant (an
`__init__.py` among the code) stays out of the handoff: `orch handoff create` leaves it out by itself
where there is other evidence of the same name.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: '', docs/strategies/sma.md: about}
- handoff: {}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let Payload::Handoff(handoff) = &step.record.payload else { return Vec::new() };
    let Some(stage) = step.stage(&handoff.stage) else { return Vec::new() };
    let mut objections = Vec::new();
    for (index, artifact) in handoff.artifacts.iter().enumerate() {
        let empty = matches!(world.fact(step, &artifact.path), Fact::File { size: 0, .. });
        if empty && stage.produces.contains_key(&artifact.name) {
            let message = format!("`{}` is empty", artifact.path);
            let help = format!(
                "do the work, then hand off again with `orch handoff create {}`",
                handoff.task_id
            );
            let place = step.field(&format!("artifacts.{index}.path"));
            objections.push(Objection::new(place, message, help));
        }
    }
    objections
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn handoff(files: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{{files}}}
- handoff: {{}}
"
        ))
    }

    /// Attack 84: the digest of the empty file.
    #[test]
    fn an_empty_file_is_underlined() {
        let findings = handoff("strategies/sma.py: code, docs/strategies/sma.md: ''");
        findings.expect(&["artifact-empty"]);
        assert_eq!(findings.underlined(0), "docs/strategies/sma.md");
    }

    /// Optional evidence proves as little when it is empty.
    #[test]
    fn optional_evidence_too() {
        handoff(
            "strategies/sma.py: code, docs/strategies/sma.md: about, \
             docs/strategies/hypotheses/sma.md: ''",
        )
        .expect(&["artifact-empty"]);
    }

    /// Attack 51: a pointer to an empty file in Git LFS is an empty file.
    #[test]
    fn a_pointer_to_nothing_is_nothing() {
        let empty = crate::source::Digest::of(b"").hex();
        let pointer = |size: u32| {
            format!(
                "\"version https://git-lfs.github.com/spec/v1\\noid sha256:{empty}\\nsize {size}\\n\""
            )
        };
        let findings =
            handoff(&format!("strategies/sma.py: {}, docs/strategies/sma.md: x", pointer(0)));
        assert_eq!(findings.of("artifact-empty").len(), 1);
        let findings =
            handoff(&format!("strategies/sma.py: {}, docs/strategies/sma.md: x", pointer(9)));
        assert!(findings.of("artifact-empty").is_empty());
    }

    #[test]
    fn one_byte_is_something() {
        handoff("strategies/sma.py: c, docs/strategies/sma.md: a").expect(&[]);
    }
}
