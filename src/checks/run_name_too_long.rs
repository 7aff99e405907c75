//! A run's branch has a name of at most 63 bytes.
//!
//! From R001-21.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::Severity;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "run-name-too-long",
    group: Group::Branches,
    title: "A run's branch has a name of at most 63 bytes",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::EachStep(run),
};

const EXPLAIN: &str = "\
Kubernetes names and labels end at 63 bytes, and runs are dispatched under the names of their
branches. A longer name would be cut, and two runs could become one. Shorten the task's id or the
slug.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-a-name-which-tells-the-whole-story-of-the-strategy
- run: {stage: strategy}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
```
";

/// The limit of a label's value in Kubernetes, in bytes.
const LONGEST: usize = 63;

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(run) = step.begun() else { return Vec::new() };
    let length = run.branch.as_ref().map_or(0, String::len);
    if length <= LONGEST || step.policy.is_none() {
        return Vec::new();
    }
    let message = format!("this name has {length} bytes, and {LONGEST} are allowed");
    vec![Objection::new(step.field("branch"), message, HELP)]
}

const HELP: &str = "take a shorter name: `git branch -m NAME`, then `orch run start` again";

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 119: 63 bytes pass, 64 do not.
    #[test]
    fn the_limit_is_exact() {
        for (length, checks) in [(63, &[][..]), (64, &["run-name-too-long"][..])] {
            let branch = format!("{:x<length$}", "feature/strat-001-");
            let findings = story(&format!(
                "\n- done: {{until: strategy}}\n- propose: {branch}\n- run: {{}}\n"
            ));
            findings.expect(checks);
        }
    }
}
