//! What commits did to records: each must keep, with the same bytes, what any of its parents has.
//!
//! Both ends of a range may agree while a commit between them dropped something, and a merge that
//! drops what only one parent had looks as if it took that from the other. So every commit is held
//! against each of its parents.

mod renumbered;

use std::collections::{BTreeMap, BTreeSet};

use super::ledgers::{self, touches_landed};
use crate::record::{Record, RecordPath};
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
    /// What a verification was to start from, and does not lead to.
    pub(super) rewritten: Option<Rewritten>,
}

impl History {
    /// Walks the commits of a proposal. One that leaves `.orch` as a parent has it costs its trees
    /// alone against that parent; blobs are read only where something is gone.
    pub(super) fn walk(repository: &dyn Repository, proposal: &Proposal) -> Result<Self, Fault> {
        let mut history = History { rewritten: rewritten(proposal), ..History::default() };
        let landed = match proposal.occasion {
            Occasion::Verification => proposal.base,
            _ => proposal.agreed,
        };
        let mut brought = BTreeSet::new();
        for step in &proposal.steps {
            let walk = Walk { repository, landed, step };
            if landed != Side::Nothing {
                for change in repository.step_changes(step, &orch())? {
                    // A replay looks at what stands, as the whole of it was judged when it landed.
                    if change.old.is_none() && proposal.occasion != Occasion::Verification {
                        history.introduced.insert(change.path.clone(), step.commit);
                    }
                    brought.extend(change.new.map(|node| (change.path, node)));
                }
            }
            history.erased.extend(walk.erased(&brought)?);
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

/// One commit, looked at from each of its parents.
struct Walk<'a> {
    repository: &'a dyn Repository,
    /// What is known to have landed; nothing if that is not known.
    landed: Side,
    step: &'a Step,
}

impl Walk<'_> {
    /// Gives what the commit edits or drops, each path once. `brought` is what it and the commits
    /// before it have brought since what landed.
    fn erased(&self, brought: &BTreeSet<(RepoPath, Node)>) -> Result<Vec<Erased>, Fault> {
        let mut erased: BTreeMap<RepoPath, Erased> = BTreeMap::new();
        for parent in &self.step.parents {
            let sides = (Side::Commit(*parent), Side::Commit(self.step.commit));
            let mut gone = self.repository.changes_below(sides.0, sides.1, &orch())?;
            gone.retain(touches_landed);
            if gone.is_empty() {
                continue;
            }
            let excused = self.excused(*parent, &gone)?;
            for change in gone {
                let signed = change.path.to_str().and_then(|path| path.strip_suffix(".sig"));
                // A signature is of one place in one ledger; it goes where its entry goes.
                let record = signed.map_or_else(|| change.path.clone(), RepoPath::from);
                if excused.contains(&record) || self.is_inherited(&change, brought)? {
                    continue;
                }
                let (commit, dropped) = (self.step.commit, change.new.is_none());
                let path = change.path;
                let found = Erased { path: path.clone(), commit, parent: *parent, dropped };
                erased.entry(path).or_insert(found);
            }
        }
        Ok(erased.into_values().collect())
    }

    /// Gives those of the records gone from a parent that may go: what nobody could read proves
    /// nothing and is mended by a person's decision, which the guard asks for where it lands; and what
    /// was put behind another parent's entries still stands.
    fn excused(&self, parent: Oid, gone: &[Change]) -> Result<BTreeSet<RepoPath>, Fault> {
        let mut excused = BTreeSet::new();
        let mut readable: BTreeMap<RepoPath, Vec<Record>> = BTreeMap::new();
        for change in gone.iter().filter(|change| RecordPath::parse(&change.path).is_ok()) {
            let Some(old) = change.old else { continue };
            match ledgers::read_one(self.repository, &change.path, old)? {
                Err(_) => {
                    excused.insert(change.path.clone());
                }
                Ok(record) if !self.has_landed(&change.path, old)? => {
                    readable.entry(change.path.folder()).or_default().push(record);
                }
                Ok(_) => {}
            }
        }
        for (folder, records) in readable {
            excused.extend(self.moved(parent, &folder, records)?);
        }
        Ok(excused)
    }

    /// Tells whether a file stands like this where it is known to have landed.
    fn has_landed(&self, path: &RepoPath, node: Node) -> Result<bool, Fault> {
        Ok(self.landed != Side::Nothing && self.repository.node(self.landed, path)? == Some(node))
    }

    /// Tells whether a merge took over what became of a record where it had landed. Who merges that
    /// is not to blame for it (design rule 5); the commit that did it is named where all are walked.
    fn is_inherited(
        &self,
        change: &Change,
        brought: &BTreeSet<(RepoPath, Node)>,
    ) -> Result<bool, Fault> {
        let Some(old) = change.old.filter(|_| self.landed != Side::Nothing) else {
            return Ok(false);
        };
        if brought.contains(&(change.path.clone(), old))
            || self.repository.node(self.landed, &change.path)? != change.new
        {
            return Ok(false);
        }
        for parent in &self.step.parents {
            if self.repository.node(Side::Commit(*parent), &change.path)? == change.new {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
