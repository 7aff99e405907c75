//! A changed file belongs to the lane of a run on this branch.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::belongs_to_orch;
use crate::snapshot::Change;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "lane-violation",
    group: Group::Lanes,
    title: "A changed file belongs to the lane of a run on this branch",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachChange(run),
};

const EXPLAIN: &str = "\
A lane is a part of the tree that its agents own, so that two agents never work on one file
(R001-4). A branch may change the files of the lanes whose stages run on it, and the shared paths.
A rename counts as both of its paths.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {deploy/live/config.json: '{}'}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: code, README.md: about}
```
";

fn run(world: &World, change: &Change) -> Vec<Objection> {
    let path = &change.path;
    if belongs_to_orch(path) || world.policy.is_shared(path) {
        return Vec::new();
    }
    let owners = world.policy.lanes_of(path);
    let runs = world.runs_here();
    if owners.is_empty() || owners.iter().any(|lane| runs.iter().any(|run| run.lane == *lane)) {
        return Vec::new();
    }
    let owner = owners[0];
    let here: Vec<String> =
        runs.iter().map(|run| format!("{} in lane {}", run.agent, run.lane)).collect();
    let here = if here.is_empty() { "no run at all".into() } else { here.join(", ") };
    let message = format!("`{path}` belongs to lane {owner}, and this branch has {here}");
    let help =
        format!("leave it to lane {owner}: `git restore --staged {path}`, or start a run there");
    vec![Objection::new(Place::file(path.clone()), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 30: a rename out of a foreign lane is seen at its source.
    #[test]
    fn a_rename_counts_as_both_of_its_paths() {
        story(
            "
- done: {until: strategy}
- write: {deploy/x.py: code}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- rename: {deploy/x.py: strategies/x.py}
",
        )
        .expect(&["lane-violation"]);
    }
}
