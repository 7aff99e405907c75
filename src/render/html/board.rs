//! Where every task stands, a table for each section of the board.

use super::element::{Element, element};
use super::page::Links;
use super::parts::{ago, cell, columns, line, moment, nothing, section, table};
use crate::render::board::duration;
use crate::report::{Board, Row, spelled};
use crate::source::{AgentName, Moment};

/// Gives what a section says of a task behind its id and its title.
type Cells = fn(&Row, Moment) -> Vec<Element>;

/// Gives the counts as tiles.
pub(super) fn tiles(board: &Board, overdue: usize) -> Element {
    let counts = board.counts;
    let tiles = [
        ("busy", counts.active, "active"),
        ("live", counts.ready, "ready"),
        ("calm", counts.waiting, "waiting"),
        (if counts.blocked > 0 { "bad" } else { "calm" }, counts.blocked, "blocked"),
        ("good", counts.done, "done"),
        (if overdue > 0 { "bad" } else { "calm" }, overdue, "overdue"),
    ];
    let tiles = tiles.into_iter().map(|(class, count, words)| {
        let number = element("b").words(count.to_string());
        element("li").class(class).put(number).put(element("span").words(words))
    });
    element("ul").class("tiles").put_all(tiles)
}

/// Gives the section.
pub(super) fn board(board: &Board, links: &Links, at: Moment) -> Element {
    let about =
        "Every open task by what it needs: the most urgent first, then the longest waiting.";
    let section = section("board", "The board", about);
    let sections: [(&str, &[Row], [&'static str; 3], Cells); 5] = [
        ("Active", &board.active, ["Agent", "Since", "Then"], active),
        ("Ready", &board.ready, ["Agent", "Since", "Priority"], ready),
        ("Waiting", &board.waiting, ["For", "Since", "Next"], waiting),
        ("Blocked", &board.blocked, ["Why", "Since", "Lifted by"], waiting),
        ("Done", &board.done, ["Outcome", "When", "Took"], done),
    ];
    let mut section = section;
    if sections.iter().all(|(_, rows, ..)| rows.is_empty()) {
        return section
            .put(nothing("No tasks yet: `orch task open ID --workflow NAME --title TEXT`"));
    }
    for (name, rows, headings, cells) in
        sections.into_iter().filter(|(_, rows, ..)| !rows.is_empty())
    {
        let [first, second, third] = headings;
        let headings = columns(["Task", "What", "Stage", first, second, third]);
        let lines = rows.iter().map(|row| {
            let line = line().put(links.heading(&row.task_id));
            let line =
                line.put(cell().class("wide").said(&row.title)).put(name_cell(row.stage.as_ref()));
            line.put_all(cells(row, at))
        });
        let heading = match (name, board.done_not_shown) {
            ("Done", 1..) => format!("Done, the last {} of {}", rows.len(), board.counts.done),
            _ => format!("{name} ({})", rows.len()),
        };
        section = section.put(element("h3").words(heading));
        section = section.put_all(table(name, &headings, lines.collect()));
    }
    section
}

fn active(row: &Row, at: Moment) -> Vec<Element> {
    vec![agent(row.agent.as_ref()), since(row, at), agent(row.next.as_ref())]
}

fn ready(row: &Row, at: Moment) -> Vec<Element> {
    vec![agent(row.agent.as_ref()), since(row, at), cell().words(spelled(&row.priority))]
}

fn waiting(row: &Row, at: Moment) -> Vec<Element> {
    let why = cell().class("wide").prose(row.waits_for.as_deref().unwrap_or_default());
    vec![why, since(row, at), agent(row.next.as_ref())]
}

fn done(row: &Row, _at: Moment) -> Vec<Element> {
    let outcome = row.outcome.map(|outcome| spelled(&outcome).replace('_', " "));
    let took = row.duration_seconds.map(duration).unwrap_or_default();
    vec![
        cell().words(outcome.unwrap_or_default()),
        cell().put(moment(row.since)),
        cell().words(took),
    ]
}

fn since(row: &Row, at: Moment) -> Element {
    let ago = element("span").class("soft").words(ago(row.since, at));
    cell().put(moment(row.since)).words(" ").put(ago)
}

fn agent(name: Option<&AgentName>) -> Element {
    name_cell(name)
}

/// A name, or a dash where there is none.
pub(super) fn name_cell(name: Option<&impl ToString>) -> Element {
    cell().words(name.map_or_else(|| "–".to_owned(), ToString::to_string))
}
