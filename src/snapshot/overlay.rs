//! A repository with a few files more in its index: what a command is about to write, judged
//! before it is written.

use std::collections::{BTreeMap, BTreeSet};

use super::memory::blob_id;
use super::{Change, Fault, Makers, Mode, Node, Oid, Repository, Side, tell_names};
use crate::source::RepoPath;

/// Another repository, whose index also holds these files.
pub struct Overlay<'a> {
    inner: &'a dyn Repository,
    nodes: BTreeMap<RepoPath, Node>,
    blobs: BTreeMap<Oid, Vec<u8>>,
}

impl<'a> Overlay<'a> {
    /// Begins with no file more.
    pub fn new(inner: &'a dyn Repository) -> Self {
        Overlay { inner, nodes: BTreeMap::new(), blobs: BTreeMap::new() }
    }

    /// Adds a plain file with these bytes.
    pub fn add(&mut self, path: RepoPath, bytes: Vec<u8>) {
        let oid = blob_id(&bytes);
        self.blobs.insert(oid, bytes);
        self.nodes.insert(path, Node { mode: Mode::File, oid });
    }

    /// Adds what stands in the object store already.
    pub fn add_node(&mut self, path: RepoPath, node: Node) {
        self.nodes.insert(path, node);
    }
}

impl Repository for Overlay<'_> {
    fn node(&self, side: Side, path: &RepoPath) -> Result<Option<Node>, Fault> {
        match self.nodes.get(path) {
            Some(node) if side == Side::Index => Ok(Some(*node)),
            _ => self.inner.node(side, path),
        }
    }

    fn list(&self, side: Side, folder: &RepoPath) -> Result<Vec<(RepoPath, Node)>, Fault> {
        let mut files: BTreeMap<RepoPath, Node> =
            self.inner.list(side, folder)?.into_iter().collect();
        if side == Side::Index {
            let top = folder.as_bytes().is_empty();
            let below = |path: &RepoPath| top || folder.to_str().is_some_and(|f| path.is_below(f));
            let more = self.nodes.iter().filter(|(path, _)| below(path));
            files.extend(more.map(|(path, node)| (path.clone(), *node)));
        }
        Ok(files.into_iter().collect())
    }

    fn folders(&self, side: Side, folder: &RepoPath) -> Result<Vec<String>, Fault> {
        let mut names = self.inner.folders(side, folder)?;
        let below = folder.as_bytes().len() + usize::from(!folder.as_bytes().is_empty());
        let own = self.nodes.keys().filter(|path| {
            side == Side::Index && folder.to_str().is_some_and(|f| f.is_empty() || path.is_below(f))
        });
        for path in own {
            let rest = String::from_utf8_lossy(&path.as_bytes()[below..]).into_owned();
            names.extend(rest.split_once('/').map(|(name, _)| name.to_owned()));
        }
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn trees(&self, side: Side, folder: &RepoPath) -> Result<Vec<(String, Option<Oid>)>, Fault> {
        match side {
            Side::Index => Ok(self.folders(side, folder)?.into_iter().map(|n| (n, None)).collect()),
            _ => self.inner.trees(side, folder),
        }
    }

    fn names(
        &self,
        side: Side,
        folder: &RepoPath,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Fault> {
        if side != Side::Index {
            return self.inner.names(side, folder, visit);
        }
        tell_names(&self.list(side, folder)?, folder, visit);
        Ok(())
    }

    fn trees_in(&self, tree: Oid) -> Option<Vec<(String, Oid)>> {
        self.inner.trees_in(tree)
    }

    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        self.inner.recall(name)
    }

    fn keep(&self, name: &str, bytes: &[u8]) {
        self.inner.keep(name, bytes);
    }

    fn read(&self, oid: Oid) -> Result<Vec<u8>, Fault> {
        match self.blobs.get(&oid) {
            Some(bytes) => Ok(bytes.clone()),
            None => self.inner.read(oid),
        }
    }

    fn makers(&self, commit: Oid) -> Result<Makers, Fault> {
        self.inner.makers(commit)
    }

    fn openpgp_signer(&self, commit: Oid) -> Result<Option<String>, Fault> {
        self.inner.openpgp_signer(commit)
    }

    fn shapers(
        &self,
        from: Oid,
        root: &RepoPath,
        paths: &BTreeSet<RepoPath>,
    ) -> Result<Vec<Oid>, Fault> {
        self.inner.shapers(from, root, paths)
    }

    fn changes(&self, from: Side, to: Side) -> Result<Vec<Change>, Fault> {
        let mut changes: BTreeMap<RepoPath, Change> = self
            .inner
            .changes(from, to)?
            .into_iter()
            .map(|change| (change.path.clone(), change))
            .collect();
        for (path, node) in &self.nodes {
            let sides = [from, to].map(|side| match side {
                Side::Index => Ok(Some(*node)),
                _ => self.inner.node(side, path),
            });
            let [old, new] = sides;
            let change = Change { path: path.clone(), old: old?, new: new? };
            if change.old == change.new {
                changes.remove(path);
            } else {
                changes.insert(path.clone(), change);
            }
        }
        Ok(changes.into_values().collect())
    }
}
