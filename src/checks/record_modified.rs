//! What has landed stays as it landed.

use std::collections::BTreeSet;

use super::policy_change_undecided::is_decided;
use super::record_invalid::task_of;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::snapshot::{Change, Mode, Occasion};
use crate::source::RepoPath;
use crate::world::{Erased, Rewritten, World, touches_landed};

pub(super) static CHECK: Check = Check {
    name: "record-modified",
    group: Group::Records,
    title: "What has landed stays as it landed",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A record is evidence, and its bytes are what the next entry's `previous` seals. Once it is agreed,
it is never edited, reformatted, renamed or deleted. What turned out wrong is said in a new entry:
an `update`, a `rejection`, a `failure_response`, a `close`. To take merged work back, keep `.orch/`
as it is and reject the handoff; Git's own `revert` would erase that it ever happened. This holds in
every commit against each of its parents, so that no merge loses a record and none comes and goes on a
branch; `orch verify` walks the whole history for it. `orch task rebase` may move entries of one parent
behind those of another. Only what nobody could read when it landed may be mended, by a person's
decision: `orch decide --changes PATH`.

```yaml bad
- done: {until: backtest}
- propose: orch/tidy
- edit: {.orch/tasks/2026-11/strat-001/0001-task.yaml: [A strategy, The strategy]}
```

```yaml good
- done: {until: backtest}
- propose: orch/tidy
- update: {title: The strategy}
```
";

fn run(world: &World) -> Vec<Objection> {
    let landed = world
        .changes
        .iter()
        .filter(|change| touches_landed(change) && !world.moved.contains(&change.path));
    let mut objections = Vec::new();
    let mut told = BTreeSet::new();
    for change in landed {
        if let Some(objection) = of_landed(world, change) {
            told.insert(&change.path);
            objections.push(objection);
        }
    }
    // What the ends of a range show needs no second word about the commit in between that did it.
    let erased = world.erased.iter().filter(|erased| !told.contains(&erased.path));
    objections.extend(erased.map(|erased| of_erased(world, erased)));
    objections.extend(world.rewritten.as_ref().map(of_rewritten));
    objections
}

/// A record counts from the commit that brings it, not from the merge that lands it: what a later
/// commit of the same branch could take back, such as a failure or a halt, would prove nothing.
fn of_erased(world: &World, erased: &Erased) -> Objection {
    let Erased { path, commit, parent, dropped } = erased;
    let verb = if *dropped { "drops" } else { "edits" };
    let message =
        format!("commit {commit:.10} {verb} `{path}`, which its parent {parent:.10} has on record");
    let help = match world.occasion {
        Occasion::Verification => format!(
            "see what happened: `git log --full-history -- {path}` and `git show {commit:.10}`; bring \
             the record back: `git checkout {parent:.10} -- {path}`; what comes behind a commit that \
             is known to be sound again is verified by `orch verify --anchor COMMIT`"
        ),
        _ => format!(
            "see what happened: `git log --full-history -- {path}` and `git show {commit:.10}`; leave \
             that commit out of the branch: `git rebase --onto {parent:.10} {commit:.10}`; say what \
             changed in a new record"
        ),
    };
    let objection = Objection::new(Place::file(path.clone()), message, help);
    task_of(path).iter().fold(objection, Objection::task)
}

/// A history that no longer leads to what had landed may lack anything (attack 67).
fn of_rewritten(rewritten: &Rewritten) -> Objection {
    let Rewritten { anchor, head } = rewritten;
    let message = format!(
        "{head:.10} does not descend from {anchor:.10}, which had landed: its history was rewritten"
    );
    let help = format!(
        "see what differs: `git diff --stat {anchor:.10} {head:.10} -- .orch`; put the new work behind \
         what had landed: `git rebase {anchor:.10}`"
    );
    Objection::new(Place::file(RepoPath::from(".orch")), message, help)
}

fn of_landed(world: &World, change: &Change) -> Option<Objection> {
    let path = &change.path;
    if world.unreadable_landed.contains(path) {
        return mended(world, change);
    }
    let happened = match change.new {
        None => "deleted or renamed",
        Some(node) if node.mode != Mode::File => "made a link or a program",
        Some(_) => "edited",
    };
    let from = world.source();
    let task = task_of(path);
    let instead = match &task {
        Some(task) => {
            format!("say what changed in a new entry; `orch handoff reject {task}` takes work back")
        }
        None => "say what changed in a new record".into(),
    };
    let message = format!("`{path}` was {happened} after it had landed");
    let help = format!("`git restore {from}--staged --worktree {path}`, and {instead}");
    let objection = Objection::new(Place::file(path.clone()), message, help);
    Some(task.iter().fold(objection, Objection::task))
}

/// A record that nobody could read when it landed, past every guard, proves nothing, and may freeze
/// everything: it may be mended or go, by a person's decision that names what it then is.
fn mended(world: &World, change: &Change) -> Option<Objection> {
    if is_decided(world, change) {
        return None;
    }
    let path = &change.path;
    let message =
        format!("`{path}` had landed unreadable, and changes without a person's decision");
    let help = format!(
        "a person decides, in the same commit: `orch decide --title T --context C --decision D \
         --changes {path}`"
    );
    Some(Objection::new(Place::file(path.clone()), message, help))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const LEDGER: &str = ".orch/tasks/2026-11/strat-001";

    fn after(deed: &str) -> crate::testing::Findings {
        let deed = deed.replace("LEDGER", LEDGER);
        story(&format!("- done: {{until: backtest}}\n- propose: orch/tidy\n{deed}\n"))
    }

    /// Attack 81, and Git's own `revert` of a merged change.
    #[test]
    fn deleting_the_last_or_any_other_entry() {
        after("- remove: {LEDGER/0004-gate.yaml: ~}").expect(&["record-modified"]);
        after("- remove: {LEDGER/0002-run.yaml: ~}").expect(&["record-modified"]);
        after("- remove: {LEDGER/0001-task.yaml: ~}").expect(&["record-modified"]);
    }

    /// Attack 31: a rename is a deletion, whatever it is renamed to.
    #[test]
    fn renaming() {
        let findings = after("- rename: {LEDGER/0004-gate.yaml: docs/old.yaml}");
        assert_eq!(findings.of("record-modified").len(), 1);
        after("- rename: {LEDGER/0004-gate.yaml: LEDGER/0009-gate.yaml}")
            .expect(&["record-misplaced", "record-modified"]);
    }

    /// Attack 82: not even white space.
    #[test]
    fn reformatting() {
        after("- edit: {LEDGER/0001-task.yaml: ['title: ', 'title:  ']}")
            .expect(&["record-modified"]);
    }

    /// Attack 80: the artifact and its checksum changed together.
    #[test]
    fn a_checksum_that_follows_its_artifact() {
        let findings = after(
            "- write: {strategies/sma.py: worse}
- edit: {LEDGER/0003-handoff.yaml: ['checksum: sha256:', 'checksum: sha256:0']}",
        );
        assert_eq!(findings.of("record-modified").len(), 1);
    }

    #[test]
    fn a_link_in_its_place() {
        after("- link: {LEDGER/0001-task.yaml: ../elsewhere.yaml}").expect(&["record-modified"]);
    }

    /// What stands behind an edited entry is judged by what was agreed, not by the edit.
    #[test]
    fn nothing_is_gained_by_the_edit() {
        let findings = story(&format!(
            "
- done: {{until: backtest}}
- propose: feature/strat-001-backtest
- run: {{stage: backtest}}
- edit: {{{LEDGER}/0001-task.yaml: [new_strategy, data_refresh]}}
"
        ));
        findings.expect(&["record-modified"]);
    }

    /// What nobody could read is mended by a person's decision, and by nothing less.
    #[test]
    fn what_was_unreadable_may_be_mended() {
        let bad = ".orch/halts/bad/0001-halt.yaml";
        let landed = format!("- write: {{{bad}: 'halt: [1'}}\n- propose: orch/mend\n");
        let mended = format!(
            "- write:
    {bad}: |
      halt: {{topic: risk.kill_switch, scope: all, reason: Drawdown, until: '2026-11-21T12:00:00Z'}}
      entry: {{sequence: 1, recorded_at: '2026-11-21T09:00:00Z', actor: founder}}\n"
        );
        let decided = format!("- decision: {{changes: [{bad}]}}\n");
        story(&format!("{landed}{mended}")).expect(&["record-modified"]);
        story(&format!("{landed}{mended}{decided}")).expect(&[]);
        story(&format!("{landed}- remove: {{{bad}: ~}}\n{decided}")).expect(&[]);
        let worse = format!("- write: {{{bad}: 'halt: [2'}}\n");
        story(&format!("{landed}{worse}{decided}")).expect(&["record-invalid"]);
    }

    #[test]
    fn decisions_too() {
        let decision = "
- write:
    .orch/decisions/2026-11-21-choice.yaml: |
      decision:
        id: 2026-11-21-choice
        title: A choice
        status: accepted
        date: 2026-11-21
        decision_makers: [founder]
        context: there were two ways
        outcome: the first
      entry: {recorded_at: '2026-11-21T10:00:00Z', actor: founder}
- propose: orch/x
- edit: {.orch/decisions/2026-11-21-choice.yaml: [the first, the second]}
";
        story(decision).expect(&["record-modified"]);
    }
}
