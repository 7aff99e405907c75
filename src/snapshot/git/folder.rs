//! One view of a folder, whether it lies in a tree or in the index.

use std::borrow::Cow;
use std::cmp::Ordering;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};

use super::index::Entries;
use crate::snapshot::{Node, Oid};

/// A folder of some side.
#[derive(Clone)]
pub(super) enum Folder<'a> {
    /// A tree in the object store.
    Tree(ObjectId),
    /// A run of index entries.
    Entries(Entries<'a>),
}

/// What a name in a folder stands for.
#[derive(Clone)]
pub(super) enum Content<'a> {
    /// A file, a link or a submodule.
    Leaf(Node),
    /// A folder in it.
    Folder(Folder<'a>),
}

/// One name in a folder.
#[derive(Clone)]
pub(super) struct Item<'a> {
    pub(super) name: Cow<'a, BStr>,
    pub(super) content: Content<'a>,
}

impl Folder<'_> {
    /// Gives the tree that holds just what this folder holds, where that is known for nothing.
    pub(super) fn tree(&self) -> Option<ObjectId> {
        match self {
            Folder::Tree(id) => Some(*id),
            Folder::Entries(entries) => entries.tree(),
        }
    }
}

/// Gives the names of the folders among these, sorted, with their trees where they are known.
pub(super) fn trees(items: &[Item<'_>]) -> Vec<(String, Option<Oid>)> {
    let folders = items.iter().filter_map(|item| match &item.content {
        Content::Folder(folder) => {
            Some((item.name.to_str_lossy().into_owned(), folder.tree().map(Oid)))
        }
        Content::Leaf(_) => None,
    });
    let mut folders: Vec<_> = folders.collect();
    folders.sort();
    folders
}

impl Item<'_> {
    /// Compares as Git sorts a tree: a folder's name counts as if it ended with `/`.
    ///
    /// A file and a folder of one name are two things, the file first. Walked in this order,
    /// paths come out sorted by their bytes.
    pub(super) fn order(&self, other: &Item<'_>) -> Ordering {
        let is_folder = |item: &Item<'_>| matches!(item.content, Content::Folder(_));
        gix::objs::tree::name_order(&self.name, is_folder(self), &other.name, is_folder(other))
    }

    pub(super) fn leaf(&self) -> Option<Node> {
        match self.content {
            Content::Leaf(node) => Some(node),
            Content::Folder(_) => None,
        }
    }
}
