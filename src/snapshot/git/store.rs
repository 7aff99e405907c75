//! Objects out of Git's store, and what to say where one is missing.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::objs::commit::ref_iter::Token;
use gix::objs::tree::EntryKind;
use gix::objs::{CommitRefIter, Find as _, Kind, TreeRefIter};

use super::folder::{Content, Folder, Item};
use crate::snapshot::{Fault, Mode, Node, Oid};
use crate::source::RepoPath;

/// Once so many entries of trees are kept, those that nobody asks for before as many more are forgotten.
const KEPT: usize = 30_000;
/// How many bytes of unpacked objects are kept: what is read next is made from what was read just now.
const UNPACKED: usize = 8 << 20;

/// The object store, with the trees read so far.
pub(super) struct Store {
    pub(super) repo: gix::Repository,
    trees: RefCell<Trees>,
    tops: RefCell<HashMap<Oid, ObjectId>>,
}

/// Trees that were read, in two generations: the elder goes when the younger is full.
#[derive(Default)]
struct Trees {
    young: HashMap<ObjectId, Rc<Vec<Item<'static>>>>,
    old: HashMap<ObjectId, Rc<Vec<Item<'static>>>>,
    entries: usize,
}

impl Trees {
    fn get(&mut self, id: ObjectId) -> Option<Rc<Vec<Item<'static>>>> {
        if let Some(items) = self.young.get(&id) {
            return Some(Rc::clone(items));
        }
        let items = self.old.remove(&id)?;
        self.add(id, &items);
        Some(items)
    }

    fn add(&mut self, id: ObjectId, items: &Rc<Vec<Item<'static>>>) {
        if self.entries >= KEPT {
            self.old = std::mem::take(&mut self.young);
            self.entries = 0;
        }
        self.entries += items.len();
        self.young.insert(id, Rc::clone(items));
    }
}

impl Store {
    pub(super) fn new(mut repo: gix::Repository) -> Self {
        use gix::odb::pack::cache::lru::MemoryCappedHashmap;
        repo.objects.set_pack_cache(|| Box::new(MemoryCappedHashmap::new(UNPACKED)));
        Store { repo, trees: RefCell::default(), tops: RefCell::default() }
    }

    /// Gives an object's bytes; one that is missing or of another kind is a fault.
    pub(super) fn object(&self, id: ObjectId, kind: Kind) -> Result<Vec<u8>, Fault> {
        let mut bytes = Vec::new();
        match self.repo.objects.try_find(&id, &mut bytes) {
            Ok(Some(data)) if data.kind == kind => Ok(bytes),
            Ok(Some(data)) => Err(broken(format!("object {id} is a {}, not a {kind}", data.kind))),
            Ok(None) => Err(self.missing(format_args!("{kind} {id}"))),
            Err(error) => Err(broken(format!("{kind} {id} can't be read: {error}"))),
        }
    }

    /// Gives the tree of a commit.
    pub(super) fn tree_of(&self, commit: Oid) -> Result<ObjectId, Fault> {
        if let Some(tree) = self.tops.borrow().get(&commit) {
            return Ok(*tree);
        }
        let (tree, _) = self.commit(commit)?;
        Ok(tree)
    }

    /// Gives the tree of a commit and the commits it was made on, out of the commit itself: what it
    /// says of persons may be odd, and is not looked at.
    pub(super) fn commit(&self, commit: Oid) -> Result<(ObjectId, Vec<ObjectId>), Fault> {
        let bytes = self.object(commit.0, Kind::Commit)?;
        let unreadable = |what: &str| broken(format!("commit {commit} can't be read: {what}"));
        let mut tokens = CommitRefIter::from_bytes(&bytes, self.repo.object_hash());
        let tree = tokens.tree_id().map_err(|error| unreadable(&error.to_string()))?;
        let mut parents = Vec::new();
        for token in tokens {
            match token.map_err(|error| unreadable(&error.to_string()))? {
                Token::Parent { id } => parents.push(id),
                _ => break,
            }
        }
        self.tops.borrow_mut().insert(commit, tree);
        Ok((tree, parents))
    }

    /// Gives what is in a folder, in Git's order.
    pub(super) fn items<'a>(
        &self,
        folder: &Folder<'a>,
        above: &BStr,
    ) -> Result<Rc<Vec<Item<'a>>>, Fault> {
        match folder {
            Folder::Tree(id) => self.tree(*id, above),
            Folder::Entries(entries) => Ok(Rc::new(entries.items()?)),
        }
    }

    fn tree(&self, id: ObjectId, above: &BStr) -> Result<Rc<Vec<Item<'static>>>, Fault> {
        if id.is_empty_tree() {
            return Ok(Rc::default());
        }
        if let Some(items) = self.trees.borrow_mut().get(id) {
            return Ok(items);
        }
        let bytes = self.object(id, Kind::Tree)?;
        let items = Rc::new(decode(&bytes, self.repo.object_hash()).map_err(|reason| {
            let above = RepoPath::from_git(above);
            broken(format!("tree {id} at `{above}` can't be trusted: {reason}"))
        })?);
        self.trees.borrow_mut().add(id, &items);
        Ok(items)
    }

    /// Gives what stands at a path below a tree.
    pub(super) fn descend(
        &self,
        tree: ObjectId,
        path: &BStr,
    ) -> Result<Option<Content<'static>>, Fault> {
        let mut content = Content::Folder(Folder::Tree(tree));
        for name in path.split_str("/") {
            let Content::Folder(folder) = &content else { return Ok(None) };
            let items = self.items(folder, path)?;
            match find(&items, name.as_bstr()) {
                Some(item) => content = item.content.clone(),
                None => return Ok(None),
            }
        }
        Ok(Some(content))
    }

    /// Says that something is not in this clone, and what brings it here.
    pub(super) fn missing(&self, what: impl fmt::Display) -> Fault {
        if let Some(remote) = self.promisor() {
            let message = format!("{what} is not in this partial clone");
            let help =
                format!("fetch what was left out: `git fetch --refetch --no-filter {remote}`");
            return Fault::new(message, help);
        }
        if self.is_shallow() {
            let message = format!("{what} is not in this shallow clone");
            return Fault::new(message, "fetch the rest of the history: `git fetch --unshallow`");
        }
        Fault::new(
            format!("{what} is missing from this repository"),
            "see what else is: `git fsck`; fetch everything anew: `git fetch --refetch`",
        )
    }

    /// Tells whether the history is cut; if that can't be told, it is taken to be.
    pub(super) fn is_shallow(&self) -> bool {
        self.repo.is_shallow().unwrap_or(true)
    }

    /// Gives the remote that owes a partial clone its objects.
    fn promisor(&self) -> Option<String> {
        let config = self.repo.config_snapshot();
        let remotes = self.repo.remote_names();
        let owes = |name: &&str| config.boolean(&format!("remote.{name}.promisor")) == Some(true);
        let named = remotes.iter().filter_map(|name| name.to_str().ok()).find(owes);
        named.map(str::to_owned).or_else(|| {
            config.string("extensions.partialClone").map(|name| name.to_str_lossy().into_owned())
        })
    }
}

/// Says that something in the store is not as Git writes it.
pub(super) fn broken(message: impl Into<String>) -> Fault {
    Fault::new(message, "see what is wrong with the repository: `git fsck`")
}

/// Finds a name, whether it is a file's or a folder's.
fn find<'i>(items: &'i [Item<'static>], name: &BStr) -> Option<&'i Item<'static>> {
    let leaf = Item { name: Cow::Borrowed(name), content: Content::Leaf(PROBE) };
    let folder =
        Item { name: Cow::Borrowed(name), content: Content::Folder(Folder::Tree(PROBE.oid.0)) };
    let at = |probe: &Item<'_>| items.binary_search_by(|item| item.order(probe)).ok();
    at(&leaf).or_else(|| at(&folder)).map(|position| &items[position])
}

/// Only the kind of its content counts when a name is looked up.
const PROBE: Node = Node { mode: Mode::File, oid: Oid(ObjectId::null(gix::hash::Kind::Sha1)) };

/// Reads a tree and refuses what Git would not check out: names that could lead elsewhere, and
/// entries out of order or twice, which one reader would see and another not.
fn decode(bytes: &[u8], hash: gix::hash::Kind) -> Result<Vec<Item<'static>>, String> {
    let mut items: Vec<Item<'static>> = Vec::new();
    let mut leaves = 0;
    for entry in TreeRefIter::from_bytes(bytes, hash) {
        let entry = entry.map_err(|error| error.to_string())?;
        let name = entry.filename;
        let astray = matches!(name.as_bytes(), b"" | b"." | b"..") || name.contains(&b'/');
        if astray || name.eq_ignore_ascii_case(b".git") {
            return Err(format!("it holds the name `{}`", RepoPath::from_git(name)));
        }
        let leaf = |mode| Content::Leaf(Node { mode, oid: Oid(entry.oid.to_owned()) });
        let content = match entry.mode.kind() {
            EntryKind::Tree => Content::Folder(Folder::Tree(entry.oid.to_owned())),
            EntryKind::Blob => leaf(Mode::File),
            EntryKind::BlobExecutable => leaf(Mode::Executable),
            EntryKind::Link => leaf(Mode::Symlink),
            EntryKind::Commit => leaf(Mode::Submodule),
        };
        let item = Item { name: Cow::Owned(name.to_owned()), content };
        // Items in order hold no name twice, except that a file and a folder of one name may lie
        // apart. Folders by the thousand and no file need not be searched for that.
        let misplaced = items.last().is_some_and(|last| last.order(&item).is_ge());
        let is_folder = item.leaf().is_none();
        let has_other_kind = if is_folder { leaves > 0 } else { leaves < items.len() };
        if misplaced || (has_other_kind && find(&items, name).is_some()) {
            return Err(format!("`{}` is out of order in it", RepoPath::from_git(name)));
        }
        leaves += usize::from(!is_folder);
        items.push(item);
    }
    Ok(items)
}
