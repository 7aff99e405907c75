//! The index as Git left it: read once, its order checked, looked up by binary search.

mod rare;
mod raw;

use std::borrow::Cow;
use std::io::{ErrorKind, Read as _};
use std::ops::Range;
use std::path::Path;

use gix::ObjectId;
use gix::bstr::{BStr, BString, ByteSlice as _};
use gix::index::entry::Mode as IndexMode;
use gix::index::extension;

use self::raw::{Entry, Raw, Unread};
use super::folder::{Content, Folder, Item};
use crate::snapshot::{Fault, Mode, Node, Oid};
use crate::source::RepoPath;

/// No index is read that is larger, or whose header asks for more memory; a damaged one may ask for all.
const MEMORY: usize = 1 << 30;

/// The entries of an index, in order by path.
pub(super) struct Index {
    raw: Raw,
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
    pub(super) fn read(path: &Path, kind: gix::hash::Kind) -> Result<Self, Fault> {
        let file = match std::fs::File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Index { raw: Raw::empty(kind) });
            }
            Err(error) => return Err(damaged(error.to_string())),
        };
        let size = file.metadata().map_err(|error| damaged(error.to_string()))?.len();
        let size = usize::try_from(size).ok().filter(|size| *size <= MEMORY);
        let size = size.ok_or_else(|| damaged("it is too large".into()))?;
        let raw = Raw::read(file.take(MEMORY as u64), size, kind);
        let raw = raw.or_else(|unread| match unread {
            Unread::Rare => rare::read(path, kind),
            damaged => Err(damaged),
        });
        raw.map(|raw| Index { raw }).map_err(|unread| match unread {
            Unread::Damaged(reason) => damaged(reason),
            Unread::Rare => damaged("an entry in it has no path".into()),
        })
    }

    /// Refuses an index with conflicts, from which Git could make no commit either.
    pub(super) fn merged(&self) -> Result<(), Fault> {
        let path = |at| RepoPath::from_git(self.raw.entry(at).path());
        self.raw.unmerged.map_or(Ok(()), |at| Err(unmerged(&path(at))))
    }

    /// Gives all entries.
    pub(super) fn all(&self) -> Entries<'_> {
        let range = 0..self.raw.len();
        Entries { index: self, range, prefix: 0, cached: self.raw.tree.as_ref() }
    }

    /// Gives the entries of a folder with the trees that Git remembers of it and of what is below; none
    /// if it remembers nothing there, or keeps whole trees in the place of entries.
    pub(super) fn remembered(&self, folder: &[u8]) -> Option<Entries<'_>> {
        let mut cached = self.raw.tree.as_ref().filter(|_| !self.raw.sparse)?;
        for name in folder.split_str("/") {
            cached = child_of(cached, name)?;
        }
        let mut prefix = folder.to_owned();
        prefix.push(b'/');
        let range = self.below(prefix.as_bstr());
        Some(Entries { index: self, range, prefix: prefix.len(), cached: Some(cached) })
    }

    /// Looks a path up; the top of the repository is the empty path.
    pub(super) fn find(&self, path: &BStr) -> Result<Found<'_>, Fault> {
        if path.is_empty() {
            return Ok(Found::Folder(Folder::Entries(self.all())));
        }
        if path.ends_with(b"/") {
            return Ok(Found::Nothing);
        }
        if let Some(entry) = self.at(path) {
            let node = node(entry)?;
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
        for slash in prefix.find_iter("/") {
            let Some(entry) = self.at(prefix[..=slash].as_bstr()) else { continue };
            let rest = prefix[slash + 1..].strip_suffix(b"/").unwrap_or_default();
            return Some(match rest {
                b"" => Found::Folder(Folder::Tree(entry.id())),
                rest => Found::Within(entry.id(), rest.into()),
            });
        }
        None
    }

    /// Finds the entry of just this path.
    fn at(&self, path: &BStr) -> Option<Entry<'_>> {
        let all = (0, self.raw.len());
        let at = self.raw.partition_point(all, |other| other < path);
        let entry = (at < self.raw.len()).then(|| self.raw.entry(at))?;
        (entry.path() == path).then_some(entry)
    }

    fn below(&self, prefix: &BStr) -> Range<usize> {
        let all = (0, self.raw.len());
        let start = self.raw.partition_point(all, |path| path < prefix);
        let inside = |path: &BStr| path.starts_with(prefix);
        start..self.raw.partition_point((start, all.1), inside)
    }
}

/// Gives what an entry holds; one that was only announced (`git add -N`) holds nothing yet.
fn node(entry: Entry<'_>) -> Result<Option<Node>, Fault> {
    let path = || RepoPath::from_git(entry.path());
    if entry.stage() != 0 {
        return Err(unmerged(&path()));
    }
    if entry.is_announced() {
        return Ok(None);
    }
    let mode = match IndexMode::from_bits(entry.mode()) {
        Some(IndexMode::FILE) => Mode::File,
        Some(IndexMode::FILE_EXECUTABLE) => Mode::Executable,
        Some(IndexMode::SYMLINK) => Mode::Symlink,
        Some(IndexMode::COMMIT) => Mode::Submodule,
        _ => return Err(damaged(format!("`{}` has the mode {:o}", path(), entry.mode()))),
    };
    Ok(Some(Node { mode, oid: Oid(entry.id()) }))
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

    /// Gives the path of every entry, from this folder on.
    pub(super) fn names(&self) -> impl Iterator<Item = &'a [u8]> {
        let (raw, prefix) = (&self.index.raw, self.prefix);
        self.range.clone().map(move |at| raw.entry(at).path()[prefix..].as_bytes())
    }

    /// Gives what lies directly in this folder.
    pub(super) fn items(&self) -> Result<Vec<Item<'a>>, Fault> {
        let raw = &self.index.raw;
        let mut items = Vec::new();
        let mut at = self.range.start;
        while at < self.range.end {
            let entry = raw.entry(at);
            let path = entry.path();
            let rest = &path[self.prefix..];
            let slash = rest.find_byte(b'/');
            let name = rest[..slash.unwrap_or(rest.len())].as_bstr();
            if name.is_empty() {
                return Err(damaged(format!("it holds the path `{}`", RepoPath::from_git(path))));
            }
            let content = match slash {
                None => {
                    at += 1;
                    node(entry)?.map(Content::Leaf)
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
        let entry = self.index.raw.entry(at);
        let prefix = self.prefix + slash + 1;
        let path = entry.path();
        if entry.mode() == IndexMode::DIR.bits() && path.len() == prefix {
            return (Folder::Tree(entry.id()), at + 1);
        }
        let name = &path[self.prefix..prefix - 1];
        let cached = self.cached.and_then(|tree| child_of(tree, name));
        let end = self.end(at, &path[..prefix], cached);
        (Folder::Entries(Entries { index: self.index, range: at..end, prefix, cached }), end)
    }

    /// Finds the end of a folder: where the cached tree says, if that is true, else by search.
    fn end(&self, at: usize, folder: &[u8], cached: Option<&extension::Tree>) -> usize {
        let raw = &self.index.raw;
        let inside = |at: usize| raw.entry(at).path().starts_with(folder);
        let told = cached.and_then(|tree| at.checked_add(tree.num_entries? as usize));
        told.filter(|&end| at < end && end <= self.range.end)
            .filter(|&end| inside(end - 1))
            .filter(|&end| end == self.range.end || !inside(end))
            .unwrap_or_else(|| {
                raw.partition_point((at, self.range.end), |path| path.starts_with(folder))
            })
    }
}

fn child_of<'a>(tree: &'a extension::Tree, name: &[u8]) -> Option<&'a extension::Tree> {
    let found = tree.children.binary_search_by(|child| child.name[..].cmp(name));
    found.ok().map(|found| &tree.children[found])
}

fn unmerged(path: &RepoPath) -> Fault {
    // An entry of a ledger is put behind those that landed, and never edited.
    let task = path.to_str().and_then(|path| path.strip_prefix(".orch/tasks/")?.split('/').nth(1));
    let help = match task {
        Some(task) => {
            format!("put your entries behind those that landed: `orch task rebase {task}`")
        }
        None => format!("finish the merge first: edit it, then `git add -- {}`", path.in_shell()),
    };
    Fault::new(format!("`{path}` still has conflicts"), help)
}

fn damaged(reason: String) -> Fault {
    Fault::new(
        format!("the index is damaged: {reason}"),
        "write it anew, keeping all files: `rm \"$(git rev-parse --git-path index)\" && git reset`",
    )
}
