//! Where each task of a graph stands in a picture: a column a depth, and room between the boxes for
//! the lines that pass them.

use std::collections::BTreeMap;

use super::Graph;

/// The width of a task's box.
pub(super) const WIDTH: usize = 232;
/// The height of a task's box.
pub(super) const HEIGHT: usize = 48;
/// The room between two columns, in which lines bend.
pub(super) const GAP: usize = 72;
/// The room between a box and what stands above it.
const SPACE: usize = 22;
/// The room that a passing line takes.
const LINE: usize = 16;
/// The room around everything.
pub(super) const MARGIN: usize = 24;

/// Where everything stands.
pub(super) struct Layout {
    /// The picture's width and height.
    pub(super) size: (usize, usize),
    /// The left upper corner of each node's box.
    pub(super) boxes: Vec<(usize, usize)>,
    /// For each edge the heights at which its line passes each column, from the needed task's to the
    /// waiting one's, both included; and the needed task's column.
    pub(super) lines: Vec<(usize, Vec<usize>)>,
}

/// What stands in a column: a task, or a line from a task to columns further right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Item {
    Task(usize),
    Passing(usize),
}

impl Item {
    fn node(self) -> usize {
        match self {
            Item::Task(node) | Item::Passing(node) => node,
        }
    }

    fn height(self) -> usize {
        match self {
            Item::Task(_) => HEIGHT + SPACE,
            Item::Passing(_) => LINE,
        }
    }
}

/// Gives a graph its place on paper. Lines of one task that go the same way are drawn as one.
pub(super) fn layout(graph: &Graph) -> Layout {
    let depths = graph.depths();
    let mut columns = vec![Vec::new(); depths.iter().max().map_or(0, |deepest| deepest + 1)];
    for (node, depth) in depths.iter().enumerate() {
        columns[*depth].push(Item::Task(node));
    }
    for (needed, last) in furthest(graph, &depths) {
        for column in &mut columns[depths[needed] + 1..last.max(depths[needed] + 1)] {
            column.push(Item::Passing(needed));
        }
    }
    let neighbours = neighbours(graph, &depths);
    for sweep in 0..8 {
        let count = columns.len();
        for step in 1..count {
            let (column, beside) =
                if sweep % 2 == 0 { (step, step - 1) } else { (count - 1 - step, count - step) };
            sort(&mut columns, column, beside, &neighbours);
        }
    }
    place(graph, &depths, &columns)
}

/// Gives for each needed task the last column that a line from it ends in.
fn furthest(graph: &Graph, depths: &[usize]) -> BTreeMap<usize, usize> {
    let mut furthest = BTreeMap::new();
    for (task, needed) in graph.edges() {
        let last = furthest.entry(needed).or_insert(0);
        *last = depths[task].max(*last);
    }
    furthest
}

/// For each column and item, the items of the column left of it that it is joined to.
type Neighbours = Vec<BTreeMap<Item, Vec<Item>>>;

fn neighbours(graph: &Graph, depths: &[usize]) -> Neighbours {
    let columns = depths.iter().max().map_or(0, |deepest| deepest + 1);
    let mut neighbours: Neighbours = vec![BTreeMap::new(); columns];
    let at = |needed: usize, column: usize| match depths[needed] == column {
        true => Item::Task(needed),
        false => Item::Passing(needed),
    };
    for (task, needed) in graph.edges().filter(|(task, needed)| depths[*task] > depths[*needed]) {
        let before = at(needed, depths[task] - 1);
        neighbours[depths[task]].entry(Item::Task(task)).or_default().push(before);
    }
    for (needed, last) in furthest(graph, depths) {
        let between = neighbours.iter_mut().enumerate().take(last).skip(depths[needed] + 1);
        for (column, joined) in between {
            joined.entry(Item::Passing(needed)).or_default().push(at(needed, column - 1));
        }
    }
    neighbours
}

/// Sorts a column by where the items beside it that its own are joined to stand on average.
fn sort(columns: &mut [Vec<Item>], column: usize, beside: usize, neighbours: &Neighbours) {
    let ranks: BTreeMap<Item, usize> =
        columns[beside].iter().enumerate().map(|(rank, item)| (*item, rank)).collect();
    let mut joined: BTreeMap<Item, Vec<usize>> = BTreeMap::new();
    for (right, lefts) in &neighbours[column.max(beside)] {
        for left in lefts {
            let (own, other) = if column > beside { (right, left) } else { (left, right) };
            joined.entry(*own).or_default().extend(ranks.get(other));
        }
    }
    let mean = |item: &Item, rank: usize| match joined.get(item) {
        Some(ranks) if !ranks.is_empty() => ranks.iter().sum::<usize>() as f64 / ranks.len() as f64,
        _ => rank as f64,
    };
    let mut keyed: Vec<(f64, Item)> =
        columns[column].iter().enumerate().map(|(rank, item)| (mean(item, rank), *item)).collect();
    keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
    columns[column] = keyed.into_iter().map(|(_, item)| item).collect();
}

/// Stacks each column, all of them around the same middle.
fn place(graph: &Graph, depths: &[usize], columns: &[Vec<Item>]) -> Layout {
    let height = |column: &Vec<Item>| column.iter().map(|item| item.height()).sum::<usize>();
    let tallest = columns.iter().map(height).max().unwrap_or_default();
    let mut boxes = vec![(0, 0); graph.nodes().len()];
    let mut middles: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for (index, column) in columns.iter().enumerate() {
        let mut y = MARGIN + (tallest - height(column)) / 2;
        for item in column {
            middles.insert(
                (index, item.node()),
                y + (item.height() + SPACE * usize::from(matches!(item, Item::Task(_)))) / 2,
            );
            if let Item::Task(node) = item {
                boxes[*node] = (MARGIN + index * (WIDTH + GAP), y + SPACE);
            }
            y += item.height();
        }
    }
    let line = |(task, needed): (usize, usize)| {
        let (from, to) = (depths[needed], depths[task]);
        let own = |column| middles[&(column, if column == to { task } else { needed })];
        (from, (from..=to).map(own).collect())
    };
    let width = 2 * MARGIN + columns.len() * (WIDTH + GAP) - GAP.min(columns.len() * GAP);
    Layout {
        size: (width, tallest + SPACE + 2 * MARGIN),
        boxes,
        lines: graph.edges().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::graph::tests::graph;
    use super::*;

    /// No box lies on another, and no line passes through the box of a task that it does not join.
    #[test]
    fn nothing_overlaps() {
        let mut text = String::new();
        for n in 0_usize..30 {
            let needed = [n / 2, n / 3 + 1, n.saturating_sub(9)];
            let needed = needed.into_iter().filter(|needed| *needed < n);
            let needed: Vec<String> = needed.map(|needed| format!("t{needed:02}")).collect();
            text += &format!("t{n:02} ready: {}\n", needed.join(" "));
        }
        let graph = graph(&text);
        let Layout { boxes, lines, size } = layout(&graph);
        for (index, one) in boxes.iter().enumerate() {
            assert!(one.0 + WIDTH + MARGIN <= size.0 && one.1 + HEIGHT + MARGIN <= size.1);
            let apart = |two: &(usize, usize)| {
                one.0.abs_diff(two.0) >= WIDTH || one.1.abs_diff(two.1) >= HEIGHT + LINE
            };
            assert!(boxes[index + 1..].iter().all(apart), "box {index}");
        }
        for ((task, needed), (first, heights)) in graph.edges().zip(&lines) {
            for (step, y) in heights.iter().enumerate() {
                let x = MARGIN + (first + step) * (WIDTH + GAP);
                let mut others =
                    boxes.iter().enumerate().filter(|(node, _)| *node != task && *node != needed);
                let hit = others.find(|(_, at)| at.0 == x && (at.1..=at.1 + HEIGHT).contains(y));
                assert_eq!(hit, None, "the line from {needed} to {task}");
            }
        }
    }

    #[test]
    fn nothing_and_circles_are_drawn_too() {
        assert_eq!(layout(&graph("")).size, (2 * MARGIN, 2 * MARGIN + SPACE));
        let circle = layout(&graph("aa ready: bb\nbb ready: aa\ncc ready: cc"));
        assert_eq!(circle.boxes.len(), 3);
    }
}
