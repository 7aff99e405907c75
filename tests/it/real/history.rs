//! A real history, and the ranges that are chosen from it.

use std::collections::{BTreeSet, HashMap};
use std::fmt;

use crate::support::{Random, TestRepo};

/// A commit, with its parents as places in the history.
pub(super) struct Commit {
    pub(super) id: String,
    pub(super) tree: String,
    pub(super) date: i64,
    pub(super) parents: Vec<usize>,
}

/// All commits of the remote's branches, parents first, and the branches' tips.
pub(super) struct History {
    pub(super) commits: Vec<Commit>,
    tips: Vec<usize>,
}

/// What a range is an example of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// One commit.
    Single,
    /// Ten commits by first parents, with all that they merge.
    Ten,
    /// A hundred of them.
    Hundred,
    /// A merge, seen from any of its parents.
    Merge,
    /// One branch seen from another.
    Branches,
    /// Two commits of no special relation.
    Any,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Single => "1 commit",
            Kind::Ten => "10 commits",
            Kind::Hundred => "100 commits",
            Kind::Merge => "a merge",
            Kind::Branches => "two branches",
            Kind::Any => "any two",
        })
    }
}

/// A base and a head, as places in the history.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    pub(super) kind: Kind,
    pub(super) base: usize,
    pub(super) head: usize,
}

/// How many ranges of each kind are tried.
const COUNTS: [(Kind, usize); 6] = [
    (Kind::Single, 60),
    (Kind::Ten, 50),
    (Kind::Hundred, 30),
    (Kind::Merge, 50),
    (Kind::Branches, 30),
    (Kind::Any, 20),
];

impl History {
    pub(super) fn read(repo: &TestRepo) -> Self {
        let flags = ["log", "--remotes", "--topo-order", "--reverse", "--format=%H %T %ct %P"];
        let printed = repo.git(&flags);
        let mut known: HashMap<&str, usize> = HashMap::new();
        let mut commits = Vec::new();
        for line in printed.lines() {
            let words: Vec<&str> = line.split(' ').filter(|word| !word.is_empty()).collect();
            let [id, tree, date, parents @ ..] = words.as_slice() else { panic!("{line}") };
            known.insert(id, commits.len());
            commits.push(Commit {
                id: (*id).to_owned(),
                tree: (*tree).to_owned(),
                date: date.parse().unwrap(),
                parents: parents.iter().map(|parent| known[parent]).collect(),
            });
        }
        let tips = repo.git(&["for-each-ref", "--format=%(objectname)", "refs/remotes"]);
        let tips: BTreeSet<usize> = tips.lines().map(|tip| known[tip]).collect();
        History { commits, tips: tips.into_iter().collect() }
    }

    /// Chooses the same ranges in every run.
    pub(super) fn ranges(&self, seed: u64) -> Vec<Range> {
        let mut random = Random::new(seed);
        let mut ranges = Vec::new();
        for (kind, count) in COUNTS {
            let chosen = (0..count * 1_000).filter_map(|_| self.range(kind, &mut random));
            ranges.extend(chosen.take(count));
        }
        ranges
    }

    /// Draws a commit, and gives a range of the kind that ends there, if there is one.
    fn range(&self, kind: Kind, random: &mut Random) -> Option<Range> {
        let mut head = random.below(self.commits.len());
        let parents = &self.commits[head].parents;
        let base = match kind {
            Kind::Single if parents.len() == 1 => parents[0],
            Kind::Single => return None,
            Kind::Ten => self.back(head, 10)?,
            Kind::Hundred => self.back(head, 100)?,
            Kind::Merge if parents.len() > 1 => *random.pick(parents),
            Kind::Merge => return None,
            Kind::Branches => {
                head = *random.pick(&self.tips);
                *random.pick(&self.tips)
            }
            Kind::Any => random.below(self.commits.len()),
        };
        (base != head).then_some(Range { kind, base, head })
    }

    fn back(&self, commit: usize, steps: usize) -> Option<usize> {
        (0..steps).try_fold(commit, |at, _| self.commits[at].parents.first().copied())
    }

    /// Gives the tip of the longest history.
    pub(super) fn last(&self) -> usize {
        self.commits.len() - 1
    }
}
