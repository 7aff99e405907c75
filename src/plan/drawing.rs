//! A graph as Mermaid, and as an SVG that stands by itself.

use std::fmt::Write as _;

use super::layout::{GAP, HEIGHT, MARGIN, WIDTH, layout};
use super::{Graph, Node, Status};
use crate::source::TaskId;
use crate::source::markup::in_xml;
use crate::source::path::unprintable;

/// Colours of a status: the box and its edge in the light, and in the dark.
const fn colours(status: Status) -> [&'static str; 4] {
    match status {
        Status::Ready => ["#dbeafe", "#2563eb", "#172554", "#60a5fa"],
        Status::Waiting => ["#f3f4f6", "#6b7280", "#1f2937", "#9ca3af"],
        Status::Running => ["#fef3c7", "#b45309", "#451a03", "#f59e0b"],
        Status::Delivered => ["#ede9fe", "#6d28d9", "#2e1065", "#a78bfa"],
        Status::Held | Status::Failed => ["#fee2e2", "#b91c1c", "#450a0a", "#f87171"],
        Status::Done => ["#dcfce7", "#15803d", "#052e16", "#4ade80"],
        Status::Dropped | Status::Missing => ["#ffffff", "#9ca3af", "#111827", "#6b7280"],
    }
}

/// Draws a graph as a Mermaid flowchart, from left to right. Whatever ids and titles hold stays text.
pub fn mermaid(graph: &Graph) -> String {
    let mut text = String::from("flowchart LR\n");
    for (index, Node { id, title, status, .. }) in graph.nodes().iter().enumerate() {
        let label = format!("{}<br/>{}", entities(id.as_str()), entities(title));
        let class = status.word();
        writeln!(text, "  n{index}[\"{label}<br/>{class}\"]:::{class}").expect(MEMORY);
    }
    for (task, needed) in graph.edges() {
        writeln!(text, "  n{needed} --> n{task}").expect(MEMORY);
    }
    for status in used(graph) {
        let [fill, edge, ..] = colours(status);
        let class = status.word();
        writeln!(text, "  classDef {class} fill:{fill},stroke:{edge},color:#111827").expect(MEMORY);
    }
    text
}

const MEMORY: &str = "memory takes it";

fn used(graph: &Graph) -> impl Iterator<Item = Status> + '_ {
    let stands = |status: &Status| graph.nodes().iter().any(|node| node.status == *status);
    Status::ALL.into_iter().filter(stands)
}

/// Gives text as Mermaid takes it for text: everything but plain letters by its number.
fn entities(text: &str) -> String {
    let mut safe = String::new();
    for character in text.chars() {
        match character {
            _ if character.is_whitespace() => safe.push(' '),
            _ if unprintable(character) => safe.push('�'),
            'a'..='z' | 'A'..='Z' | '0'..='9' | ' ' | '.' | ',' | '-' | '_' | '/' => {
                safe.push(character);
            }
            _ if character.is_ascii() => {
                write!(safe, "#{};", u32::from(character)).expect(MEMORY);
            }
            _ => safe.push(character),
        }
    }
    safe
}

/// Draws a graph as one SVG without scripts or anything from elsewhere: a column a depth, in colours
/// for a light and a dark page. Whatever ids and titles hold stays text.
pub fn svg(graph: &Graph) -> String {
    linked_svg(graph, &|_| None)
}

/// Draws a graph likewise, to stand within a page: a task leads to where `place` says, and no rule of
/// its style reaches beyond the picture.
pub fn linked_svg(graph: &Graph, place: &dyn Fn(&TaskId) -> Option<String>) -> String {
    let layout = layout(graph);
    let (width, height) = layout.size;
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"graph\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" aria-label=\"Tasks and what they wait \
         for\">\n<style>\n{}</style>\n<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"8\" \
         refY=\"4\" markerWidth=\"8\" markerHeight=\"8\" orient=\"auto\"><path class=\"tip\" \
         d=\"M0 0 8 4 0 8z\"/></marker></defs>\n<rect class=\"page\" width=\"{width}\" \
         height=\"{height}\"/>\n",
        style(graph)
    );
    for ((task, needed), (column, heights)) in graph.edges().zip(&layout.lines) {
        let way = match heights.len() {
            0 | 1 => back(layout.boxes[needed], layout.boxes[task]),
            _ => way(*column, heights),
        };
        let circle = if heights.len() < 2 { " circle" } else { "" };
        let class = if graph.nodes()[needed].status.is_over() { "past" } else { "open" };
        writeln!(
            out,
            "<path class=\"line {class}{circle}\" d=\"{way}\" marker-end=\"url(#tip)\"/>"
        )
        .expect(MEMORY);
    }
    for (node, (x, y)) in graph.nodes().iter().zip(&layout.boxes) {
        let drawn = drawn(node, *x, *y);
        match place(&node.id) {
            Some(place) => {
                writeln!(out, "<a href=\"{}\">{}</a>", escaped(&place), drawn.trim_end())
            }
            None => write!(out, "{drawn}"),
        }
        .expect(MEMORY);
    }
    out + "</svg>\n"
}

fn drawn(node: &Node, x: usize, y: usize) -> String {
    let Node { id, title, status, phase } = node;
    let word = status.word();
    let phase = phase.as_ref().map(|phase| format!(", {}", escaped(phase))).unwrap_or_default();
    let room = WIDTH - 24 - 7 * (word.len() + 1);
    format!(
        "<g class=\"{word}\"><title>{}: {} ({word}{phase})</title><rect x=\"{x}\" y=\"{y}\" \
         width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/><text class=\"id\" x=\"{}\" \
         y=\"{}\">{}</text><text class=\"word\" x=\"{}\" y=\"{}\">{word}</text><text x=\"{}\" \
         y=\"{}\">{}</text></g>\n",
        escaped(id.as_str()),
        escaped(title),
        x + 12,
        y + 20,
        escaped(&shortened(id.as_str(), room / 8)),
        x + WIDTH - 12,
        y + 20,
        x + 12,
        y + 38,
        escaped(&shortened(title, (WIDTH - 24) / 7)),
    )
}

/// Gives a line from the right of a box through the columns between to the left of another.
fn way(column: usize, heights: &[usize]) -> String {
    let left = |step: usize| MARGIN + (column + step) * (WIDTH + GAP);
    let mut way = format!("M{} {}", left(0) + WIDTH, heights[0]);
    for (step, y) in heights.iter().enumerate().skip(1) {
        let (from, to) = (left(step) - GAP, left(step));
        let middle = from + GAP / 2;
        write!(way, "C{middle} {} {middle} {y} {to} {y}", heights[step - 1]).expect(MEMORY);
        if step + 1 < heights.len() {
            write!(way, "H{}", to + WIDTH).expect(MEMORY);
        }
    }
    way
}

/// Gives a line that closes a circle: over the top, from one box back to another.
fn back((x, y): (usize, usize), (to_x, to_y): (usize, usize)) -> String {
    let (from, to) = (x + WIDTH - 20, to_x + 20);
    format!(
        "M{from} {y}C{from} {} {to} {} {to} {to_y}",
        y.saturating_sub(24),
        to_y.saturating_sub(24)
    )
}

fn style(graph: &Graph) -> String {
    let mut light = String::from(
        ".graph text{font:12px system-ui,-apple-system,'Segoe UI',sans-serif;fill:#111827}\
         .graph .id{font-weight:600;font-size:13px}\
         .graph .word{text-anchor:end;font-size:11px}\n\
         .graph .page{fill:#fff}.graph rect{stroke-width:1.5}\
         .graph .line{fill:none;stroke:#6b7280;stroke-width:1.3}.graph .tip{fill:#6b7280}\
         .graph .past{stroke-dasharray:2 3}.graph .circle{stroke:#b91c1c;stroke-width:2}\n",
    );
    let mut dark = String::from(
        ".graph text{fill:#f3f4f6}.graph .page{fill:#0b0f19}.graph .line{stroke:#9ca3af}\
         .graph .tip{fill:#9ca3af}.graph .circle{stroke:#f87171}\n",
    );
    for status in used(graph) {
        let [fill, edge, dark_fill, dark_edge] = colours(status);
        let class = status.word();
        writeln!(light, ".graph .{class} rect{{fill:{fill};stroke:{edge}}}").expect(MEMORY);
        writeln!(dark, ".graph .{class} rect{{fill:{dark_fill};stroke:{dark_edge}}}")
            .expect(MEMORY);
    }
    format!("{light}@media(prefers-color-scheme:dark){{\n{dark}}}\n")
}

/// Cuts text to a number of narrow letters; letters beyond ASCII may be twice as wide.
fn shortened(text: &str, room: usize) -> String {
    let wide = |character: char| if character.is_ascii() { 1 } else { 2 };
    if text.chars().map(wide).sum::<usize>() <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(2);
    let fits = |character: &char| {
        let takes = wide(*character);
        let fits = takes <= left;
        left = left.saturating_sub(takes);
        fits
    };
    text.chars().take_while(fits).chain(['…']).collect()
}

/// Gives text for the picture: on one line, and nothing in it that a reader could not see.
fn escaped(text: &str) -> String {
    let shown = text.chars().map(|character| match character {
        _ if character.is_whitespace() => ' ',
        _ if unprintable(character) => '\u{fffd}',
        _ => character,
    });
    in_xml(&shown.collect::<String>())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::graph::tests::graph;
    use super::*;

    #[test]
    fn a_flowchart_names_nodes_by_number() {
        let text = mermaid(&graph("end done:\nstrat-001 ready: end"));
        let expected = "\
flowchart LR
  n0[\"end<br/>About end<br/>done\"]:::done
  n1[\"strat-001<br/>About strat-001<br/>ready\"]:::ready
  n0 --> n1
  classDef ready fill:#dbeafe,stroke:#2563eb,color:#111827
  classDef done fill:#dcfce7,stroke:#15803d,color:#111827
";
        assert_eq!(text, expected);
    }

    #[test]
    fn an_svg_is_whole_and_holds_no_script() {
        let text =
            svg(&graph("aa done:\nbb running: aa\ncc held: aa bb\ndd waiting: ee\nee waiting: dd"));
        let document = roxmltree::Document::parse(&text).expect("XML");
        let all = || document.descendants();
        assert_eq!(all().filter(|node| node.has_tag_name("g")).count(), 5);
        assert!(text.contains("prefers-color-scheme") && !text.contains("NaN"));
        let elements = ["svg", "style", "defs", "marker", "path", "rect", "g", "title", "text"];
        let known = |node: &roxmltree::Node<'_, '_>| elements.contains(&node.tag_name().name());
        assert!(all().filter(|node| node.is_element()).all(|node| known(&node)));
        assert!(!text.replace("http://www.w3.org/2000/svg", "").contains("http"));
    }

    /// Within a page no rule of the picture's style may reach what stands around it.
    #[test]
    fn a_task_leads_somewhere_and_every_rule_stays_inside() {
        let place = |id: &TaskId| (id.as_str() == "aa").then(|| "#task-aa".to_owned());
        let text = linked_svg(&graph("aa done:\nbb running: aa"), &place);
        let document = roxmltree::Document::parse(&text).expect("XML");
        let links = document.descendants().filter(|node| node.has_tag_name("a"));
        let links: Vec<_> = links.filter_map(|node| node.attribute("href")).collect();
        assert_eq!(links, ["#task-aa"]);
        let style = document.descendants().find(|node| node.has_tag_name("style"));
        let style = style.and_then(|node| node.text()).expect("a style");
        let rules =
            style.split(['{', '}', '\n']).map(str::trim).filter(|part| part.starts_with('.'));
        let rules: Vec<&str> = rules.collect();
        assert!(
            rules.len() > 10 && rules.iter().all(|rule| rule.starts_with(".graph ")),
            "{rules:?}"
        );
        assert!(!style.contains("}text") && !style.contains("}rect") && !style.starts_with("text"));
    }

    #[test]
    fn long_titles_are_cut_where_the_box_ends() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 6), "abcd…");
        assert_eq!(shortened("ααααα", 6), "αα…");
    }

    proptest! {
        /// Attack 116: whatever a title holds, it stays the text of one node.
        #[test]
        fn titles_stay_text(title in ".*") {
            let id = "aa".parse().expect("an id");
            let node = Node { id, title, status: Status::Ready, phase: Some("<p>".into()) };
            let graph = Graph::new(vec![node], &[]);
            let text = svg(&graph);
            let document = roxmltree::Document::parse(&text).expect("XML");
            prop_assert_eq!(document.descendants().filter(|node| node.has_tag_name("text")).count(), 3);
            let text = mermaid(&graph);
            prop_assert_eq!(text.lines().count(), 3, "{}", text);
            prop_assert_eq!(text.matches('"').count(), 2, "{}", text);
            prop_assert!(!text.contains('`') && !text.contains("%%"));
        }
    }
}
