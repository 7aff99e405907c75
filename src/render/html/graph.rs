//! What waits for what, drawn.

use super::element::{Element, element};
use super::page::Links;
use super::parts::{picture, section};
use crate::plan::{self, Graph};

/// A graph of more tasks is no picture any more.
const DRAWN: usize = 80;

/// Tells whether there is anything to draw: some task waits for another.
pub(super) fn is_drawn(graph: &Graph) -> bool {
    graph.edges().next().is_some()
}

/// Gives the section; none if no task waits for another.
pub(super) fn graph(graph: &Graph, links: &Links) -> Option<Element> {
    if !is_drawn(graph) {
        return None;
    }
    let joined = graph.joined();
    // What is over comes first to be left out.
    let (drawn, of) = match joined.nodes().len() > DRAWN {
        true => (joined.open().joined(), "open tasks that wait for open tasks"),
        false => (joined, "open tasks, and the closed ones that they waited for"),
    };
    let alone = graph.nodes().len() - drawn.nodes().len();
    let about = format!("From left to right: {of}. Beside these, {alone} more.");
    let section = section("graph", "What waits for what", &about);
    if drawn.nodes().len() > DRAWN {
        let words = format!("{} tasks are too many for this page: ", drawn.nodes().len());
        let command = super::parts::command("orch task graph --format svg > tasks.svg");
        return Some(section.put(element("p").words(words).put(command)));
    }
    let leads = |id: &_| links.leads(id).then(|| format!("#{}", super::parts::anchor(id)));
    Some(section.put(picture("What waits for what").picture(&plan::linked_svg(&drawn, &leads))))
}
