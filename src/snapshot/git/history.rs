//! The graph of commits: who descends from whom, and what lies between two of them.

use std::collections::{HashMap, HashSet};

use gix::ObjectId;
use gix::objs::{CommitRefIter, Find as _, Kind};

use super::GitRepository;
use super::store::broken;
use crate::snapshot::{Change, Fault, Oid, Repository as _, Side, Step};

/// Commits with their parents.
type Graph = HashMap<ObjectId, Vec<ObjectId>>;

impl GitRepository {
    /// Tells whether `ancestor` is `descendant` or lies in its history.
    ///
    /// In a shallow clone a no may be one of the cut only; then it is a fault (attack 57).
    pub fn is_ancestor(&self, ancestor: Oid, descendant: Oid) -> Result<bool, Fault> {
        if ancestor == descendant {
            return Ok(true);
        }
        if !self.is_shallow() {
            return Ok(self.best_common(ancestor, descendant)? == Some(ancestor));
        }
        let below = self.reach(descendant)?;
        if below.commits.contains_key(&ancestor.0) {
            return Ok(true);
        }
        let known = self.reach(ancestor)?;
        if below.cut.is_subset(&known.cut) { Ok(false) } else { Err(cut_short()) }
    }

    /// Gives the best common ancestor of two commits; none if they share no history.
    ///
    /// In a shallow clone whose cut could hide a better one it is a fault (attacks 56 and 57).
    pub fn merge_base(&self, one: Oid, other: Oid) -> Result<Option<Oid>, Fault> {
        if self.is_shallow() {
            self.whole_enough(one, other)?;
        }
        self.best_common(one, other)
    }

    fn best_common(&self, one: Oid, other: Oid) -> Result<Option<Oid>, Fault> {
        let repo = &self.store.repo;
        let failed = |error: &gix::Error| broken(format!("the history can't be walked: {error}"));
        let cached = if self.is_shallow() { None } else { repo.commit_graph().ok() };
        let mut graph = repo.revision_graph(cached.as_ref());
        let best = repo.merge_base_with_graph(one.0, other.0, &mut graph);
        Ok(best.map_err(|error| failed(&error))?.map(|id| Oid(id.detach())))
    }

    /// Gives the commits that `head` has and `base` lacks, oldest first, each after its parents.
    pub(super) fn steps(&self, base: Oid, head: Oid) -> Result<Vec<Step>, Fault> {
        let between = if self.is_shallow() {
            let known = self.whole_enough(base, head)?;
            let mut reached = self.reach(head)?.commits;
            reached.retain(|id, _| !known.contains_key(id));
            reached
        } else {
            self.between(base, head)?
        };
        let order = oldest_first(&between, head.0);
        order.into_iter().map(|id| self.step(Oid(id), &between[&id])).collect()
    }

    fn between(&self, base: Oid, head: Oid) -> Result<Graph, Fault> {
        let failed = |error: gix::Error| broken(format!("the history can't be walked: {error}"));
        let walk = self.store.repo.rev_walk([head.0]).with_hidden([base.0]).all();
        let read = |found: gix::Result<gix::revision::walk::Info<'_>>| {
            let found = found.map_err(failed)?;
            Ok((found.id, found.parent_ids.to_vec()))
        };
        walk.map_err(failed)?.map(read).collect()
    }

    /// Gives a commit with what it changed: against its first parent, and of a merge only what
    /// no parent had.
    fn step(&self, commit: Oid, parents: &[ObjectId]) -> Result<Step, Fault> {
        let first = parents.first().map_or(Side::Nothing, |id| Side::Commit(Oid(*id)));
        let changes = self.changes(first, Side::Commit(commit))?;
        let others: Vec<_> = parents.iter().skip(1).map(|id| Oid(*id)).collect();
        Ok(Step { commit, changes: self.unlike(changes, &others)? })
    }

    /// Keeps the changes whose outcome none of these commits has (design rule 5).
    pub(super) fn unlike(
        &self,
        mut changes: Vec<Change>,
        commits: &[Oid],
    ) -> Result<Vec<Change>, Fault> {
        for commit in commits {
            let mut kept = Vec::with_capacity(changes.len());
            for change in changes {
                if self.node(Side::Commit(*commit), &change.path)? != change.new {
                    kept.push(change);
                }
            }
            changes = kept;
        }
        Ok(changes)
    }

    /// Refuses if commits that this shallow clone lacks could belong to one of two histories and
    /// not to the other; gives the first's.
    fn whole_enough(&self, one: Oid, other: Oid) -> Result<Graph, Fault> {
        let (one, other) = (self.reach(one)?, self.reach(other)?);
        if one.cut == other.cut { Ok(one.commits) } else { Err(cut_short()) }
    }

    /// Walks everything that a shallow clone holds of a history.
    fn reach(&self, tip: Oid) -> Result<Reach, Fault> {
        let mut reach = Reach::default();
        let mut queue = vec![tip.0];
        let mut bytes = Vec::new();
        while let Some(id) = queue.pop() {
            if reach.commits.contains_key(&id) || reach.cut.contains(&id) {
                continue;
            }
            let found = self.store.repo.objects.try_find(&id, &mut bytes);
            let found = found.map_err(|error| broken(format!("commit {id}: {error}")))?;
            let Some(data) = found.filter(|data| data.kind == Kind::Commit) else {
                reach.cut.insert(id);
                continue;
            };
            let commit = CommitRefIter::from_bytes(data.data, self.store.repo.object_hash());
            let parents: Vec<_> = commit.parent_ids().collect();
            queue.extend(&parents);
            reach.commits.insert(id, parents);
        }
        Ok(reach)
    }
}

/// What a shallow clone holds of a history, and the commits it names but lacks.
#[derive(Default)]
struct Reach {
    commits: Graph,
    cut: HashSet<ObjectId>,
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
