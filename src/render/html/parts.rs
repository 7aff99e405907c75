//! What every section of a page is made of: headings, tables in boxes that scroll, moments.

use super::element::{Element, element};
use crate::render::board::duration;
use crate::source::{Digest, Moment, TaskId};

/// How many rows of a table are shown at once; the others unfold.
const ROWS: usize = 12;

/// A section with its heading, its anchor and what it is for.
pub(super) fn section(anchor: &'static str, heading: &'static str, about: &str) -> Element {
    let head = element("h2").with("id", anchor).words(heading);
    let section = element("section").with("aria-labelledby", anchor).put(head);
    if about.is_empty() { section } else { section.put(element("p").class("about").prose(about)) }
}

/// A column of a table: its heading, and whether numbers stand in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column(pub(super) &'static str, pub(super) bool);

/// Gives columns of words.
pub(super) fn columns<const N: usize>(headings: [&'static str; N]) -> [Column; N] {
    headings.map(|heading| Column(heading, false))
}

/// A row of a table, cell by cell.
#[derive(Debug, Clone)]
pub(super) struct Line(Vec<Element>);

/// Begins a row.
pub(super) fn line() -> Line {
    Line(Vec::new())
}

impl Line {
    /// Adds a cell.
    pub(super) fn put(mut self, cell: Element) -> Self {
        self.0.push(cell);
        self
    }

    /// Adds cells.
    pub(super) fn put_all(mut self, cells: impl IntoIterator<Item = Element>) -> Self {
        self.0.extend(cells);
        self
    }

    /// Gives the row, each cell with the name of its column, for screens on which a row is a card.
    fn under(self, columns: &[Column]) -> Element {
        let cells = self.0.into_iter().zip(columns);
        element("tr")
            .put_all(cells.map(|(cell, Column(heading, _))| cell.with("data-label", heading)))
    }
}

/// A table in a box of its own, which scrolls if it must. What is too long for one look unfolds.
pub(super) fn table(name: &str, columns: &[Column], rows: Vec<Line>) -> Vec<Element> {
    let rest = rows.len().saturating_sub(ROWS);
    let mut rows = rows.into_iter();
    let first: Vec<Line> = rows.by_ref().take(ROWS).collect();
    let mut all = vec![whole_table(name, columns, first)];
    if rest > 0 {
        let more = format!("{rest} more");
        let unfolded = whole_table(&format!("{name}, {more}"), columns, rows.collect());
        all.push(element("details").put(element("summary").words(more)).put(unfolded));
    }
    all
}

fn whole_table(name: &str, columns: &[Column], rows: Vec<Line>) -> Element {
    let heading = |Column(heading, number): &Column| {
        let cell = element("th").with("scope", "col").words(heading);
        if *number { cell.class("number") } else { cell }
    };
    let heading = element("tr").put_all(columns.iter().map(heading));
    let rows = rows.into_iter().map(|row| row.under(columns));
    let table = element("table").class("cards").put(element("thead").put(heading));
    scrolling(name).put(table.put(element("tbody").put_all(rows)))
}

/// Gives the first few of many; the others unfold.
pub(super) fn folded(all: Vec<Element>, words: &str) -> Vec<Element> {
    let rest = all.len().saturating_sub(ROWS);
    let mut all = all.into_iter();
    let mut shown: Vec<Element> = all.by_ref().take(ROWS).collect();
    if rest > 0 {
        let summary = element("summary").words(format!("{rest} {words}"));
        shown.push(element("details").put(summary).put_all(all));
    }
    shown
}

/// A box that scrolls by itself, for the keyboard too.
pub(super) fn scrolling(name: &str) -> Element {
    region(name).class("scroll")
}

/// A box likewise for a picture, which scrolls down, too.
pub(super) fn picture(name: &str) -> Element {
    region(name).class("scroll picture")
}

fn region(name: &str) -> Element {
    element("div").with("role", "region").with("tabindex", "0").with("aria-label", name)
}

/// A cell.
pub(super) fn cell() -> Element {
    element("td")
}

/// A cell with a number.
pub(super) fn number(text: impl AsRef<str>) -> Element {
    element("td").class("number").words(text)
}

/// A cell that names a task, and leads to its time line if there is one.
pub(super) fn task_heading(id: &TaskId, has_life: bool) -> Element {
    element("th").class("id").with("scope", "row").put(task_link(id, has_life))
}

/// A task's name, which leads to its time line if there is one.
pub(super) fn task_link(id: &TaskId, has_life: bool) -> Element {
    match has_life {
        true => element("a").with("href", format!("#{}", anchor(id))).words(id.as_str()),
        false => element("span").words(id.as_str()),
    }
}

/// The anchor of a task's time line.
pub(super) fn anchor(id: &TaskId) -> String {
    format!("task-{id}")
}

/// A moment as people read it, in UTC.
pub(super) fn moment(at: Moment) -> Element {
    element("time").with("datetime", at.to_string()).words(short(at))
}

/// A moment to the minute.
pub(super) fn short(at: Moment) -> String {
    let text = at.to_string();
    format!("{} {}", &text[..10], &text[11..16])
}

/// How long before a moment another one was, or how far it lies ahead.
pub(super) fn ago(then: Moment, now: Moment) -> String {
    match now.since(then).num_seconds() {
        seconds if seconds < 0 => format!("in {}", duration(-seconds)),
        seconds => format!("{} ago", duration(seconds)),
    }
}

/// The beginning of a digest, with the whole of it for those who hover.
pub(super) fn digest(of: Digest) -> Element {
    element("code").with("title", of.to_string()).words(format!("{}…", &of.hex()[..12]))
}

/// Something that nothing is to be said of.
pub(super) fn nothing(words: &str) -> Element {
    element("p").class("nothing").prose(words)
}

/// A command to type.
pub(super) fn command(text: &str) -> Element {
    element("code").class("command").words(text)
}
