//! A repository made of text, for worlds in tests and examples: the same questions, no disk.

use std::collections::{BTreeMap, BTreeSet};

use super::{Change, Fault, Makers, Mode, Node, Oid, Repository, Side};
use crate::source::RepoPath;

/// Files by path, one map a side. [`Side::Index`] is what is proposed; commits are added in order.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    blobs: BTreeMap<Oid, Vec<u8>>,
    sides: BTreeMap<Side, BTreeMap<RepoPath, Node>>,
    makers: BTreeMap<Oid, BTreeSet<String>>,
}

impl Memory {
    /// Sets the files of a side, replacing what it had; refuses nothing.
    pub fn set(&mut self, side: Side, files: &BTreeMap<RepoPath, (Mode, Vec<u8>)>) {
        let nodes = files
            .iter()
            .map(|(path, (mode, bytes))| {
                let oid = blob_id(bytes);
                self.blobs.insert(oid, bytes.clone());
                (path.clone(), Node { mode: *mode, oid })
            })
            .collect();
        self.sides.insert(side, nodes);
    }

    /// Gives a made-up commit that tests can tell from others by its number.
    pub fn commit(number: u8) -> Side {
        Side::Commit(blob_id(&[number]))
    }

    /// Names the maker of a commit by an e-mail address.
    pub fn set_maker(&mut self, commit: Oid, email: &str) {
        self.makers.entry(commit).or_default().insert(email.to_lowercase());
    }

    fn files(&self, side: Side) -> impl Iterator<Item = (&RepoPath, &Node)> {
        self.sides.get(&side).into_iter().flatten()
    }
}

pub(super) fn blob_id(bytes: &[u8]) -> Oid {
    let oid = gix::objs::compute_hash(gix::hash::Kind::Sha1, gix::objs::Kind::Blob, bytes);
    Oid(oid.expect("hashing bytes in memory without a collision attack"))
}

impl Repository for Memory {
    fn node(&self, side: Side, path: &RepoPath) -> Result<Option<Node>, Fault> {
        Ok(self.sides.get(&side).and_then(|files| files.get(path)).copied())
    }

    fn list(&self, side: Side, folder: &RepoPath) -> Result<Vec<(RepoPath, Node)>, Fault> {
        let below = |path: &RepoPath| {
            folder.as_bytes().is_empty() || folder.to_str().is_some_and(|name| path.is_below(name))
        };
        Ok(self
            .files(side)
            .filter(|(path, _)| below(path))
            .map(|(path, node)| (path.clone(), *node))
            .collect())
    }

    fn folders(&self, side: Side, folder: &RepoPath) -> Result<Vec<String>, Fault> {
        let below = folder.as_bytes().len() + usize::from(!folder.as_bytes().is_empty());
        let mut names: Vec<String> = Vec::new();
        for (path, _) in self.list(side, folder)? {
            let rest = String::from_utf8_lossy(&path.as_bytes()[below..]).into_owned();
            names.extend(rest.split_once('/').map(|(name, _)| name.to_owned()));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn read(&self, oid: Oid) -> Result<Vec<u8>, Fault> {
        self.blobs.get(&oid).cloned().ok_or_else(|| {
            Fault::new(format!("object {oid} is missing"), "add the file to the test's repository")
        })
    }

    fn makers(&self, commit: Oid) -> Result<Makers, Fault> {
        let authors = self.makers.get(&commit).cloned().unwrap_or_default();
        Ok(Makers { authors, ..Makers::default() })
    }

    /// A made-up commit has no signature.
    fn openpgp_signer(&self, _: Oid) -> Result<Option<String>, Fault> {
        Ok(None)
    }

    /// Made-up commits have no history.
    fn shapers(&self, _: Oid, _: &RepoPath, _: &BTreeSet<RepoPath>) -> Result<Vec<Oid>, Fault> {
        Ok(Vec::new())
    }

    fn changes(&self, from: Side, to: Side) -> Result<Vec<Change>, Fault> {
        let mut changes: BTreeMap<&RepoPath, (Option<Node>, Option<Node>)> = BTreeMap::new();
        for (path, node) in self.files(from) {
            changes.entry(path).or_default().0 = Some(*node);
        }
        for (path, node) in self.files(to) {
            changes.entry(path).or_default().1 = Some(*node);
        }
        Ok(changes
            .into_iter()
            .filter(|(_, (old, new))| old != new)
            .map(|(path, (old, new))| Change { path: path.clone(), old, new })
            .collect())
    }
}
