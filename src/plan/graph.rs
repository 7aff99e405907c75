//! What waits for what: tasks, the tasks they depend on, and the waves in which they may run.

use std::collections::btree_map::{BTreeMap, Entry};
use std::collections::{BTreeSet, VecDeque};

use serde_json::json;

use crate::source::TaskId;

/// A task as it stands in a graph.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Node {
    /// Its id.
    #[serde(rename = "task_id")]
    pub id: TaskId,
    /// What it is about.
    pub title: String,
    /// Where it stands.
    pub status: Status,
    /// The phase of the larger plan that it belongs to.
    pub phase: Option<String>,
}

/// Where a task stands, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Its next stage may begin.
    Ready,
    /// A task that it depends on is open.
    Waiting,
    /// A run of it goes on.
    Running,
    /// It waits for the coordinator: for a gate, or to be closed.
    Delivered,
    /// It is paused, blocked, halted or escalated, and waits for a person.
    Held,
    /// Its last run failed.
    Failed,
    /// It has closed as completed.
    Done,
    /// It has closed in another way.
    Dropped,
    /// Nobody has opened it.
    Missing,
}

impl Status {
    /// Every status, in the order in which a task passes through them.
    pub const ALL: [Status; 9] = [
        Status::Ready,
        Status::Waiting,
        Status::Running,
        Status::Delivered,
        Status::Held,
        Status::Failed,
        Status::Done,
        Status::Dropped,
        Status::Missing,
    ];

    /// Gives the word.
    pub fn word(self) -> &'static str {
        match self {
            Status::Ready => "ready",
            Status::Waiting => "waiting",
            Status::Running => "running",
            Status::Delivered => "delivered",
            Status::Held => "held",
            Status::Failed => "failed",
            Status::Done => "done",
            Status::Dropped => "dropped",
            Status::Missing => "missing",
        }
    }

    /// Tells whether nothing of it runs any more.
    pub fn is_over(self) -> bool {
        matches!(self, Status::Done | Status::Dropped)
    }
}

/// Tasks, and which of them wait for which.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Graph {
    nodes: Vec<Node>,
    /// For each node, those that it waits for.
    after: Vec<BTreeSet<usize>>,
    /// For each node, those that wait for it.
    before: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// Takes tasks, and pairs of a task and one that it depends on. Pairs that name a task which is
    /// not among the nodes are left out.
    pub fn new(mut nodes: Vec<Node>, edges: &[(TaskId, TaskId)]) -> Self {
        nodes.sort_by(|one, other| one.id.cmp(&other.id));
        nodes.dedup_by(|one, other| one.id == other.id);
        let place = |id: &TaskId| nodes.binary_search_by(|node| node.id.cmp(id)).ok();
        let mut after = vec![BTreeSet::new(); nodes.len()];
        let mut before = vec![BTreeSet::new(); nodes.len()];
        for (task, needed) in edges {
            if let (Some(task), Some(needed)) = (place(task), place(needed)) {
                after[task].insert(needed);
                before[needed].insert(task);
            }
        }
        Graph { nodes, after, before }
    }

    /// Gives the tasks, in order of their ids.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Gives every pair of a task and one that it depends on, as places among the nodes.
    pub fn edges(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let all = self.after.iter().enumerate();
        all.flat_map(|(task, needed)| needed.iter().map(move |needed| (task, *needed)))
    }

    /// Gives the places of the tasks that one waits for.
    pub fn needed_by(&self, task: usize) -> impl Iterator<Item = usize> + '_ {
        self.after[task].iter().copied()
    }

    /// Gives the same graph without the tasks that are over.
    pub fn open(&self) -> Graph {
        self.part(|at| !self.nodes[at].status.is_over())
    }

    /// Gives the same graph without the tasks that wait for nothing and that nothing waits for.
    pub fn joined(&self) -> Graph {
        self.part(|at| !self.after[at].is_empty() || !self.before[at].is_empty())
    }

    fn part(&self, stays: impl Fn(usize) -> bool) -> Graph {
        let nodes = (0..self.nodes.len()).filter(|at| stays(*at)).map(|at| self.nodes[at].clone());
        let id = |at: usize| self.nodes[at].id.clone();
        let edges: Vec<_> = self.edges().map(|(task, needed)| (id(task), id(needed))).collect();
        Graph::new(nodes.collect(), &edges)
    }

    /// Gives the circles in which tasks wait for themselves: the tasks of each, in the order in which
    /// they wait for each other, the first one's id the smallest. A graph whose changes went past the
    /// guard has none.
    pub fn cycles(&self) -> Vec<Vec<&TaskId>> {
        let mut told = BTreeSet::new();
        let mut cycles = Vec::new();
        for home in 0..self.nodes.len() {
            if told.contains(&home) {
                continue;
            }
            if let Some(way) = self.way_back(home) {
                told.extend(way.iter().copied());
                cycles.push(way.into_iter().map(|place| &self.nodes[place].id).collect());
            }
        }
        cycles
    }

    /// Gives a shortest way from a task along what it waits for back to itself.
    fn way_back(&self, home: usize) -> Option<Vec<usize>> {
        let mut from: BTreeMap<usize, usize> = BTreeMap::new();
        let mut open = VecDeque::from([home]);
        while let Some(task) = open.pop_front() {
            for &needed in &self.after[task] {
                if needed == home {
                    let back = std::iter::successors(Some(task), |at| from.get(at).copied());
                    let mut way: Vec<usize> = back.collect();
                    way.reverse();
                    return Some(way);
                }
                if let Entry::Vacant(place) = from.entry(needed) {
                    place.insert(task);
                    open.push_back(needed);
                }
            }
        }
        None
    }

    /// Gives for each task how many others lie on the longest way to it.
    pub fn depths(&self) -> Vec<usize> {
        self.ranks(|_| true)
    }

    /// Gives for each task the wave in which it may run, from 1; 0 for those that are over. A task
    /// runs in the wave behind the last of those that it waits for.
    pub fn waves(&self) -> Vec<usize> {
        let open = |node: &Node| !node.status.is_over();
        let ranks = self.ranks(open);
        let wave = |(node, rank): (&Node, usize)| if open(node) { rank + 1 } else { 0 };
        self.nodes.iter().zip(ranks).map(wave).collect()
    }

    /// Gives for each task how many of those that `counts` holds for lie on the longest way to it. A
    /// circle is broken at the task with the smallest id.
    fn ranks(&self, counts: impl Fn(&Node) -> bool) -> Vec<usize> {
        let mut waits: Vec<usize> = self.after.iter().map(BTreeSet::len).collect();
        let mut ranks = vec![0; self.nodes.len()];
        let mut left: BTreeSet<usize> = (0..self.nodes.len()).collect();
        let mut free: BTreeSet<usize> = left.iter().copied().filter(|at| waits[*at] == 0).collect();
        while let Some(task) = free.pop_first().or_else(|| left.first().copied()) {
            free.remove(&task);
            if !left.remove(&task) {
                continue;
            }
            let behind = ranks[task] + usize::from(counts(&self.nodes[task]));
            for &next in self.before[task].iter().filter(|next| left.contains(next)) {
                ranks[next] = ranks[next].max(behind);
                waits[next] -= 1;
                if waits[next] == 0 {
                    free.insert(next);
                }
            }
        }
        ranks
    }
}

impl serde::Serialize for Graph {
    /// Writes the tasks with their waves and depths, who depends on whom, and the circles.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (waves, depths) = (self.waves(), self.depths());
        let tasks = self.nodes.iter().enumerate().map(|(place, node)| {
            let mut value = json!(node);
            value["wave"] = waves[place].into();
            value["depth"] = depths[place].into();
            value
        });
        let edges = self.edges().map(|(task, needed)| {
            json!({ "task_id": self.nodes[task].id, "depends_on": self.nodes[needed].id })
        });
        let whole = json!({
            "nodes": tasks.collect::<Vec<_>>(),
            "edges": edges.collect::<Vec<_>>(),
            "cycles": self.cycles(),
        });
        whole.serialize(serializer)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Gives a graph of lines such as `cc running: aa bb`.
    pub(in crate::plan) fn graph(text: &str) -> Graph {
        let (mut nodes, mut edges) = (Vec::new(), Vec::new());
        for line in text.lines() {
            let (head, needed) = line.split_once(':').expect("a colon");
            let (id, word) = head.split_once(' ').expect("a status");
            let id: TaskId = id.parse().expect("an id");
            let status = Status::ALL.into_iter().find(|status| status.word() == word);
            let status = status.expect("a status");
            let needed = needed.split_whitespace().map(|id| id.parse().expect("an id"));
            edges.extend(needed.map(|needed| (id.clone(), needed)));
            nodes.push(Node { title: format!("About {id}"), id, status, phase: None });
        }
        Graph::new(nodes, &edges)
    }

    /// R002-23: what is done holds nobody up, and nothing runs before what it waits for.
    #[test]
    fn a_task_runs_in_the_wave_behind_what_it_waits_for() {
        let graph = graph("aa done:\nbb ready: aa\ncc waiting: aa bb\ndd waiting: cc\nee ready:");
        assert_eq!(graph.waves(), [0, 1, 2, 3, 1]);
        assert_eq!(graph.depths(), [0, 1, 2, 3, 0]);
        assert!(graph.cycles().is_empty());
    }

    /// R002-33, R002-34: a circle is found, told in order, and hides no task.
    #[test]
    fn circles_are_told_and_hide_nothing() {
        let graph =
            graph("aa waiting: cc\nbb waiting: aa\ncc waiting: bb\ndd waiting: dd\nee waiting: aa");
        let cycles: Vec<Vec<&str>> = graph
            .cycles()
            .into_iter()
            .map(|cycle| cycle.into_iter().map(TaskId::as_str).collect())
            .collect();
        assert_eq!(cycles, [vec!["aa", "cc", "bb"], vec!["dd"]]);
        assert_eq!(graph.waves(), [1, 2, 3, 1, 2]);
    }

    #[test]
    fn who_stands_alone_is_not_joined() {
        let joined = graph("aa ready:\nbb ready:\ncc waiting: bb").joined();
        let ids: Vec<&str> = joined.nodes().iter().map(|node| node.id.as_str()).collect();
        assert_eq!((ids, joined.edges().count()), (vec!["bb", "cc"], 1));
        let open = graph("aa done:\nbb waiting: aa cc\ncc ready:").open();
        let ids: Vec<&str> = open.nodes().iter().map(|node| node.id.as_str()).collect();
        assert_eq!((ids, open.edges().count()), (vec!["bb", "cc"], 1));
    }

    #[test]
    fn a_pair_that_names_nobody_is_left_out() {
        let graph = graph("aa ready: zz\nbb waiting: aa aa");
        assert_eq!(graph.edges().collect::<Vec<_>>(), [(1, 0)]);
    }

    #[test]
    fn each_status_is_spelled_as_json_spells_it() {
        for status in Status::ALL {
            assert_eq!(serde_json::to_value(status).expect("a word"), status.word());
        }
    }
}
