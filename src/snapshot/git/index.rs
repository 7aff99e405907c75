//! The index as Git left it: read once, its order checked, looked up by binary search.

use std::borrow::Cow;
use std::ops::Range;
use std::path::Path;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::index::entry::{Flags, Mode as IndexMode, Stage};
use gix::index::{Entry, File, decode, extension};

use super::folder::{Content, Folder, Item};
use crate::snapshot::{Fault, Mode, Node, Oid};
use crate::source::RepoPath;

/// No index is read whose header asks for more memory than this; a damaged one may ask for all.
const MEMORY: usize = 1 << 30;

/// The entries of an index, in order by path.
pub(super) struct Index {
    file: File,
    unmerged: Option<RepoPath>,
}

/// What the index holds at a path.
pub(super) enum Found<'a> {
    /// Nothing.
    Nothing,
    /// A file, a link or a submodule.
    Leaf(Node),
    /// A folder.
    Folder(Folder<'a>),
    /// The path lies in a tree that a sparse index keeps whole; this is the path below that tree.
    Within(ObjectId, BString),
}

impl Index {
    /// Reads an index; a file that does not exist is an index without entries.
    ///
    /// As in Git, its checksum is not compared: that costs as much as all the rest.
    pub(super) fn read(path: &Path, hash: gix::hash::Kind) -> Result<Self, Fault> {
        let options = decode::Options { alloc_limit_bytes: Some(MEMORY), ..Default::default() };
        let file = File::at_or_default(path, hash, true, options)
            .map_err(|error| damaged(format!("{error}")))?;
        let mut index = Index { file, unmerged: None };
        index.check()?;
        Ok(index)
    }

    /// Goes through all entries once, so that everything after it may rely on their order.
    fn check(&mut self) -> Result<(), Fault> {
        let mut before: Option<(&BStr, u32)> = None;
        let mut unmerged = None;
        for entry in self.file.entries() {
            let at = (entry.path(&self.file), entry.stage_raw());
            if before.is_some_and(|before| before >= at) || at.0.is_empty() {
                return Err(damaged(format!("`{}` is out of order", RepoPath::from_git(at.0))));
            }
            if at.1 != 0 && unmerged.is_none() {
                unmerged = Some(RepoPath::from_git(at.0));
            }
            before = Some(at);
        }
        self.unmerged = unmerged;
        Ok(())
    }

    /// Refuses an index with conflicts, from which Git could make no commit either.
    pub(super) fn merged(&self) -> Result<(), Fault> {
        self.unmerged.as_ref().map_or(Ok(()), |path| Err(unmerged(path)))
    }

    /// Gives all entries.
    pub(super) fn all(&self) -> Entries<'_> {
        let range = 0..self.file.entries().len();
        Entries { index: self, range, prefix: 0, cached: self.file.tree() }
    }

    /// Looks a path up; the top of the repository is the empty path.
    pub(super) fn find(&self, path: &BStr) -> Result<Found<'_>, Fault> {
        if path.is_empty() {
            return Ok(Found::Folder(Folder::Entries(self.all())));
        }
        if path.ends_with(b"/") {
            return Ok(Found::Nothing);
        }
        let entries = self.file.entries();
        let start = entries.partition_point(|entry| entry.path(&self.file) < path);
        if let Some(entry) = entries.get(start).filter(|entry| entry.path(&self.file) == path) {
            let node = self.node(entry)?;
            return Ok(node.map_or(Found::Nothing, Found::Leaf));
        }
        let mut prefix = path.to_owned();
        prefix.push(b'/');
        if let Some(found) = self.sparse(prefix.as_bstr()) {
            return Ok(found);
        }
        let range = self.below(prefix.as_bstr());
        if range.is_empty() {
            return Ok(Found::Nothing);
        }
        let entries = Entries { index: self, range, prefix: prefix.len(), cached: None };
        Ok(Found::Folder(Folder::Entries(entries)))
    }

    /// Finds the folder at or above a path, written with a final `/`, that is kept as one tree.
    fn sparse(&self, prefix: &BStr) -> Option<Found<'_>> {
        let entries = self.file.entries();
        for slash in prefix.find_iter("/") {
            let folder = prefix[..=slash].as_bstr();
            let at = entries.partition_point(|entry| entry.path(&self.file) < folder);
            let Some(entry) = entries.get(at).filter(|entry| entry.path(&self.file) == folder)
            else {
                continue;
            };
            let rest = prefix[slash + 1..].strip_suffix(b"/").unwrap_or_default();
            return Some(match rest {
                b"" => Found::Folder(Folder::Tree(entry.id)),
                rest => Found::Within(entry.id, rest.into()),
            });
        }
        None
    }

    fn below(&self, prefix: &BStr) -> Range<usize> {
        let entries = self.file.entries();
        let start = entries.partition_point(|entry| entry.path(&self.file) < prefix);
        let inside = |entry: &Entry| entry.path(&self.file).starts_with(prefix);
        start..start + entries[start..].partition_point(inside)
    }

    /// Gives what an entry holds; one that was only announced (`git add -N`) holds nothing yet.
    fn node(&self, entry: &Entry) -> Result<Option<Node>, Fault> {
        let path = || RepoPath::from_git(entry.path(&self.file));
        if entry.stage() != Stage::Unconflicted {
            return Err(unmerged(&path()));
        }
        if entry.flags.contains(Flags::INTENT_TO_ADD) {
            return Ok(None);
        }
        let mode = match entry.mode {
            IndexMode::FILE => Mode::File,
            IndexMode::FILE_EXECUTABLE => Mode::Executable,
            IndexMode::SYMLINK => Mode::Symlink,
            IndexMode::COMMIT => Mode::Submodule,
            other => {
                return Err(damaged(format!("`{}` has the mode {:o}", path(), other.bits())));
            }
        };
        Ok(Some(Node { mode, oid: Oid(entry.id) }))
    }
}

/// The entries below one folder.
#[derive(Clone)]
pub(super) struct Entries<'a> {
    index: &'a Index,
    range: Range<usize>,
    /// The length of the folder's path and its `/`, which all these entries share.
    prefix: usize,
    cached: Option<&'a extension::Tree>,
}

impl<'a> Entries<'a> {
    /// Gives the tree that Git remembers to have written from just these entries.
    pub(super) fn tree(&self) -> Option<ObjectId> {
        let covers = |tree: &&extension::Tree| {
            tree.num_entries.map(|n| n as usize) == Some(self.range.len())
        };
        self.cached.filter(covers).map(|tree| tree.id)
    }

    /// Gives what lies directly in this folder.
    pub(super) fn items(&self) -> Result<Vec<Item<'a>>, Fault> {
        let entries = self.index.file.entries();
        let mut items = Vec::new();
        let mut at = self.range.start;
        while at < self.range.end {
            let path = entries[at].path(&self.index.file);
            let rest = &path[self.prefix..];
            let slash = rest.find_byte(b'/');
            let name = rest[..slash.unwrap_or(rest.len())].as_bstr();
            if name.is_empty() {
                return Err(damaged(format!("it holds the path `{}`", RepoPath::from_git(path))));
            }
            let content = match slash {
                None => {
                    at += 1;
                    self.index.node(&entries[at - 1])?.map(Content::Leaf)
                }
                Some(slash) => {
                    let (folder, end) = self.folder(at, slash);
                    at = end;
                    Some(Content::Folder(folder))
                }
            };
            items.extend(content.map(|content| Item { name: Cow::Borrowed(name), content }));
        }
        Ok(items)
    }

    /// Gives the folder that begins with the entry `at`, and where the entries behind it begin.
    fn folder(&self, at: usize, slash: usize) -> (Folder<'a>, usize) {
        let entries = self.index.file.entries();
        let entry = &entries[at];
        let prefix = self.prefix + slash + 1;
        let path = entry.path(&self.index.file);
        if entry.mode == IndexMode::DIR && path.len() == prefix {
            return (Folder::Tree(entry.id), at + 1);
        }
        let name = &path[self.prefix..prefix - 1];
        let child =
            |tree: &'a extension::Tree| tree.children.iter().find(|child| child.name[..] == *name);
        let cached = self.cached.and_then(child);
        let end = self.end(at, &path[..prefix], cached);
        (Folder::Entries(Entries { index: self.index, range: at..end, prefix, cached }), end)
    }

    /// Finds the end of a folder: where the cached tree says, if that is true, else by search.
    fn end(&self, at: usize, folder: &[u8], cached: Option<&extension::Tree>) -> usize {
        let entries = self.index.file.entries();
        let inside = |entry: &Entry| entry.path(&self.index.file).starts_with(folder);
        let told = cached.and_then(|tree| at.checked_add(tree.num_entries? as usize));
        told.filter(|&end| at < end && end <= self.range.end)
            .filter(|&end| inside(&entries[end - 1]))
            .filter(|&end| end == self.range.end || !inside(&entries[end]))
            .unwrap_or_else(|| at + entries[at..self.range.end].partition_point(inside))
    }
}

fn unmerged(path: &RepoPath) -> Fault {
    Fault::new(
        format!("`{path}` still has conflicts"),
        format!("finish the merge first: edit it, then `git add -- {}`", path.in_shell()),
    )
}

fn damaged(reason: String) -> Fault {
    Fault::new(
        format!("the index is damaged: {reason}"),
        "write it anew, keeping all files: `rm \"$(git rev-parse --git-path index)\" && git reset`",
    )
}
