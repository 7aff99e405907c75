//! A real repository: opened once, asked about any side.

mod command;
mod authors;
mod cache;
mod diff;
mod folder;
mod history;
mod index;
mod names;
mod open;
mod paint;
mod plain;
mod proposal;
mod refs;
mod remote;
mod sign;
mod store;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use gix::bstr::{BStr, ByteSlice as _};
use gix::objs::Kind;

pub(crate) use command::patiently;
pub use plain::PlainSigner;
pub use refs::{Branch, CommitMeta, Person};
pub use remote::Pushed;

use self::folder::{Content, Folder, Item};
use self::index::{Found, Index};
use self::store::Store;
use super::{Another, Change, Fault, GitEnvironment, Makers, Node, Oid, Repository, Side};
use crate::source::RepoPath;

/// A Git repository, read through the environment of the process that asks.
///
/// It reads the index once and answers from that until [`stage`](GitRepository::stage) changes it.
pub struct GitRepository {
    store: Store,
    index: RefCell<Option<Rc<Index>>>,
    /// How many trees were asked for that the index could stand for.
    asked: Cell<u64>,
    environment: GitEnvironment,
    /// The folder that relative paths of the environment start from.
    directory: PathBuf,
    work_dir: Option<PathBuf>,
    common_dir: PathBuf,
    /// A lock that every Git holds which is started from here.
    held: RefCell<Option<File>>,
    /// Holds the joined view on the quarantine for as long as objects are read through it.
    _quarantine: Option<tempfile::TempDir>,
}

impl GitRepository {
    /// Opens the repository that `environment` names, or else the one around `directory`.
    pub fn open(directory: &Path, environment: &GitEnvironment) -> Result<Self, Fault> {
        let opened = open::open(directory, environment)?;
        let common_dir = opened.repo.common_dir();
        let common_dir = common_dir.canonicalize().unwrap_or_else(|_| common_dir.to_owned());
        Ok(GitRepository {
            store: Store::new(opened.repo),
            index: RefCell::default(),
            asked: Cell::default(),
            environment: environment.clone(),
            directory: opened.directory,
            work_dir: opened.work_dir,
            common_dir,
            held: RefCell::default(),
            _quarantine: opened.quarantine,
        })
    }

    /// Gives the top of the working tree; none in a bare repository.
    pub fn work_dir(&self) -> Option<&Path> {
        self.work_dir.as_deref()
    }

    /// Gives the repository's folder, in a linked worktree that worktree's own.
    pub fn git_dir(&self) -> &Path {
        self.store.repo.git_dir()
    }

    /// Gives the folder that all linked worktrees share.
    pub fn common_dir(&self) -> &Path {
        &self.common_dir
    }

    /// Hands a locked file to every Git that is started from now on: while one of them lives, the
    /// lock is held, even if this process ends before it.
    pub fn hold(&self, lock: File) {
        *self.held.borrow_mut() = Some(lock);
    }

    /// Gives the folder that Git runs hooks from; `core.hooksPath` is honoured.
    pub fn hooks_dir(&self) -> PathBuf {
        let Some(named) = self.config_value("core.hooksPath") else {
            return self.common_dir().join("hooks");
        };
        let home = self.environment.path("HOME");
        match (named.strip_prefix("~/"), home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => self.work_dir().unwrap_or(self.git_dir()).join(named),
        }
    }

    /// Tells whether this repository has no working tree.
    pub fn is_bare(&self) -> bool {
        self.work_dir.is_none()
    }

    /// Tells whether the history of this clone is cut somewhere.
    pub fn is_shallow(&self) -> bool {
        self.store.is_shallow()
    }

    /// Gives a value of the configuration, such as `user.email`; the last one if there are many.
    ///
    /// Configuration out of the environment (`git -c`) does not count (attack 62).
    pub fn config_value(&self, key: &str) -> Option<String> {
        let value = self.store.repo.config_snapshot().string(key)?;
        Some(value.to_str_lossy().into_owned()).filter(|text| !text.is_empty())
    }

    fn index(&self) -> Result<Rc<Index>, Fault> {
        if let Some(index) = self.index.borrow().as_ref() {
            return Ok(Rc::clone(index));
        }
        let index = Rc::new(Index::read(&self.index_path()?, self.store.repo.object_hash())?);
        *self.index.borrow_mut() = Some(Rc::clone(&index));
        Ok(index)
    }

    /// Gives the index if it is at hand, or if `trees` more that it stands for make up for reading it. It
    /// only saves work here, so that one that is missing or damaged is none.
    fn index_at_hand(&self, trees: usize) -> Option<Rc<Index>> {
        /// Bytes of an index that are read in the time that one small tree takes.
        const WORTH: u64 = 12_000;
        if let Some(index) = self.index.borrow().as_ref() {
            return Some(Rc::clone(index));
        }
        self.asked.set(self.asked.get().saturating_add(trees as u64));
        let size = std::fs::metadata(self.index_path().ok()?).ok()?.len();
        (size / WORTH <= self.asked.get()).then(|| self.index().ok()).flatten()
    }

    /// Gives the index that Git would commit from, which may be a temporary one (attack 8).
    fn index_path(&self) -> Result<PathBuf, Fault> {
        if let Some(named) = self.named_index() {
            return Ok(named);
        }
        if self.is_bare() {
            return Err(Fault::new(
                "a bare repository has no index, so nothing is staged here",
                "name what to judge: `orch guard --base REV --head REV`",
            ));
        }
        Ok(self.git_dir().join("index"))
    }

    /// Gives the index that the environment names: as Git takes it, from the top of the working
    /// tree, or else from where `GIT_DIR` was meant.
    fn named_index(&self) -> Option<PathBuf> {
        let named = self.environment.path("GIT_INDEX_FILE")?;
        let below = |top: &Path| top.join(&named);
        let from_top = self.work_dir().map_or_else(|| below(&self.directory), below);
        let from_here = below(&self.directory);
        Some(if !from_top.exists() && from_here.exists() { from_here } else { from_top })
    }

    /// Gives the index if one of the sides needs it.
    fn index_for(&self, sides: &[Side]) -> Result<Option<Rc<Index>>, Fault> {
        sides.contains(&Side::Index).then(|| self.index()).transpose()
    }

    fn top<'a>(&self, side: Side, index: Option<&'a Index>) -> Result<Option<Folder<'a>>, Fault> {
        match (side, index) {
            (Side::Commit(id), _) => Ok(Some(Folder::Tree(self.store.tree_of(id)?))),
            (Side::Index, Some(index)) => Ok(Some(Folder::Entries(index.all()))),
            (Side::Nothing | Side::Index, _) => Ok(None),
        }
    }

    /// Gives the folder at a path, the whole tree if that is empty; none if no folder is there.
    fn folder<'a>(
        &self,
        side: Side,
        index: Option<&'a Index>,
        path: &RepoPath,
    ) -> Result<Option<Folder<'a>>, Fault> {
        if path.as_bytes().is_empty() {
            return self.top(side, index);
        }
        match self.find(side, index, path.as_bytes().as_bstr())? {
            Some(Content::Folder(folder)) => Ok(Some(folder)),
            Some(Content::Leaf(_)) | None => Ok(None),
        }
    }

    /// Gives what is told of all that lies right inside a folder; nothing if there is none.
    fn inside<T: Default>(
        &self,
        side: Side,
        folder: &RepoPath,
        tell: impl FnOnce(&[Item<'_>]) -> T,
    ) -> Result<T, Fault> {
        let index = self.index_for(&[side])?;
        let found = self.folder(side, index.as_deref(), folder)?;
        let Some(found) = found else { return Ok(T::default()) };
        Ok(tell(&self.store.items(&found, folder.as_bytes().as_bstr())?))
    }

    fn find<'a>(
        &self,
        side: Side,
        index: Option<&'a Index>,
        path: &BStr,
    ) -> Result<Option<Content<'a>>, Fault> {
        match (side, index) {
            (Side::Commit(id), _) => {
                let tree = self.store.tree_of(id)?;
                if path.is_empty() {
                    return Ok(Some(Content::Folder(Folder::Tree(tree))));
                }
                self.store.descend(tree, path)
            }
            (Side::Index, Some(index)) => match index.find(path)? {
                Found::Nothing => Ok(None),
                Found::Leaf(node) => Ok(Some(Content::Leaf(node))),
                Found::Folder(folder) => Ok(Some(Content::Folder(folder))),
                Found::Within(tree, rest) => self.store.descend(tree, rest.as_bstr()),
            },
            (Side::Nothing | Side::Index, _) => Ok(None),
        }
    }
}

impl Repository for GitRepository {
    fn node(&self, side: Side, path: &RepoPath) -> Result<Option<Node>, Fault> {
        let index = self.index_for(&[side])?;
        match self.find(side, index.as_deref(), path.as_bytes().as_bstr())? {
            Some(Content::Leaf(node)) => Ok(Some(node)),
            Some(Content::Folder(_)) | None => Ok(None),
        }
    }

    fn list(&self, side: Side, folder: &RepoPath) -> Result<Vec<(RepoPath, Node)>, Fault> {
        let index = self.index_for(&[side])?;
        match self.find(side, index.as_deref(), folder.as_bytes().as_bstr())? {
            Some(Content::Folder(found)) => diff::list(&self.store, found, folder),
            Some(Content::Leaf(_)) | None => Ok(Vec::new()),
        }
    }

    fn files(&self, side: Side, folder: &RepoPath) -> Result<Vec<(RepoPath, Node)>, Fault> {
        let above: &[u8] = if folder.as_bytes().is_empty() { b"" } else { b"/" };
        self.inside(side, folder, |items| {
            let files = items.iter().filter_map(|item| {
                let path = [folder.as_bytes(), above, item.name.as_bytes()].concat();
                Some((RepoPath::from_git(path), item.leaf()?))
            });
            files.collect()
        })
    }

    fn folders(&self, side: Side, folder: &RepoPath) -> Result<Vec<String>, Fault> {
        Ok(self.trees(side, folder)?.into_iter().map(|(name, _)| name).collect())
    }

    fn trees(&self, side: Side, folder: &RepoPath) -> Result<Vec<(String, Option<Oid>)>, Fault> {
        self.inside(side, folder, folder::trees)
    }

    fn names(
        &self,
        side: Side,
        folder: &RepoPath,
        visit: &mut dyn FnMut(&[u8]),
    ) -> Result<(), Fault> {
        let index = self.index_for(&[side])?;
        let Some(found) = self.folder(side, index.as_deref(), folder)? else { return Ok(()) };
        let beside = match &found {
            Folder::Tree(_) => {
                let trees = self.store.items(&found, folder.as_bytes().as_bstr())?.len();
                self.index_at_hand(trees)
            }
            Folder::Entries(_) => None,
        };
        let entries = beside.as_ref().and_then(|index| index.remembered(folder.as_bytes()));
        names::tell(&self.store, &found, entries.as_ref(), visit)
    }

    fn trees_in(&self, tree: Oid) -> Option<Vec<(String, Oid)>> {
        let items = self.store.items(&Folder::Tree(tree.0), BStr::new("")).ok()?;
        folder::trees(&items).into_iter().map(|(name, tree)| Some((name, tree?))).collect()
    }

    fn recall(&self, name: &str) -> Option<Vec<u8>> {
        cache::recall(self.common_dir(), name)
    }

    fn keep(&self, name: &str, bytes: &[u8]) {
        cache::keep(self.common_dir(), name, bytes);
    }

    fn read(&self, oid: Oid) -> Result<Vec<u8>, Fault> {
        self.store.object(oid.0, Kind::Blob)
    }

    fn another(&self) -> Option<Another> {
        let shared = self.store.repo.clone().into_sync();
        let (environment, directory) = (self.environment.clone(), self.directory.clone());
        let (work_dir, common_dir) = (self.work_dir.clone(), self.common_dir.clone());
        Some(Box::new(move || {
            Box::new(GitRepository {
                store: Store::new(shared.to_thread_local()),
                index: RefCell::default(),
                asked: Cell::default(),
                environment,
                directory,
                work_dir,
                common_dir,
                held: RefCell::default(),
                _quarantine: None,
            })
        }))
    }

    fn makers(&self, commit: Oid) -> Result<Makers, Fault> {
        self.makers_of(commit)
    }

    fn openpgp_signer(&self, commit: Oid) -> Result<Option<String>, Fault> {
        self.signed_by_openpgp(commit)
    }

    fn shapers(
        &self,
        from: Oid,
        root: &RepoPath,
        paths: &BTreeSet<RepoPath>,
    ) -> Result<Vec<Oid>, Fault> {
        self.shapers_of(from, root, paths)
    }

    fn changes(&self, from: Side, to: Side) -> Result<Vec<Change>, Fault> {
        self.changes_below(from, to, &RepoPath::default())
    }

    fn changes_below(&self, from: Side, to: Side, folder: &RepoPath) -> Result<Vec<Change>, Fault> {
        let index = self.index_for(&[from, to])?;
        if let Some(index) = &index {
            index.merged()?;
        }
        let old = self.folder(from, index.as_deref(), folder)?;
        let new = self.folder(to, index.as_deref(), folder)?;
        diff::changes(&self.store, old, new, folder)
    }
}
