//! A protected branch takes merges, and entries of those who direct the work.
//!
//! From R001-3.

use std::collections::BTreeSet;

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::{Payload, Record, signed_path, snapshot_of};
use crate::snapshot::Occasion;
use crate::source::RepoPath;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "branch-protected",
    group: Group::Branches,
    title: "A protected branch takes merges, and entries of those who direct the work",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
Work reaches a protected branch by a merge, behind its gate. Straight to it go only the first
policy, and commits that only add entries with which a coordinator or a person directs the work: to
open, assign, ask, gate, approve, pause, block, halt or close, to tell of an incident, and to
decide. What a stage does and hands over stays on the stage's branch. This is asked of a commit
about to be made; what is pushed may be a merge that was fast-forwarded, and is judged for its
content alone.

```yaml bad
- propose: main
- write: {README.md: a small fix}
```

```yaml good
- propose: main
- task: {task_id: strat-002}
```
";

fn run(world: &World) -> Vec<Objection> {
    let protected = world.branch.as_ref().filter(|branch| world.policy.is_protected(branch));
    let Some(branch) = protected.filter(|_| world.occasion == Occasion::Commit) else {
        return Vec::new();
    };
    if world.bootstrap {
        return Vec::new();
    }
    let directing: BTreeSet<&RepoPath> = world
        .steps()
        .filter(|step| directs(step.record) && world.policy.directs(&step.record.entry.actor))
        .map(|step| step.record.repo_path())
        .collect();
    // What can't be read as a record is told by the checks of records.
    let unreadable: BTreeSet<&RepoPath> = world.unreadable.iter().map(|(path, _)| path).collect();
    let other = world.changes.iter().find(|change| {
        let halt = snapshot_of(&change.path).map(|_| change.path.folder().join("0001-halt.yaml"));
        let beside = halt.or_else(|| signed_path(&change.path));
        let directed = directing.contains(beside.as_ref().unwrap_or(&change.path));
        let added = change.old.is_none() && directed;
        !added && !unreadable.contains(&change.path)
    });
    let Some(other) = other else { return Vec::new() };
    let message = format!("`{branch}` takes only merges, and this commit changes `{}`", other.path);
    vec![Objection::new(Place::file(other.path.clone()), message, HELP)]
}

const HELP: &str = "take the change to a branch of its own: `orch run start` makes one, or \
                    `git switch -c orch/NAME` for the policy";

/// Tells whether an entry directs work, rather than does it.
fn directs(record: &Record) -> bool {
    match &record.payload {
        Payload::Task(_)
        | Payload::Update(_)
        | Payload::Assignment(_)
        | Payload::Message(_)
        | Payload::AuditRequest(_)
        | Payload::Gate(_)
        | Payload::Approval(_)
        | Payload::Block(_)
        | Payload::Unblock(_)
        | Payload::Quarantine(_)
        | Payload::Pause(_)
        | Payload::Resume(_)
        | Payload::Escalation(_)
        | Payload::Close(_)
        | Payload::Incident(_)
        | Payload::IncidentStep(_)
        | Payload::Postmortem(_)
        | Payload::Halt(_)
        | Payload::Decision(_) => true,
        Payload::Run(_)
        | Payload::Handoff(_)
        | Payload::Rejection(_)
        | Payload::AuditReport(_)
        | Payload::FailureResponse(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// The coordinator and persons may go straight, workers may not.
    #[test]
    fn only_those_who_direct_go_straight() {
        let opened_by = |actor: &str| {
            story(&format!(
                "\n- propose: main\n- task: {{task_id: strat-002, entry: {{actor: {actor}}}}}\n"
            ))
        };
        opened_by("orchestrator").expect(&[]);
        opened_by("founder").expect(&[]);
        opened_by("strategy_developer").expect(&["branch-protected"]);
    }

    /// One entry does not carry other files along.
    #[test]
    fn a_commit_adds_entries_alone() {
        let findings = story(
            "
- propose: main
- task: {task_id: strat-002}
- write: {README.md: about}
",
        );
        findings.expect(&["branch-protected"]);
        assert_eq!(findings.report.findings[0].place.path, "README.md".into());
    }

    #[test]
    fn a_merge_and_a_push_are_judged_for_content() {
        for occasion in ["merge", "range"] {
            story(&format!(
                "\n- propose: main\n- occasion: {occasion}\n- write: {{README.md: about}}\n"
            ))
            .expect(&[]);
        }
    }
}
