//! A record lies where its content says.
//!
//! From R000-31.

use super::record_invalid::unreadable;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "record-misplaced",
    group: Group::Records,
    title: "A record lies where its content says",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
The name of a record's file is part of what it says: a task's entry is
`.orch/tasks/YYYY-MM/TASK/NNNN-KIND.yaml`, in the month in which the task was opened (UTC), and an
id is used once over all months. Another task, kind or number in the file than in its name, a file
of another kind, or another spelling of `.orch` is refused. Commands of `orch` choose the right
place by themselves.

```yaml bad
- propose: orch/open-tasks
- task: {entry: {recorded_at: 2026-10-31T23:59:59Z}}
```

```yaml good
- propose: orch/open-tasks
- task: {entry: {recorded_at: 2026-11-01T00:00:00Z}}
```
";

fn run(world: &World) -> Vec<Objection> {
    let mut objections = unreadable(world, CHECK.name);
    objections.extend(world.steps().filter_map(|step| wrong_month(&step)));
    objections.extend(world.steps().filter_map(|step| wrong_id(&step)));
    objections
}

fn wrong_month(step: &Step<'_>) -> Option<Objection> {
    let (Payload::Task(task), Some(folder)) = (&step.record.payload, &step.record.path.month)
    else {
        return None;
    };
    let month = step.record.entry.recorded_at.month();
    if step.record.sequence() != 1 || month == *folder {
        return None;
    }
    let message = format!("this was recorded in {month}, but lies in the folder of {folder}");
    let help = format!("open the task with `orch task open {}`", task.task_id);
    Some(Objection::new(step.envelope("recorded_at"), message, help).task(&task.task_id))
}

fn wrong_id(step: &Step<'_>) -> Option<Objection> {
    let Payload::Decision(decision) = &step.record.payload else { return None };
    let path = step.record.repo_path();
    let stem = path.file_name().to_string();
    let stem = stem.trim_end_matches(".yaml");
    if stem == decision.id {
        return None;
    }
    let message = format!("the id is `{}`, but the file's name says `{stem}`", decision.id);
    Some(Objection::new(step.field("id"), message, "record decisions with `orch decide`"))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    /// Attack 37: another spelling of the folder is not outside of it.
    #[test]
    fn no_other_spelling_of_the_folder_and_no_other_file_in_it() {
        for path in [
            ".Orch/policy.yaml",
            ".orch/notes.md",
            "\".orch\\u200b/policy.yaml\"",
            ".orch/tasks/strat-009/0001-task.yaml",
            ".orch/tasks/2026-11/strat-001/0002-block.yaml.txt",
            "\".orch/decisions/2026-11-21-a\\u200b.yaml\"",
        ] {
            let written = format!("- write: {{{path}: 'a: 1'}}\n");
            story(&format!("- task: {{}}\n- propose: orch/x\n{written}"))
                .expect(&["record-misplaced"]);
            story(&format!("- task: {{}}\n{written}- occasion: verification\n"))
                .expect(&["record-misplaced"]);
        }
    }

    /// A file that should never have landed can be cleaned away again.
    #[test]
    fn what_is_no_record_may_be_deleted() {
        story("- write: {.orch/notes.md: x}\n- propose: orch/x\n- remove: {.orch/notes.md: ~}\n")
            .expect(&[]);
        let path = ".orch/tasks/2026-11/strat-001/notes.txt";
        story(&format!("- write: {{{path}: x}}\n- propose: orch/x\n- remove: {{{path}: ~}}\n"))
            .expect(&[]);
    }

    #[test]
    fn the_content_must_say_what_the_name_says() {
        let findings = story(
            "
- task: {}
- propose: orch/x
- write:
    .orch/tasks/2026-11/strat-001/0002-block.yaml: |
      pause: {cause: person, reason: wait}
      entry: {sequence: 2, recorded_at: '2026-11-21T10:01:00Z', actor: orchestrator}
",
        );
        findings.expect(&["record-misplaced"]);
        assert_eq!(findings.underlined(0), "pause");
    }

    #[test]
    fn a_decision_has_the_id_of_its_file() {
        let decision = |id: &str| {
            let text = format!(
                "
- propose: orch/x
- write:
    .orch/decisions/2026-11-21-choice.yaml: |
      decision:
        id: {id}
        title: A choice
        status: accepted
        date: 2026-11-21
        decision_makers: [founder]
        context: there were two ways
        outcome: the first
      entry: {{recorded_at: '2026-11-21T10:00:00Z', actor: founder}}
"
            );
            story(&text)
        };
        decision("2026-11-21-choice").expect(&[]);
        let findings = decision("2026-11-21-other");
        findings.expect(&["record-misplaced"]);
        assert_eq!(findings.underlined(0), "2026-11-21-other");
    }
}
