//! A ledger goes on from where it stands, not beside it.
//!
//! From R001-11.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::{Home, Record};
use crate::snapshot::Occasion;
use crate::source::RepoPath;
use crate::world::{LedgerView, World};

pub(super) static CHECK: Check = Check {
    name: "chain-forked",
    group: Group::Records,
    title: "A ledger goes on from where it stands, not beside it",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
Two branches that continue one task both write its next entry, and only one of them can be it. The
one that lands second is refused here, though Git sees no conflict. Merge what landed; where the
merge stops, `orch task rebase TASK` puts your own entries behind it, and they are judged anew.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- meanwhile:
    - block: {reason: waiting for data}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- meanwhile:
    - task: {task_id: strat-002}
```
";

fn run(world: &World) -> Vec<Objection> {
    let forks = world.ledgers.values().filter(|ledger| ledger.home != Home::Decision);
    forks.filter_map(|ledger| fork(world, ledger)).collect()
}

fn fork(world: &World, ledger: &LedgerView) -> Option<Objection> {
    let (ours, theirs) = parting(world, ledger)?;
    let id = ledger.home.id()?;
    let names = [theirs.file_name(), ours.repo_path().file_name()];
    let message = format!("`{id}` went on with `{}`, and here with `{}`", names[0], names[1]);
    let help =
        format!("merge what landed; then `orch task rebase {id}` puts your own entries behind it");
    let place = Place::at(ours.repo_path().clone(), ours.envelope_field("sequence"));
    let mut objection = Objection::new(place, message, help);
    if *ours.repo_path() != theirs {
        objection = objection.related(Place::file(theirs), "this is the entry of that number");
    }
    Some(match &ledger.home {
        Home::Task(task) => objection.task(task),
        _ => objection,
    })
}

/// Gives our entry and theirs where the ways part: the proposal lacks an entry that is agreed, or
/// holds two of one number.
fn parting<'w>(world: &World, ledger: &'w LedgerView) -> Option<(&'w Record, RepoPath)> {
    // In a merge, HEAD's own entries may have been put behind those that are merged.
    if let (Some(theirs), true) = (&ledger.fork, world.occasion != Occasion::Merge) {
        let ours = ledger.records.get(ledger.agreed)?;
        return Some((ours, theirs.clone()));
    }
    let (index, ours) = ledger.new_entries().find(|(index, record)| {
        *index > 0 && ledger.records[index - 1].sequence() == record.sequence()
    })?;
    Some((ours, ledger.records[index - 1].repo_path().clone()))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 109: of two that continue one task at once, the second is refused.
    #[test]
    fn the_same_number_twice_in_two_branches() {
        let findings = story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- meanwhile:
    - wait: 1h
    - run: {}
",
        );
        assert_eq!(findings.of("chain-forked").len(), 1);
    }

    /// Attack 72: both are there, as Git merges them, under two names.
    #[test]
    fn the_same_number_twice_in_one_folder() {
        for kind in ["assignment: {agent: ml_engineer, reason: person}", "unblock: {reason: go}"] {
            let findings = story(&format!(
                "
- done: {{until: strategy}}
- block: {{reason: wait}}
- propose: orch/x
- {kind}
- meanwhile:
    - update: {{title: Another}}
- write: {{notes.md: x}}
"
            ));
            assert_eq!(findings.of("chain-forked").len(), 1, "{kind}");
        }
        let both = story(
            "
- done: {until: strategy}
- propose: orch/x
- block: {reason: wait}
- rename: {.orch/tasks/2026-11/strat-001/0002-block.yaml: kept.yaml}
- pause: {cause: person, reason: wait}
- rename: {kept.yaml: .orch/tasks/2026-11/strat-001/0002-block.yaml}
",
        );
        both.expect(&["chain-forked"]);
        assert_eq!(both.underlined(0), "2");
    }

    /// A branch that is merely behind adds nothing, and is no fork.
    #[test]
    fn being_behind_is_no_fork() {
        story(
            "
- done: {until: strategy}
- propose: orch/x
- task: {task_id: strat-002}
- meanwhile:
    - block: {reason: wait}
",
        )
        .expect(&[]);
    }
}
