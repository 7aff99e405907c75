//! What every section of a page is made of: headings, tables in boxes that scroll, moments.

use super::element::{Element, element};
use crate::render::board::duration;
use crate::source::{Digest, Moment, TaskId};

/// How many rows of a table are shown at once; the others unfold.
const ROWS: usize = 25;

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

/// A table in a box of its own that scrolls when the screen is narrow. What is too long for one look
/// unfolds.
pub(super) fn table(name: &str, columns: &[Column], rows: Vec<Element>) -> Vec<Element> {
    let rest = rows.len().saturating_sub(ROWS);
    let mut rows = rows.into_iter();
    let first: Vec<Element> = rows.by_ref().take(ROWS).collect();
    let mut all = vec![whole_table(name, columns, first)];
    if rest > 0 {
        let more = format!("{rest} more");
        let unfolded = whole_table(&format!("{name}, {more}"), columns, rows.collect());
        all.push(element("details").put(element("summary").words(more)).put(unfolded));
    }
    all
}

fn whole_table(name: &str, columns: &[Column], rows: Vec<Element>) -> Element {
    let heading = |Column(heading, number): &Column| {
        let cell = element("th").with("scope", "col").words(heading);
        if *number { cell.class("number") } else { cell }
    };
    let heading = element("tr").put_all(columns.iter().map(heading));
    let table =
        element("table").put(element("thead").put(heading)).put(element("tbody").put_all(rows));
    scrolling(name).put(table)
}

/// A box that scrolls by itself, for the keyboard too.
pub(super) fn scrolling(name: &str) -> Element {
    let region = element("div").class("scroll").with("role", "region");
    region.with("tabindex", "0").with("aria-label", name)
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
    element("th").with("scope", "row").put(task_link(id, has_life))
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
