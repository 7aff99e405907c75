//! A changed file lies in the scope of a task that is worked on here.
//!
//! From R002-37.

use super::lane_violation::{is_sealed, taken_back};
use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::snapshot::Change;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "scope-violation",
    group: Group::Lanes,
    title: "A changed file lies in the scope of a task that is worked on here",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachChange(run),
};

const EXPLAIN: &str = "\
A task may say which files it is about, and plans let tasks run at once whose scopes stay apart.
That holds only if each keeps to its own. What a scope says of a lane narrows that lane; a lane that
it does not mention stays open as a whole, and so does every lane for a task without a scope.

```yaml bad
- task: {scope: ['strategies/sma/**', 'docs/strategies/sma.md']}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/momentum.py: code}
```

```yaml good
- task: {scope: ['strategies/sma/**', 'docs/strategies/sma.md']}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma/sma.py: code}
```
";

fn run(world: &World, change: &Change) -> Vec<Objection> {
    let path = &change.path;
    if world.is_free(path) || is_sealed(world, path) {
        return Vec::new();
    }
    let runs = world.out_of_scope(path);
    let Some(run) = runs.first() else { return Vec::new() };
    let globs = run.scope.iter().map(|glob| format!("`{glob}`")).collect::<Vec<_>>().join(", ");
    let message = format!("`{path}` lies outside of the scope of {}: {globs}", run.task);
    let mut all = run.scope.iter().map(|glob| format!(" --scope '{glob}'")).collect::<String>();
    all.push_str(&format!(" --scope {}", path.in_shell()));
    let help = format!(
        "leave it alone: {}; if the task is about it, a scope that says so \
         lands first: `orch task update {}{all}`",
        taken_back(world, path),
        run.task
    );
    vec![Objection::new(Place::file(path.clone()), message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn written(scope: &str, files: &str) -> crate::testing::Findings {
        story(&format!(
            "
- task: {{scope: [{scope}]}}
- propose: feature/strat-001-strategy
- run: {{stage: strategy}}
- write: {{{files}}}
"
        ))
    }

    /// R002-37: a scope narrows the lanes that it speaks of, and no others.
    #[test]
    fn a_scope_narrows_what_it_speaks_of() {
        written("'strategies/sma/**'", "strategies/sma/a.py: code").expect(&[]);
        written("'strategies/sma/**'", "strategies/b.py: code").expect(&["scope-violation"]);
        written("'deploy/**'", "strategies/b.py: code").expect(&[]);
        written("", "strategies/b.py: code").expect(&[]);
        written("'strategies/sma/**'", "README.md: about").expect(&[]);
    }

    /// Of a file of a foreign lane, one check speaks.
    #[test]
    fn a_foreign_lane_is_not_told_twice() {
        written("'strategies/sma/**'", "deploy/a.json: '{}'").expect(&["lane-violation"]);
    }

    #[test]
    fn a_wider_scope_counts_for_what_follows() {
        story(
            "
- task: {scope: ['strategies/sma/**']}
- update: {scope: ['strategies/sma/**', 'strategies/b.py']}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/b.py: code}
",
        )
        .expect(&[]);
    }
}
