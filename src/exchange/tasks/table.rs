//! Tables of tasks in a Markdown document: the columns in any order and any case.

use super::super::markdown::{self, Block, Cell, Kind};
use super::{Listed, prerequisites, priority, problem, status};
use crate::record::{Problem, did_you_mean};
use crate::source::id::IdFault;
use crate::source::{Position, Span, TaskId};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Column {
    Id,
    Title,
    Workflow,
    Agent,
    Priority,
    Prerequisites,
    Scope,
    Phase,
    Week,
    Estimate,
    Criteria,
    Deadline,
    Status,
}

/// Titles of columns, in lower case; the first of each is the one to write.
const COLUMNS: &[(&str, Column)] = &[
    ("priority", Column::Priority),
    ("task id", Column::Id),
    ("description", Column::Title),
    ("assigned to", Column::Agent),
    ("prerequisites", Column::Prerequisites),
    ("status", Column::Status),
    ("scope", Column::Scope),
    ("phase", Column::Phase),
    ("week", Column::Week),
    ("workflow", Column::Workflow),
    ("estimate", Column::Estimate),
    ("success criteria", Column::Criteria),
    ("deadline", Column::Deadline),
    ("task", Column::Title),
    ("title", Column::Title),
    ("id", Column::Id),
    ("agent", Column::Agent),
    ("assignee", Column::Agent),
    ("depends on", Column::Prerequisites),
    ("dependencies", Column::Prerequisites),
    ("due", Column::Deadline),
];

/// A table of tasks, and the phase that the headings above it name.
pub(super) struct Table {
    phase: Option<String>,
    rows: Vec<Vec<Cell>>,
}

/// Gives the tables that have a column of ids.
pub(super) fn of_tasks(text: &str) -> Vec<Table> {
    let mut tables = Vec::new();
    let mut phase: Option<(u8, String)> = None;
    for Block { kind, words, .. } in markdown::blocks_with_tables(text) {
        match kind {
            Kind::Heading(level) => {
                let words = markdown::text(&words);
                if let Some(named) = phase_of(&words) {
                    phase = Some((level, named));
                } else if phase.as_ref().is_some_and(|(above, _)| level <= *above) {
                    phase = None;
                }
            }
            Kind::Table(rows) if rows.first().is_some_and(|header| has_ids(header)) => {
                tables.push(Table { phase: phase.clone().map(|(_, named)| named), rows });
            }
            _ => {}
        }
    }
    tables
}

fn has_ids(header: &[Cell]) -> bool {
    header.iter().any(|cell| column_of(&cell.text) == Some(Column::Id))
}

fn column_of(title: &str) -> Option<Column> {
    let title = title.trim().to_lowercase().replace(['_', '-'], " ");
    COLUMNS.iter().find(|(known, _)| *known == title).map(|(_, column)| *column)
}

/// Gives the phase that a heading names, if it has the word in it: its words in lower case with `-`
/// between them, without a parenthesis at the end.
fn phase_of(heading: &str) -> Option<String> {
    let heading = heading.trim();
    let bare = match heading.rfind('(') {
        Some(at) if heading.ends_with(')') => &heading[..at],
        _ => heading,
    };
    let words: Vec<String> = bare
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect();
    words.iter().any(|word| word == "phase").then(|| words.join("-"))
}

/// Reads the tables, each task with the place of its id; gives everything that is wrong with them.
pub(super) fn read(text: &str, tables: &[Table]) -> Result<Vec<(Listed, Span)>, Vec<Problem>> {
    let mut listed: Vec<(Listed, Span)> = Vec::new();
    let mut above: Vec<TaskId> = Vec::new();
    let mut problems = Vec::new();
    for table in tables {
        let columns = match columns_of(&table.rows[0]) {
            Ok(columns) => columns,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        for cells in table.rows.iter().skip(1) {
            let row = Row { columns: &columns, cells };
            if row.cells.iter().all(|cell| cell.text.is_empty()) {
                continue;
            }
            match row.task(text, table.phase.as_deref(), &above) {
                Ok((task, span)) => {
                    above.push(task.task_id.clone());
                    listed.push((task, span));
                }
                Err(problem) => problems.push(problem),
            }
        }
    }
    if problems.is_empty() { Ok(listed) } else { Err(problems) }
}

fn columns_of(header: &[Cell]) -> Result<Vec<Column>, Problem> {
    let mut columns = Vec::new();
    for cell in header {
        let Some(column) = column_of(&cell.text) else {
            let help = match did_you_mean(&cell.text.to_lowercase(), COLUMNS.iter().map(|c| c.0)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let known: Vec<&str> =
                        COLUMNS.iter().take(13).map(|(title, _)| *title).collect();
                    format!("the columns are {}", known.join(", "))
                }
            };
            let message = format!("a list of tasks has no column `{}`", cell.text);
            return Err(problem(cell.span, message, help));
        };
        if columns.contains(&column) {
            let message = format!("`{}` is a column for the second time", cell.text);
            return Err(problem(cell.span, message, "keep one of the two"));
        }
        columns.push(column);
    }
    if !columns.contains(&Column::Title) {
        let help = "add a column `Description` that says what each task is about";
        return Err(problem(header[0].span, "this table has no descriptions", help));
    }
    Ok(columns)
}

/// One row below a header.
struct Row<'t> {
    columns: &'t [Column],
    cells: &'t [Cell],
}

impl Row<'_> {
    fn task(
        &self,
        text: &str,
        phase: Option<&str>,
        above: &[TaskId],
    ) -> Result<(Listed, Span), Problem> {
        let id = self.cell(Column::Id);
        let first = self.cells.first().map_or(Span::default(), |cell| cell.span);
        let span = id.map_or(first, |cell| cell.span);
        let task_id = id.map_or("", |cell| &cell.text).parse().map_err(|fault: IdFault| {
            problem(span, format!("{fault}"), "write an id such as `DISC-001`")
        })?;
        let said = self.said(Column::Priority).unwrap_or_default();
        let urgent = priority(&said).map_err(|help| {
            problem(self.place(Column::Priority), format!("`{said}` is no priority"), help)
        })?;
        let first = self.said(Column::Prerequisites).unwrap_or_default();
        let depends_on = prerequisites::read(&first, above).map_err(|reason| {
            let help = "write ids, a range `DISC-001..004`, `All above` or `None`";
            problem(self.place(Column::Prerequisites), reason, help)
        })?;
        let title = self.said(Column::Title).ok_or_else(|| {
            problem(span, format!("`{task_id}` has no description"), "say what it is about")
        })?;
        let said = self.said(Column::Status).unwrap_or_default();
        let status = status::read(&said).ok_or_else(|| {
            problem(self.place(Column::Status), format!("`{said}` is no status"), status::HELP)
        })?;
        let task = Listed {
            title,
            workflow: self.name(Column::Workflow)?,
            assigned_to: self.name(Column::Agent)?,
            priority: urgent,
            depends_on,
            scope: self.list(Column::Scope, ','),
            phase: self.said(Column::Phase).or(phase.map(str::to_owned)),
            week: self.week()?,
            estimate: self.said(Column::Estimate),
            success_criteria: self.list(Column::Criteria, ';'),
            deadline: self.said(Column::Deadline),
            status,
            line: Position::of(text, span.start).line,
            task_id,
        };
        Ok((task, span))
    }

    fn cell(&self, column: Column) -> Option<&Cell> {
        let at = self.columns.iter().position(|known| *known == column)?;
        self.cells.get(at)
    }

    fn place(&self, column: Column) -> Span {
        self.cell(column).map_or(Span::default(), |cell| cell.span)
    }

    /// Gives what a cell says; none for nothing, and for a dash.
    fn said(&self, column: Column) -> Option<String> {
        let text = self.cell(column)?.text.trim();
        (!text.chars().all(|c| matches!(c, '-' | '–' | '—'))).then(|| text.to_owned())
    }

    fn list(&self, column: Column, separator: char) -> Vec<String> {
        let said = self.said(column).unwrap_or_default();
        let parts = said.split(separator).map(|part| part.trim().to_owned());
        parts.filter(|part| !part.is_empty()).collect()
    }

    fn name<T: std::str::FromStr<Err = IdFault>>(
        &self,
        column: Column,
    ) -> Result<Option<T>, Problem> {
        let Some(said) = self.said(column) else { return Ok(None) };
        said.parse().map(Some).map_err(|fault| {
            let help = "write the name as the policy has it, or `-` for nobody";
            problem(self.place(column), format!("`{said}`: {fault}"), help)
        })
    }

    fn week(&self) -> Result<Option<u32>, Problem> {
        let Some(said) = self.said(Column::Week) else { return Ok(None) };
        let number = said.to_lowercase();
        let number = number.strip_prefix("week").unwrap_or(&number).trim();
        number.parse().map(Some).map_err(|_| {
            let help = "write one number, such as 5";
            problem(self.place(Column::Week), format!("`{said}` is no week"), help)
        })
    }
}
