//! Lists of tasks, for opening many at once: YAML or JSON (`tasks: […]`, or the list alone), and the
//! tables of a Markdown document (the task queue of R002).

mod listed;
mod prerequisites;
mod status;
mod table;

use std::collections::BTreeMap;

pub use status::Status;

use super::{json, markdown, problem};
use crate::record::Problem;
use crate::record::kind::Priority;
use crate::source::{AgentName, Position, Span, TaskId, WorkflowName};

/// A task as a list tells of it. What the list does not say is left to the command that opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The new task's id.
    pub task_id: TaskId,
    /// What it is about.
    pub title: String,
    /// The workflow that it travels through.
    pub workflow: Option<WorkflowName>,
    /// Who shall do it.
    pub assigned_to: Option<AgentName>,
    /// How urgent it is.
    pub priority: Option<Priority>,
    /// What must be done first; these need not be in the list.
    pub depends_on: Vec<TaskId>,
    /// Globs of the files it is about.
    pub scope: Vec<String>,
    /// The phase of a larger plan. A heading such as `### Phase 1: Discovery (Parallel)` above a
    /// table without such a column gives `phase-1-discovery`.
    pub phase: Option<String>,
    /// The week of a larger plan.
    pub week: Option<u32>,
    /// How long it may take, in words.
    pub estimate: Option<String>,
    /// What must be true at the end.
    pub success_criteria: Vec<String>,
    /// The day it is due, `YYYY-MM-DD`.
    pub deadline: Option<String>,
    /// How far it got.
    pub status: Status,
    /// The line it stands in, from 1.
    pub line: usize,
}

/// Reads a list of tasks, told by its content: text with a table that has a column `Task ID` is
/// Markdown, everything else YAML or JSON. Refuses an id that stands in it twice.
pub fn read(bytes: &[u8]) -> Result<Vec<Listed>, Vec<Problem>> {
    let plain = json::Plain::of(bytes);
    read_plain(plain.bytes()).map_err(|found| plain.restored(found))
}

fn read_plain(bytes: &[u8]) -> Result<Vec<Listed>, Vec<Problem>> {
    let text = markdown::text_of(bytes)?;
    let tables = table::of_tasks(text);
    let listed = match tables.is_empty() {
        true => listed::read(bytes).map_err(|problems| without_table(text).unwrap_or(problems))?,
        false => table::read(text, &tables)?,
    };
    let doubles = doubles(text, &listed);
    if !doubles.is_empty() {
        return Err(doubles);
    }
    Ok(listed.into_iter().map(|(task, _)| task).collect())
}

/// Says of a document with tables that none of them lists tasks: it was never meant to be YAML.
fn without_table(text: &str) -> Option<Vec<Problem>> {
    let at = text.lines().find(|line| line.starts_with('|'))?;
    let start = text.find(at)?;
    let help = "give the table a header with the columns Priority, Task ID, Description, Assigned \
                To, Prerequisites and Status, and a line of `|---|` below it";
    let span = Span::new(start, start + at.len());
    Some(vec![problem(span, "no table here has a column `Task ID`", help)])
}

/// Ids are unique without regard to case, as in the ledgers.
fn doubles(text: &str, listed: &[(Listed, Span)]) -> Vec<Problem> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let mut problems = Vec::new();
    for (task, span) in listed {
        let line = Position::of(text, span.start).line;
        if let Some(first) = seen.insert(task.task_id.as_str().to_lowercase(), line) {
            let message = format!("`{}` stands in line {first} and in line {line}", task.task_id);
            problems.push(problem(*span, message, "give one of the two an id of its own"));
        }
    }
    problems
}

/// Reads a priority: a word in any case, `P0` to `P3`, with or without an emoji. None if it says
/// nothing; the words that are known if it can't be read.
fn priority(text: &str) -> Result<Option<Priority>, String> {
    let words: Vec<String> = text
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let colour = ["🔴", "🟠", "🟡", "🟢", "🔥"].iter().find(|colour| text.contains(**colour));
    match (words.as_slice(), colour) {
        (["emergency" | "urgent"], _) | ([], Some(&"🔥")) => Ok(Some(Priority::Emergency)),
        (["critical" | "p0" | "blocker"], _) | ([], Some(&"🔴")) => Ok(Some(Priority::Critical)),
        (["high" | "p1"], _) | ([], Some(&"🟠")) => Ok(Some(Priority::High)),
        (["normal" | "medium" | "p2"], _) | ([], Some(&"🟡")) => Ok(Some(Priority::Normal)),
        (["low" | "p3"], _) | ([], Some(&"🟢")) => Ok(Some(Priority::Low)),
        ([], None) if text.trim().chars().all(|c| matches!(c, '-' | '–' | '—')) => Ok(None),
        _ => Err("write emergency, critical, high, normal or low, or P0 to P3".into()),
    }
}

#[cfg(test)]
mod tests;
