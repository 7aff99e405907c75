//! A record names only files that are in the tree.
//!
//! From R000-33.

use super::checksum_mismatch::sealed;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::world::{Fact, Step, World};

pub(super) static CHECK: Check = Check {
    name: "artifact-missing",
    group: Group::Artifacts,
    title: "A record names only files that are in the tree",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
The next agent gets what Git holds, not what lies on the author's disk. A file that a handoff, an
audit or an approval names must be part of the same change, or be there already; a file that Git
ignores or that was never added is not. Add it, with `git add -f` if it is ignored, and hand off
again.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
- remove: {docs/strategies/sma.md: ~}
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
    let named = sealed(world, step).into_iter();
    let missing = named.filter(|(_, artifact)| *world.fact(step, &artifact.path) == Fact::Missing);
    let objections = missing.map(|(field, artifact)| {
        let path = &artifact.path;
        let message = format!("there is no file at `{path}` in this change");
        let typed = path.in_shell();
        let help = format!("add it with `git add {typed}`, or write this record anew without it");
        Objection::new(step.field(&format!("{field}.path")), message, help)
    });
    objections.collect()
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 47: only Git's tree counts.
    #[test]
    fn the_path_is_underlined() {
        let findings = story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
- remove: {strategies/sma.py: ~}
",
        );
        findings.expect(&["artifact-missing"]);
        assert_eq!(findings.underlined(0), "strategies/sma.py");
    }

    #[test]
    fn a_folder_is_no_file() {
        let digest = format!("sha256:{}", "0".repeat(64));
        let findings = story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{strategies/sma.py: code, docs/strategies/sma.md: about}}
- handoff:
    artifacts: [{{name: strategy_code, path: strategies, checksum: '{digest}'}}]
"
        ));
        assert_eq!(findings.of("artifact-missing").len(), 1);
    }

    #[test]
    fn what_an_audit_or_an_approval_covers_is_there_too() {
        let findings = story(
            "
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {}
- remove: {research/reports/sma.json: ~}
",
        );
        assert_eq!(findings.of("artifact-missing").len(), 1);
        let findings = story(
            "
- done: {until: deploy_live}
- propose: orch/approve
- approval: {stage: deploy_live}
- remove: {deploy/paper/sma.json: ~}
",
        );
        assert_eq!(findings.of("artifact-missing").len(), 1);
    }
}
