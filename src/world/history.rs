//! What commits did to records: each must keep, with the same bytes, what any of its parents has.
//!
//! Both ends of a range may agree while a commit between them dropped something, and a merge that
//! drops what only one parent had looks as if it took that from the other. So every commit is held
//! against each of its parents.

mod renumbered;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use super::ledgers::{self, touches_landed};
use crate::record::{Record, RecordPath, record_of};
use crate::snapshot::{Change, Fault, Node, Occasion, Oid, Proposal, Repository, Side, Step};
use crate::source::RepoPath;

/// A record that a commit edits or drops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Erased {
    /// The record, or its signature, or a halt's snapshot.
    pub path: RepoPath,
    /// The commit that does it.
    pub commit: Oid,
    /// The first of its parents that has the record.
    pub parent: Oid,
    /// Whether nothing stands there any more.
    pub dropped: bool,
}

/// A history that no longer leads to a commit which had landed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rewritten {
    /// The commit that had landed.
    pub anchor: Oid,
    /// The commit that should descend from it.
    pub head: Oid,
}

/// What the commits of a proposal did to records, beyond what its ends show.
#[derive(Default)]
pub(super) struct History {
    /// The commit of a range that brought each new record.
    pub(super) introduced: BTreeMap<RepoPath, Oid>,
    /// Records that a commit edited or dropped.
    pub(super) erased: Vec<Erased>,
    /// Entries of one's own that a merge about to be made puts behind those that landed.
    pub(super) moved: BTreeSet<RepoPath>,
    /// What a verification was to start from, and does not lead to.
    pub(super) rewritten: Option<Rewritten>,
}

impl History {
    /// Walks the commits of a proposal. One that leaves `.orch` as a parent has it costs its trees
    /// alone against that parent; blobs are read only where something is gone.
    pub(super) fn walk(repository: &dyn Repository, proposal: &Proposal) -> Result<Self, Fault> {
        let mut history = History { rewritten: rewritten(proposal), ..History::default() };
        let landed = match proposal.occasion {
            Occasion::Merge => {
                history.moved = moved(repository, proposal)?;
                return Ok(history);
            }
            Occasion::Verification => proposal.base,
            Occasion::Commit | Occasion::Range => proposal.agreed,
        };
        let landed: Vec<Side> =
            Some(landed).filter(|side| *side != Side::Nothing).into_iter().collect();
        let mut brought = BTreeSet::new();
        for step in &proposal.steps {
            if !landed.is_empty() {
                for change in repository.step_changes(step, &orch())? {
                    // A replay looks at what stands, as the whole of it was judged when it landed.
                    if change.old.is_none() && proposal.occasion != Occasion::Verification {
                        history.introduced.insert(change.path.clone(), step.commit);
                    }
                    brought.extend(change.new.map(|node| (change.path, node)));
                }
            }
            let parents = step.parents.iter().copied().map(Side::Commit).collect();
            let head = Side::Commit(step.commit);
            let is_all = proposal.agreed != Side::Nothing;
            let joint = Joint { repository, landed: &landed, is_all, head, parents };
            history.erased.extend(joint.erased(step, &brought)?);
        }
        Ok(history)
    }
}

fn orch() -> RepoPath {
    RepoPath::from(".orch")
}

/// Tells whether a verification starts from a commit that does not lead to its head: then none of
/// the commits that are new since stands on it.
fn rewritten(proposal: &Proposal) -> Option<Rewritten> {
    let (Side::Commit(anchor), Side::Commit(head)) = (proposal.base, proposal.head) else {
        return None;
    };
    let descends = head == anchor || proposal.steps.iter().any(|s| s.parents.contains(&anchor));
    let lost = proposal.occasion == Occasion::Verification && !descends;
    lost.then_some(Rewritten { anchor, head })
}

/// Gives what a merge about to be made moves of HEAD's own, with the signatures beside it. Where all
/// of several entries move by one place, some take the others' names, and look like edits.
fn moved(repository: &dyn Repository, proposal: &Proposal) -> Result<BTreeSet<RepoPath>, Fault> {
    let parents = [&[proposal.base], &proposal.parents[..]].concat();
    let (landed, head) = (&proposal.parents[..], proposal.head);
    let joint = Joint { repository, landed, is_all: true, head, parents };
    let gone = proposal.changes.iter().filter(|change| touches_landed(change));
    let mut gone: Vec<Change> = gone.cloned().collect();
    let moved = joint.excused(proposal.base, &gone)?.moved;
    gone.retain(|change| moved.contains(&record_of(&change.path)));
    Ok(gone.into_iter().map(|change| change.path).collect())
}

/// A commit, or what will be one, and what it is made on.
struct Joint<'a> {
    repository: &'a dyn Repository,
    /// What is known to have landed; empty if that is not known.
    landed: &'a [Side],
    /// Whether nothing else has landed: then nothing else can stand for an entry.
    is_all: bool,
    head: Side,
    parents: Vec<Side>,
}

/// Records that may be gone.
struct Excused {
    /// Nobody could read them, so that they prove nothing: a person's decision mends them, which the
    /// guard asks for where it lands.
    unreadable: BTreeSet<RepoPath>,
    /// They still stand, behind the entries of another parent.
    moved: BTreeSet<RepoPath>,
}

impl Joint<'_> {
    /// Gives what the commit edits or drops, each path once. `brought` is what it and the commits
    /// before it have brought since what landed.
    fn erased(
        &self,
        step: &Step,
        brought: &BTreeSet<(RepoPath, Node)>,
    ) -> Result<Vec<Erased>, Fault> {
        let mut erased: BTreeMap<RepoPath, Erased> = BTreeMap::new();
        for parent in &step.parents {
            let side = Side::Commit(*parent);
            let mut gone = self.repository.changes_below(side, self.head, &orch())?;
            gone.retain(touches_landed);
            if gone.is_empty() {
                continue;
            }
            let excused = self.excused(side, &gone)?;
            for change in gone {
                let record = record_of(&change.path);
                if excused.unreadable.contains(&record)
                    || excused.moved.contains(&record)
                    || self.is_inherited(&change, brought)?
                {
                    continue;
                }
                let (commit, dropped) = (step.commit, change.new.is_none());
                let path = change.path;
                let found = Erased { path: path.clone(), commit, parent: *parent, dropped };
                erased.entry(path).or_insert(found);
            }
        }
        Ok(erased.into_values().collect())
    }

    /// Gives those of the records gone from a parent that may be.
    fn excused(&self, parent: Side, gone: &[Change]) -> Result<Excused, Fault> {
        let mut excused = Excused { unreadable: BTreeSet::new(), moved: BTreeSet::new() };
        let mut readable: BTreeMap<RepoPath, Vec<Record>> = BTreeMap::new();
        for change in gone.iter().filter(|change| RecordPath::parse(&change.path).is_ok()) {
            let Some(old) = change.old else { continue };
            match ledgers::read_one(self.repository, &change.path, old)? {
                Err(_) => {
                    excused.unreadable.insert(change.path.clone());
                }
                Ok(record) if !self.has_landed(&change.path, Some(old))? => {
                    readable.entry(change.path.folder()).or_default().push(record);
                }
                Ok(_) => {}
            }
        }
        for (folder, records) in readable {
            excused.moved.extend(self.moved(parent, &folder, records)?);
        }
        Ok(excused)
    }

    /// Tells whether a path looks like this where it is known to have landed.
    fn has_landed(&self, path: &RepoPath, node: Option<Node>) -> Result<bool, Fault> {
        stands_at(self.repository, self.landed, path, node)
    }

    /// Tells whether a merge took over what became of a record where it had landed. Who merges that
    /// is not to blame for it; the commit that did it is named where all are walked.
    fn is_inherited(
        &self,
        change: &Change,
        brought: &BTreeSet<(RepoPath, Node)>,
    ) -> Result<bool, Fault> {
        let path = &change.path;
        let own = change.old.is_some_and(|old| brought.contains(&(path.clone(), old)));
        Ok(!own
            && self.has_landed(path, change.new)?
            && stands_at(self.repository, &self.parents, path, change.new)?)
    }
}

/// Tells whether a path looks like this at any of some sides.
pub(super) fn stands_at(
    repository: &dyn Repository,
    sides: &[Side],
    path: &RepoPath,
    node: Option<Node>,
) -> Result<bool, Fault> {
    for side in sides {
        if repository.node(*side, path)? == node {
            return Ok(true);
        }
    }
    Ok(false)
}
