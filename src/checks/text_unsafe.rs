//! A reader sees what is there.

use super::record_invalid::unreadable;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::belongs_to_orch;
use crate::snapshot::Change;
use crate::source::path::unprintable;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "text-unsafe",
    group: Group::Records,
    title: "A reader sees what is there",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
Control characters, characters of no width and those that turn the direction of writing make a
record or a path look like another than it is: a terminal would hide a word, or show two names as
one. They stand in no record and in no changed path. Text that needs such a character says it as an
escape in double quotes; a file is renamed with `git mv`.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {\"docs/strategies/sma\\u200b.md\": about}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- write: {docs/strategies/durchläufe.md: about}
```
";

fn run(world: &World) -> Vec<Objection> {
    let mut objections = unreadable(world, CHECK.name);
    objections.extend(world.changes.iter().filter_map(hidden));
    objections
}

/// A path in `.orch/` is held to more than this, by the check of its place.
fn hidden(change: &Change) -> Option<Objection> {
    let path = &change.path;
    change.new.filter(|_| !belongs_to_orch(path))?;
    let text = String::from_utf8_lossy(path.as_bytes());
    let character = text.chars().find(|character| unprintable(*character))?;
    let escape = character.escape_unicode();
    let message = format!("the name of `{path}` holds {escape}, which a reader can't see");
    let help = "rename the file with `git mv`, and keep to visible characters";
    Some(Objection::new(Place::file(path.clone()), message, help))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn written(path: &str) -> crate::testing::Findings {
        story(&format!(
            "
- task: {{}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{\"strategies/{path}\": code}}
"
        ))
    }

    /// Attacks 35 and 39.
    #[test]
    fn no_path_hides_a_character() {
        for path in ["a\\nb.py", "a\\tb.py", "a\\u202eyp.py", "a\\u200cb.py", "a\\x1b[31m.py"] {
            let findings = written(path);
            findings.expect(&["text-unsafe"]);
            assert!(!findings.report.findings[0].message.chars().any(super::unprintable), "{path}");
        }
    }

    /// Attack 34: what can be seen is not refused.
    #[test]
    fn other_scripts_are_welcome() {
        for path in ["ä.py", "戦略.py", "стратегия.py", "a b.py", "-x.py", "a'b.py"] {
            written(path).expect(&[]);
        }
    }

    /// Cleaning such a file away must be possible.
    #[test]
    fn a_hidden_name_may_be_deleted() {
        story(
            "
- task: {}
- write: {\"strategies/a\\u200b.py\": code}
- propose: feature/strat-001-strategy
- run: {}
- remove: {\"strategies/a\\u200b.py\": ~}
",
        )
        .expect(&[]);
    }

    /// Attack 116.
    #[test]
    fn no_record_hides_a_character() {
        let findings = story(
            "
- propose: orch/x
- write:
    .orch/tasks/2026-11/strat-001/0001-task.yaml: \"task: {task_id: strat-001, title: a\\u202eb}\\n\"
",
        );
        findings.expect(&["text-unsafe"]);
        assert_eq!(findings.underlined(0), "\u{202e}");
    }
}
