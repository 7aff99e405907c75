//! What waits for what, drawn.

use super::element::{Element, element};
use super::page::Links;
use super::parts::{scrolling, section};
use crate::plan::{self, Graph};

/// A graph of more tasks is no picture any more.
const DRAWN: usize = 200;

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
    let alone = graph.nodes().len() - joined.nodes().len();
    let about = match alone {
        0 => "Open tasks from left to right, and the closed ones that they waited for.".to_owned(),
        1 => "Open tasks from left to right; one more waits for nothing, and nothing for it."
            .to_owned(),
        many => format!(
            "Open tasks from left to right; {many} more wait for nothing, and nothing for them."
        ),
    };
    let section = section("graph", "What waits for what", &about);
    if joined.nodes().len() > DRAWN {
        let words = format!("{} tasks are too many for this page: ", joined.nodes().len());
        let command = super::parts::command("orch task graph --format svg > tasks.svg");
        return Some(section.put(element("p").words(words).put(command)));
    }
    let leads = |id: &_| links.leads(id).then(|| format!("#{}", super::parts::anchor(id)));
    Some(section.put(scrolling("What waits for what").picture(&plan::linked_svg(&joined, &leads))))
}
