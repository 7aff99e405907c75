//! A list of tasks in YAML or JSON: `tasks: […]`, or the list alone.

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::{Listed, prerequisites, priority, problem, status};
use crate::record::yaml::{self, Node, Value};
use crate::record::{self, Problem};
use crate::source::{AgentName, Position, Span, TaskId, WorkflowName};

/// A task as the list spells it; the columns of a table are names of its fields, too.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Spelled {
    #[serde(alias = "id")]
    task_id: TaskId,
    #[serde(alias = "description")]
    title: String,
    #[serde(default)]
    workflow: Option<WorkflowName>,
    #[serde(default, alias = "agent")]
    assigned_to: Option<AgentName>,
    #[serde(default)]
    priority: Option<String>,
    #[serde(default, alias = "prerequisites")]
    depends_on: Texts,
    #[serde(default)]
    scope: Texts,
    #[serde(default)]
    phase: Option<String>,
    #[serde(default)]
    week: Option<u32>,
    #[serde(default)]
    estimate: Option<String>,
    #[serde(default)]
    success_criteria: Texts,
    #[serde(default)]
    deadline: Option<String>,
    #[serde(default)]
    status: Option<String>,
}

/// One text or several.
#[derive(Debug, Default)]
struct Texts(Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrMore)
    }
}

struct OneOrMore;

impl<'de> Visitor<'de> for OneOrMore {
    type Value = Texts;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts(vec![text.to_owned()]))
    }

    fn visit_unit<E: de::Error>(self) -> Result<Texts, E> {
        Ok(Texts::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element()? {
            texts.push(text);
        }
        Ok(Texts(texts))
    }
}

/// Reads the list; gives each task with the place of its id.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<(Listed, Span)>, Vec<Problem>> {
    let tree = yaml::read(bytes)?;
    let tasks = tree.pair("tasks").map_or(&tree, |pair| &pair.value);
    let other = match &tree.value {
        Value::Map(pairs) => pairs.iter().find(|pair| pair.key != "tasks"),
        _ => None,
    };
    let help = "write `tasks:` with a list below it, or a Markdown table with the columns Priority, \
                Task ID, Description, Assigned To, Prerequisites and Status";
    let Value::List(items) = &tasks.value else {
        return Err(vec![problem(tasks.span, "this holds no list of tasks", help)]);
    };
    if let Some(other) = other {
        let message = format!("`{}` is one key too many", other.key);
        return Err(vec![problem(other.key_span, message, "keep to `tasks:`")]);
    }
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    let mut listed: Vec<(Listed, Span)> = Vec::new();
    let mut problems = Vec::new();
    let mut above = Vec::new();
    for item in items {
        match of(item, text, &above) {
            Ok(task) => {
                above.push(task.task_id.clone());
                let id = item.pair("task_id").or(item.pair("id"));
                listed.push((task, id.map_or(item.span, |pair| pair.value.span)));
            }
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(listed) } else { Err(problems) }
}

fn of(item: &Node, text: &str, above: &[TaskId]) -> Result<Listed, Problem> {
    let spelled: Spelled = record::typed(item)?;
    let place = |fields: [&str; 2]| {
        let pair = fields.into_iter().find_map(|field| item.pair(field));
        pair.map_or(item.span, |pair| pair.value.span)
    };
    let said = spelled.priority.as_deref().unwrap_or_default();
    let urgent = priority(said).map_err(|help| {
        problem(place(["priority", ""]), format!("`{said}` is no priority"), help)
    })?;
    let first = spelled.depends_on.0.join(",");
    let depends_on = prerequisites::read(&first, above).map_err(|reason| {
        let help = "write ids, a range `DISC-001..004`, `All above` or `None`";
        problem(place(["depends_on", "prerequisites"]), reason, help)
    })?;
    let said = spelled.status.as_deref().unwrap_or_default();
    let status = status::read(said).ok_or_else(|| {
        problem(place(["status", ""]), format!("`{said}` is no status"), status::HELP)
    })?;
    Ok(Listed {
        task_id: spelled.task_id,
        title: spelled.title,
        workflow: spelled.workflow,
        assigned_to: spelled.assigned_to,
        priority: urgent,
        depends_on,
        scope: spelled.scope.0,
        phase: spelled.phase,
        week: spelled.week,
        estimate: spelled.estimate,
        success_criteria: spelled.success_criteria.0,
        deadline: spelled.deadline,
        status,
        line: Position::of(text, item.span.start).line,
    })
}
