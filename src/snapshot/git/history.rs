//! The graph of commits: who descends from whom, and what lies between two of them.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;

use super::GitRepository;
use super::paint::Paint;
use crate::snapshot::{Fault, LastChange, Oid, Repository as _, Side, Step};
use crate::source::{Moment, RepoPath};

/// Commits with their parents.
pub(super) type Graph = HashMap<ObjectId, Vec<ObjectId>>;

/// What two commits share, and what only the head has.
pub(super) struct Between {
    pub(super) merge_base: Option<Oid>,
    pub(super) commits: Graph,
}

impl GitRepository {
    /// Tells whether `ancestor` is `descendant` or lies in its history.
    ///
    /// In a shallow clone a no may be one of the cut only; then it is a fault (attack 57).
    pub fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool, Fault> {
        if ancestor == descendant {
            return Ok(true);
        }
        let paint = Paint::walk(&self.store, ancestor.0, descendant.0)?;
        if paint.second_reaches(ancestor.0) {
            return Ok(true);
        }
        if paint.second_is_cut() { Err(cut_short()) } else { Ok(false) }
    }

    /// Gives the best common ancestor of two commits, the newest if there are several; none if
    /// they share no history.
    ///
    /// In a shallow clone whose cut could hide a better one it is a fault (attacks 56 and 57).
    pub fn merge_base(&self, one: Oid, other: Oid) -> Result<Option<Oid>, Fault> {
        Ok(self.between(one, other)?.merge_base)
    }

    /// Finds the merge base and the commits that `head` has and `base` lacks.
    ///
    /// Where dates in what both share run against the order of its commits by more than a day, a
    /// few commits that `base` has may be among them; none that it lacks is ever left out.
    pub(super) fn between(&self, base: Oid, head: Oid) -> Result<Between, Fault> {
        let paint = Paint::walk(&self.store, base.0, head.0)?;
        if paint.is_cut() {
            return Err(cut_short());
        }
        let merge_base = self.best(&paint.common())?;
        Ok(Between { merge_base, commits: paint.only_second() })
    }

    /// Gives every commit that `head` reaches and `since` does not, oldest first, each after its
    /// parents; without `since`, the whole of its history.
    ///
    /// A shallow clone that lacks one of them can't tell what it did; that is a fault.
    pub(super) fn walked(&self, since: Option<Oid>, head: Oid) -> Result<Vec<Step>, Fault> {
        let commits = match since {
            Some(since) => self.between(since, head)?.commits,
            None => self.whole(head)?,
        };
        Ok(steps(&commits, head))
    }

    /// Gives when a file last changed, back from `head` along first parents, so that what was merged
    /// counts from its merge on. Nothing from before `since` is looked at: the walk ends there.
    pub fn last_change(
        &self,
        path: &RepoPath,
        head: Oid,
        since: Moment,
    ) -> Result<LastChange, Fault> {
        let mut commit = head;
        let Some(now) = self.node(Side::Commit(head), path)? else {
            return Ok(LastChange::Missing);
        };
        loop {
            let meta = self.commit_meta(commit)?;
            if meta.committer.at < since {
                return Ok(LastChange::NotSince(since));
            }
            let Some(parent) = meta.parents.first().copied() else {
                return Ok(LastChange::At(meta.committer.at));
            };
            if self.is_shallow() && !self.store.repo.has_object(parent.0) {
                return Ok(LastChange::CutOff);
            }
            if self.node(Side::Commit(parent), path)? != Some(now) {
                return Ok(LastChange::At(meta.committer.at));
            }
            commit = parent;
        }
    }

    /// Reads a history to its roots, from the commits alone: no list of them that Git keeps aside is
    /// believed, and no cut either where the commits behind it are here.
    fn whole(&self, head: Oid) -> Result<Graph, Fault> {
        let mut commits = Graph::new();
        let mut open = vec![head.0];
        while let Some(id) = open.pop() {
            if commits.contains_key(&id) {
                continue;
            }
            if self.is_shallow() && !self.store.repo.has_object(id) {
                return Err(cut_off());
            }
            let (_, parents) = self.store.commit(Oid(id))?;
            open.extend(&parents);
            commits.insert(id, parents);
        }
        Ok(commits)
    }

    /// Gives the first of some commits that is no ancestor of another.
    fn best(&self, common: &[ObjectId]) -> Result<Option<Oid>, Fault> {
        let Some((first, others)) = common.split_first() else { return Ok(None) };
        for other in others {
            if self.is_ancestor(Oid(*first), Oid(*other))? {
                return self.best(others);
            }
        }
        Ok(Some(Oid(*first)))
    }
}

/// Gives commits as steps, oldest first, each after its parents.
pub(super) fn steps(commits: &Graph, head: Oid) -> Vec<Step> {
    let order = oldest_first(commits, head.0).into_iter();
    let parents = |id: &ObjectId| commits[id].iter().copied().map(Oid).collect();
    order.map(|id| Step { commit: Oid(id), parents: parents(&id) }).collect()
}

/// Sorts so that every commit comes after its parents, first parents' histories first.
fn oldest_first(graph: &Graph, head: ObjectId) -> Vec<ObjectId> {
    let mut order = Vec::with_capacity(graph.len());
    let mut seen = HashSet::new();
    let mut stack = vec![(head, false)];
    while let Some((id, parents_done)) = stack.pop() {
        if parents_done {
            order.push(id);
            continue;
        }
        let Some(parents) = graph.get(&id) else { continue };
        if !seen.insert(id) {
            continue;
        }
        stack.push((id, true));
        stack.extend(parents.iter().rev().map(|parent| (*parent, false)));
    }
    order
}

fn cut_short() -> Fault {
    Fault::new(
        "this is a shallow clone, and its history is cut before it can tell what is new",
        "fetch the rest: `git fetch --unshallow origin` (in CI: a checkout with `fetch-depth: 0`)",
    )
}

fn cut_off() -> Fault {
    Fault::new(
        "this is a shallow clone, which can't show that no record was ever edited or dropped",
        "fetch the rest: `git fetch --unshallow origin` (in CI: a checkout with `fetch-depth: 0`); \
         to look at the tree alone: `orch verify --anchor HEAD`",
    )
}
