//! A changed file belongs to the lane of a run on this branch.
//!
//! From R001-4.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::snapshot::{Change, Occasion, Side};
use crate::source::RepoPath;
use crate::world::{Live, World};

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
A lane is a part of the tree that its agents own, so that two agents never work on one file. A
branch may change the files of the lanes whose stages run on it, and the shared paths. A rename
counts as both of its paths.

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
    if world.is_free(path) {
        return Vec::new();
    }
    let owners = world.policy.lanes_of(path);
    let Some(owner) = owners.first() else { return Vec::new() };
    if owners.iter().any(|lane| world.works_here(lane)) || is_sealed(world, path) {
        return Vec::new();
    }
    let here = runs_in_words(world);
    let message = format!("`{path}` belongs to lane {owner}, and this branch has {here}");
    let help =
        format!("leave it to lane {owner}: {}; or start a run there", taken_back(world, path));
    vec![Objection::new(Place::file(path.clone()), message, help)]
}

/// Gives the commands that take a change of a file back: out of the index, or out of the commits of a branch. A commit
/// on top of those that put it back would be a change of the file, too.
pub(super) fn taken_back(world: &World, path: &RepoPath) -> String {
    let typed = path.in_shell();
    match (world.occasion, world.base) {
        (Occasion::Range, Side::Commit(base)) => format!(
            "`git reset --soft {base:.12} && git restore --staged --worktree {typed}`, and commit the rest anew"
        ),
        _ => format!("`git restore --staged {typed}`"),
    }
}

/// Of a file that someone was handed, `handoff-stale` speaks; and whoever puts it back as it was
/// sealed takes nothing from anyone.
pub(super) fn is_sealed(world: &World, path: &RepoPath) -> bool {
    let sealed = |live: &Live| live.artifact.path == *path;
    world.survey.live.iter().any(sealed) && world.relied_on().iter().any(sealed)
}

/// Where the branch is not known, every open task may have a run here, so the list has an end.
fn runs_in_words(world: &World) -> String {
    let mut runs: Vec<String> = Vec::new();
    for run in world.runs_here() {
        let words = format!("{} in lane {}", run.agent, run.lane);
        if !runs.contains(&words) {
            runs.push(words);
        }
        if runs.len() > 3 {
            return format!("{} and others", runs[..3].join(", "));
        }
    }
    if runs.is_empty() { "no active run".into() } else { runs.join(", ") }
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

    /// A run counts on its own branch; on the protected branch, wherever it was begun.
    #[test]
    fn an_active_run_counts_where_its_work_arrives() {
        let arrives_on = |branch: &str| {
            story(&format!(
                "
- done: {{until: strategy}}
- on: feature/strat-001-strategy
- run: {{}}
- propose: {branch}
- occasion: range
- write: {{strategies/sma.py: code}}
"
            ))
        };
        arrives_on("feature/strat-001-strategy").expect(&[]);
        arrives_on("feature/strat-002-strategy").expect(&["lane-violation"]);
        arrives_on("main").expect(&[]);
    }

    /// A sealed file that was changed past the hook may be put back without a run.
    #[test]
    fn a_sealed_file_may_be_put_back() {
        let until = "- done: {until: backtest}\n- write: {strategies/sma.py: forged}\n";
        let back = "- propose: feature/strat-001-backtest\n- write: {strategies/sma.py: code}\n";
        story(&format!("{until}{back}")).expect(&[]);
        let other = "- propose: feature/strat-001-backtest\n- write: {strategies/sma.py: worse}\n";
        story(&format!("{until}{other}")).expect(&["handoff-stale"]);
        let returned = "- rejection: {handoff: 3, reason: format}\n";
        story(&format!("{until}{other}{returned}")).expect(&["lane-violation"]);
    }
}
