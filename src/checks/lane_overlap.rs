//! A changed file belongs to one lane, not to several.
//!
//! From R001-4.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::snapshot::Change;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "lane-overlap",
    group: Group::Lanes,
    title: "A changed file belongs to one lane, not to several",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachChange(run),
};

const EXPLAIN: &str = "\
Lanes keep two agents from working on one file. Where the globs of two lanes meet, both could, and
neither would be told. Narrow the `owns` of one of them in the policy, or list the file in
`shared_paths` if anyone may change it.

```yaml bad
- policy: ['\"docs/strategies/**\"', '\"docs/strategies/**\", \"research/reports/*.md\"']
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
- write: {research/reports/sma.md: two lanes own this}
```

```yaml good
- policy: ['\"docs/strategies/**\"', '\"docs/strategies/**\", \"research/notes/*.md\"']
- done: {until: backtest}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
- write: {research/reports/sma.md: one lane owns this}
```
";

fn run(world: &World, change: &Change) -> Vec<Objection> {
    let path = &change.path;
    if world.is_free(path) {
        return Vec::new();
    }
    let owners = world.policy.lanes_of(path);
    if owners.len() < 2 {
        return Vec::new();
    }
    let owners: Vec<String> = owners.iter().map(|lane| format!("`{lane}`")).collect();
    let message = format!("the lanes {} all own `{path}`", owners.join(" and "));
    vec![Objection::new(Place::file(path.clone()), message, HELP)]
}

const HELP: &str = "narrow the `owns` of one of them in .orch/policy.yaml, on a branch `orch/lanes` \
                    with `orch decide --changes .orch/policy.yaml`";

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// A file that anyone may change has no owner to quarrel with.
    #[test]
    fn a_shared_path_does_not_overlap() {
        story(
            r#"
- policy: ['"docs/strategies/**"', '"docs/strategies/**", "*.md"']
- policy: ['owns: ["audits/**"]', 'owns: ["audits/**", "*.md"]']
- done: {until: strategy}
- propose: feature/strat-001-strategy
- write: {README.md: about}
"#,
        )
        .expect(&[]);
    }

    /// Whoever runs here, the overlap is told, once.
    #[test]
    fn both_lanes_are_named() {
        let findings = story(
            r#"
- policy: ['"docs/strategies/**"', '"docs/strategies/**", "audits/**"']
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {audits/sma.md: mine}
"#,
        );
        findings.expect(&["lane-overlap"]);
        assert!(findings.report.findings[0].message.contains("`B` and `D`"));
    }
}
