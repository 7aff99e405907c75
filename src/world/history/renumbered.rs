//! Entries of a task that a merge put behind those of another parent, as `orch task rebase` does.

use std::collections::{BTreeMap, BTreeSet};

use super::Joint;
use crate::record::{Home, Record, RecordPath, same_submission};
use crate::snapshot::{Fault, Node, Side};
use crate::source::{Digest, RepoPath};
use crate::world::ledgers;

/// The entries of a ledger, by their files.
type Kept = BTreeMap<RepoPath, Node>;

impl Joint<'_> {
    /// Gives those of a parent's entries, gone from their places in one ledger, that the merge still
    /// holds: behind the entries of another parent, which all stand where they stood, and in the order
    /// they had. What that other parent says already is not said twice (R001-18).
    ///
    /// Which of the parents had landed can't be told from the commits: a merge that is landed by
    /// moving the branch forward has it second. Either may stay, as nothing is lost; what is known to
    /// have landed never comes here.
    pub(super) fn moved(
        &self,
        parent: Side,
        folder: &RepoPath,
        mut gone: Vec<Record>,
    ) -> Result<BTreeSet<RepoPath>, Fault> {
        let mut excused = BTreeSet::new();
        if self.parents.len() < 2 || !matches!(gone[0].path.home, Home::Task(_)) {
            return Ok(excused);
        }
        let was = self.kept(parent, folder)?;
        let is = self.kept(self.head, folder)?;
        let stayed = self.stayed(parent, folder, &was, &is)?;
        if stayed.is_empty() {
            return Ok(excused);
        }
        let is_new = |path: &RepoPath, node: &Node| was.get(path) != Some(node);
        let mut candidates = Vec::new();
        for (path, node) in is.iter().filter(|(path, node)| is_new(path, node)) {
            let Ok(record) = ledgers::read_one(self.repository, path, *node)? else { continue };
            if self.is_chained(&is, &record)? {
                candidates.push(record);
            }
        }
        candidates.sort_by_key(Record::sequence);
        gone.sort_by_key(Record::sequence);
        let mut behind = 0;
        for record in &gone {
            let mut rest = candidates[behind..].iter();
            let moved = rest.position(|candidate| is_renumbered(record, candidate));
            behind += moved.map_or(0, |at| at + 1);
            if moved.is_some() || self.is_said(record, &candidates, &stayed)? {
                excused.insert(record.repo_path().clone());
            }
        }
        Ok(excused)
    }

    /// Gives what those other parents have beyond this one whose ledger went on by itself and stands
    /// unchanged.
    fn stayed(
        &self,
        parent: Side,
        folder: &RepoPath,
        was: &Kept,
        is: &Kept,
    ) -> Result<Kept, Fault> {
        let mut stayed = Kept::new();
        for other in self.parents.iter().filter(|other| **other != parent) {
            let there = self.kept(*other, folder)?;
            if there.iter().all(|(path, node)| is.get(path) == Some(node)) {
                let beyond = there.into_iter().filter(|(path, node)| was.get(path) != Some(node));
                stayed.extend(beyond);
            }
        }
        Ok(stayed)
    }

    /// Tells whether another parent says already what an entry says. As it may say so in other words,
    /// it must have landed where that can be told: else a branch made for it could replace the entry.
    fn is_said(
        &self,
        record: &Record,
        candidates: &[Record],
        stayed: &Kept,
    ) -> Result<bool, Fault> {
        for candidate in candidates {
            let Some(node) = stayed.get(candidate.repo_path()) else { continue };
            if same_submission(&candidate.payload, &record.payload) == Some(true)
                && (!self.is_all || self.has_landed(candidate.repo_path(), Some(*node))?)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Tells whether an entry names the one before it among these.
    fn is_chained(&self, ledger: &Kept, record: &Record) -> Result<bool, Fault> {
        let before = record.sequence().checked_sub(1);
        for (path, node) in ledger {
            if RecordPath::parse(path).is_ok_and(|place| place.sequence == before) {
                let digest = Digest::of(&self.repository.read(node.oid)?);
                return Ok(record.entry.previous == Some(digest));
            }
        }
        Ok(false)
    }

    /// Lists the entries that a side has of a ledger.
    fn kept(&self, side: Side, folder: &RepoPath) -> Result<Kept, Fault> {
        let listed = self.repository.list(side, folder)?.into_iter();
        Ok(listed.filter(|(path, _)| RecordPath::parse(path).is_ok()).collect())
    }
}

/// Tells whether an entry is another one behind other entries than before: only where it stands, when
/// it was put there and on which branch may differ. Behind the same entry it would be an edit.
fn is_renumbered(was: &Record, is: &Record) -> bool {
    let said = |record: &Record| {
        (record.entry.actor.clone(), record.entry.session.clone(), record.entry.policy)
    };
    was.payload == is.payload
        && said(was) == said(is)
        && was.entry.previous != is.entry.previous
        && was.entry.recorded_at <= is.entry.recorded_at
}
