//! Entries of a task that a merge put behind those of another parent, as `orch task rebase` does.

use std::collections::{BTreeMap, BTreeSet};

use super::Walk;
use crate::record::{Home, Record, RecordPath, same_submission};
use crate::snapshot::{Fault, Node, Oid, Side};
use crate::source::RepoPath;
use crate::world::ledgers;

/// The entries of a ledger, by their files.
type Kept = BTreeMap<RepoPath, Node>;

impl Walk<'_> {
    /// Gives those of a parent's entries, gone from their places in one ledger, that the merge still
    /// holds: behind the entries of another parent, which all stand where they stood, and in the order
    /// they had (design rule 9). What that other parent says already is not said twice (R001-18).
    ///
    /// Which of the parents had landed can't be told from the commits: a merge that is landed by
    /// moving the branch forward has it second. Either may stay, as nothing is lost; what is known to
    /// have landed never comes here.
    pub(super) fn moved(
        &self,
        parent: Oid,
        folder: &RepoPath,
        mut gone: Vec<Record>,
    ) -> Result<BTreeSet<RepoPath>, Fault> {
        let mut excused = BTreeSet::new();
        if self.step.parents.len() < 2 || !matches!(gone[0].path.home, Home::Task(_)) {
            return Ok(excused);
        }
        let was = self.kept(parent, folder)?;
        let is = self.kept(self.step.commit, folder)?;
        let stayed = self.stayed(parent, folder, &was, &is)?;
        if stayed.is_empty() {
            return Ok(excused);
        }
        let is_new = |path: &RepoPath, node: &Node| was.get(path) != Some(node);
        let mut candidates = Vec::new();
        for (path, node) in is.iter().filter(|(path, node)| is_new(path, node)) {
            candidates.extend(ledgers::read_one(self.repository, path, *node)?);
        }
        candidates.sort_by_key(Record::sequence);
        gone.sort_by_key(Record::sequence);
        let mut behind = 0;
        for record in &gone {
            let rest = candidates[behind..].iter();
            if let Some(at) = rest.clone().position(|candidate| is_renumbered(record, candidate)) {
                behind += at + 1;
                excused.insert(record.repo_path().clone());
            } else if candidates.iter().any(|candidate| {
                stayed.contains(candidate.repo_path())
                    && same_submission(&candidate.payload, &record.payload) == Some(true)
            }) {
                excused.insert(record.repo_path().clone());
            }
        }
        Ok(excused)
    }

    /// Gives the records of those other parents whose ledger went on by itself and stands unchanged.
    fn stayed(
        &self,
        parent: Oid,
        folder: &RepoPath,
        was: &Kept,
        is: &Kept,
    ) -> Result<BTreeSet<RepoPath>, Fault> {
        let mut stayed = BTreeSet::new();
        for other in self.step.parents.iter().filter(|other| **other != parent) {
            let there = self.kept(*other, folder)?;
            let unchanged = there.iter().all(|(path, node)| is.get(path) == Some(node));
            let went_on = there.iter().any(|(path, node)| was.get(path) != Some(node));
            if unchanged && went_on {
                stayed.extend(there.into_keys());
            }
        }
        Ok(stayed)
    }

    /// Lists the entries that a commit has of a ledger.
    fn kept(&self, commit: Oid, folder: &RepoPath) -> Result<Kept, Fault> {
        let listed = self.repository.list(Side::Commit(commit), folder)?.into_iter();
        Ok(listed.filter(|(path, _)| RecordPath::parse(path).is_ok()).collect())
    }
}

/// Tells whether an entry is another one in a later place: only where it stands, when it was put there
/// and on which branch may differ.
fn is_renumbered(was: &Record, is: &Record) -> bool {
    let said = |record: &Record| {
        (record.entry.actor.clone(), record.entry.session.clone(), record.entry.policy)
    };
    was.payload == is.payload
        && said(was) == said(is)
        && was.entry.recorded_at <= is.entry.recorded_at
}
