//! No record holds what a merge left undecided.

use super::record_invalid::unreadable;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "conflict-markers",
    group: Group::Records,
    title: "No record holds what a merge left undecided",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
Records of different tasks never conflict. If Git reports a conflict in one, two branches wrote the
same entry of one ledger. Keep the file that landed as it is, and put your own entries behind it
with `orch task rebase TASK`: nothing has to be merged by hand.

```yaml bad
- propose: orch/open-tasks
- write:
    .orch/tasks/2026-11/strat-001/0001-task.yaml: |
      task:
        task_id: strat-001
      <<<<<<< HEAD
        title: A strategy
      =======
        title: Another strategy
      >>>>>>> theirs
```

```yaml good
- propose: orch/open-tasks
- task: {}
```
";

fn run(world: &World) -> Vec<Objection> {
    unreadable(world, CHECK.name)
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// In a file that had landed, the edit itself is the offence.
    #[test]
    fn a_landed_file_is_restored_not_mended() {
        story(
            "
- task: {}
- propose: orch/x
- edit:
    .orch/tasks/2026-11/strat-001/0001-task.yaml: [\"task:\", \"<<<<<<< HEAD\\ntask:\"]
",
        )
        .expect(&["record-modified"]);
    }
}
