//! The head of a Markdown signal: `**From**`, `**To**`, `**Task**`, `**Status**` (R002-9, R002-10),
//! and `**Stage**`, which may be left out.

use std::str::FromStr;

use super::super::markdown::{Block, Letter, labelled, lines, own_word, place, text};
use super::{filled, problem};
use crate::exchange::Signal;
use crate::record::Problem;
use crate::record::kind::{HandoffStatus, Note};
use crate::source::id::IdFault;
use crate::source::{AgentName, Span, StageName, TaskId};

/// What is read of the head.
#[derive(Default)]
struct Head {
    from: Option<AgentName>,
    to: Option<AgentName>,
    task: Option<TaskId>,
    stage: Option<StageName>,
    status: Option<HandoffStatus>,
    notes: Vec<Note>,
}

/// Reads the blocks below the heading; gives everything that is wrong with them.
pub(super) fn read(heading: Span, blocks: &[Block]) -> Result<Signal, Vec<Problem>> {
    let mut head = Head::default();
    let mut problems = Vec::new();
    for block in blocks {
        for line in lines(&block.words) {
            problems.extend(head.line(line, block.span).err());
        }
    }
    let fields = [
        ("From", "the agent who hands over", head.from.is_some()),
        ("To", "the agent who takes over", head.to.is_some()),
        ("Task", "the task's id", head.task.is_some()),
        ("Status", "COMPLETE, BLOCKED or PARTIAL", head.status.is_some()),
    ];
    // A field that is wrong is not missing as well.
    let readable = problems.is_empty();
    for (label, what, _) in fields.iter().filter(|(.., there)| !there && readable) {
        let message = format!("this signal has no `**{label}**`");
        problems.push(problem(heading, message, format!("add a line `**{label}**: `, {what}")));
    }
    match (head.task, head.status) {
        (Some(task), Some(status)) if problems.is_empty() => Ok(Signal {
            from: head.from,
            to: head.to,
            stage: head.stage,
            status,
            notes: head.notes,
            ..Signal::about(task)
        }),
        _ => Err(problems),
    }
}

impl Head {
    fn line(&mut self, line: &[Letter], block: Span) -> Result<(), Problem> {
        let (label, value) = labelled(line);
        filled(value, block)?;
        let word = label.and_then(own_word).map(|word| word.to_lowercase());
        match word.as_deref() {
            Some("from") => once(&mut self.from, name(value, line)?, line),
            Some("to") => once(&mut self.to, name(value, line)?, line),
            Some("task" | "task id") => once(&mut self.task, name(value, line)?, line),
            Some("stage") => once(&mut self.stage, name(value, line)?, line),
            Some("status") => once(&mut self.status, status(value, line)?, line),
            _ => {
                let (label, text) = (label.map(text), text(value));
                self.notes.push(Note { section: None, label, text });
                Ok(())
            }
        }
    }
}

fn once<T>(field: &mut Option<T>, value: T, line: &[Letter]) -> Result<(), Problem> {
    if field.replace(value).is_some() {
        let span = place(line, Span::default());
        return Err(problem(span, "this field stands here a second time", "keep one of the two"));
    }
    Ok(())
}

fn name<T: FromStr<Err = IdFault>>(value: &[Letter], line: &[Letter]) -> Result<T, Problem> {
    let word = text(value);
    word.parse().map_err(|fault| {
        let message = format!("`{word}` can't stand here: {fault}");
        problem(value_place(value, line), message, "write the name as the policy has it")
    })
}

/// Gives the place of a value; of its line, if it is empty.
fn value_place(value: &[Letter], line: &[Letter]) -> Span {
    place(value, place(line, Span::default()))
}

fn status(value: &[Letter], line: &[Letter]) -> Result<HandoffStatus, Problem> {
    let said = text(value);
    match said.trim_matches(|c: char| !c.is_ascii_alphanumeric()).to_uppercase().as_str() {
        "COMPLETE" => Ok(HandoffStatus::Complete),
        "BLOCKED" => Ok(HandoffStatus::Blocked),
        "PARTIAL" => Ok(HandoffStatus::Partial),
        _ => {
            let message = format!("`{said}` is no status");
            let help = "choose one: COMPLETE, BLOCKED or PARTIAL";
            Err(problem(value_place(value, line), message, help))
        }
    }
}
