//! A changed file has an owner.
//!
//! From R001-4.

use super::policy_change_undecided::is_decided;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::snapshot::Change;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "path-unowned",
    group: Group::Lanes,
    title: "A changed file has an owner",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachChange(run),
};

const EXPLAIN: &str = "\
What no lane owns, nobody is answerable for. A new or changed file must lie in a lane, or in
`shared_paths` if anyone may change it. Removing such a file is fine. A file that guards the others
(`guarded`), such as a workflow of CI or a hook, needs no lane: it changes with a person's decision
that names it, `orch decide --changes PATH`.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {infrastructure/main.tf: nobody's}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/main.py: 'the developer''s'}
```

```yaml good
- propose: orch/check-in-ci
- write: {.github/workflows/orch.yml: 'on: pull_request'}
- decision: {changes: [.github/workflows/orch.yml]}
```
";

fn run(world: &World, change: &Change) -> Vec<Objection> {
    let path = &change.path;
    let owned = || !world.policy.lanes_of(path).is_empty();
    if change.new.is_none() || world.is_free(path) || owned() || is_decided(world, change) {
        return Vec::new();
    }
    let message = format!("no lane owns `{path}`");
    vec![Objection::new(Place::file(path.clone()), message, HELP)]
}

const HELP: &str = "move it into a lane, or give it one in .orch/policy.yaml, on a branch \
                    `orch/lanes` with `orch decide --changes .orch/policy.yaml`";

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 25: a path without a rule is refused by default, and may go.
    #[test]
    fn removing_what_nobody_owns_is_fine() {
        story(
            "
- write: {old.txt: nobody's, Makefile: nobody's}
- propose: feature/strat-001-strategy
- remove: {old.txt: ~}
",
        )
        .expect(&[]);
        story(
            "
- write: {old.txt: nobody's}
- propose: feature/strat-001-strategy
- write: {old.txt: still nobody's}
",
        )
        .expect(&["path-unowned"]);
    }

    /// Attack 21: the guard's own workflow is nobody's to change without a person's decision,
    /// which holds for the bytes that it names.
    #[test]
    fn what_guards_the_others_changes_by_decision() {
        story(
            "
- write: {Jenkinsfile: guard}
- propose: feature/strat-001-strategy
- write: {Jenkinsfile: sleep}
- decision: {changes: [Jenkinsfile], entry: {actor: strategy_developer}}
",
        )
        .expect(&["path-unowned"]);
        story(
            "
- propose: orch/check-in-ci
- write: {Jenkinsfile: guard}
- decision: {changes: [Jenkinsfile]}
- write: {Jenkinsfile: sleep}
",
        )
        .expect(&["path-unowned", "policy-change-undecided"]);
    }
}
