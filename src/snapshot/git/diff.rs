//! What differs between two folders, whatever they are made of.

use std::cmp::Ordering;
use std::rc::Rc;

use gix::bstr::{BString, ByteSlice as _};

use super::folder::{Content, Folder, Item};
use super::store::{Store, broken};
use crate::snapshot::{Change, Fault, Node};
use crate::source::RepoPath;

/// Folders nested deeper than this are refused before they could fill the stack.
const DEPTH: usize = 512;

/// Gives every path that differs between two folders whose own path is `above`, sorted by the
/// bytes of the path.
pub(super) fn changes(
    store: &Store,
    old: Option<Folder<'_>>,
    new: Option<Folder<'_>>,
    above: &RepoPath,
) -> Result<Vec<Change>, Fault> {
    let mut path = BString::from(above.as_bytes());
    if !path.is_empty() {
        path.push(b'/');
    }
    let mut walk = Walk { store, path, depth: 0, changes: Vec::new() };
    walk.folders(old, new)?;
    Ok(walk.changes)
}

/// Gives every path below a folder whose own path is `above`, sorted by the bytes of the path.
pub(super) fn list(
    store: &Store,
    folder: Folder<'_>,
    above: &RepoPath,
) -> Result<Vec<(RepoPath, Node)>, Fault> {
    let added = changes(store, None, Some(folder), above)?.into_iter();
    Ok(added.filter_map(|change| Some((change.path, change.new?))).collect())
}

struct Walk<'s> {
    store: &'s Store,
    path: BString,
    depth: usize,
    changes: Vec<Change>,
}

impl Walk<'_> {
    /// Merges two folders' items by name; equal trees are skipped unread.
    fn folders(&mut self, old: Option<Folder<'_>>, new: Option<Folder<'_>>) -> Result<(), Fault> {
        let trees = [&old, &new].map(|folder| folder.as_ref().and_then(Folder::tree));
        if trees[0].is_some() && trees[0] == trees[1] {
            return Ok(());
        }
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(broken(format!("folders are nested deeper than {DEPTH}")));
        }
        let (old, new) = (self.items(old.as_ref())?, self.items(new.as_ref())?);
        let (mut old, mut new) = (old.iter(), new.iter());
        let (mut left, mut right) = (old.next(), new.next());
        while let Some(order) = order(left, right) {
            let was = left.filter(|_| order.is_le());
            let is = right.filter(|_| order.is_ge());
            self.items_at(was, is)?;
            if was.is_some() {
                left = old.next();
            }
            if is.is_some() {
                right = new.next();
            }
        }
        self.depth -= 1;
        Ok(())
    }

    fn items<'a>(&self, folder: Option<&Folder<'a>>) -> Result<Rc<Vec<Item<'a>>>, Fault> {
        match folder {
            Some(folder) => self.store.items(folder, self.path.as_bstr()),
            None => Ok(Rc::default()),
        }
    }

    /// Compares what stands at one name, which is of one kind on both sides.
    fn items_at(&mut self, old: Option<&Item<'_>>, new: Option<&Item<'_>>) -> Result<(), Fault> {
        let Some(either) = old.or(new) else { return Ok(()) };
        let above = self.path.len();
        self.path.extend_from_slice(&either.name);
        if matches!(either.content, Content::Folder(_)) {
            self.path.push(b'/');
            self.folders(folder(old), folder(new))?;
        } else {
            let (old, new) = (old.and_then(Item::leaf), new.and_then(Item::leaf));
            if old != new {
                let path = RepoPath::from_git(self.path.clone());
                self.changes.push(Change { path, old, new });
            }
        }
        self.path.truncate(above);
        Ok(())
    }
}

fn folder<'a>(item: Option<&Item<'a>>) -> Option<Folder<'a>> {
    match &item?.content {
        Content::Folder(folder) => Some(folder.clone()),
        Content::Leaf(_) => None,
    }
}

/// Tells which of two items comes next; `None` at the end of both.
fn order(left: Option<&Item<'_>>, right: Option<&Item<'_>>) -> Option<Ordering> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.order(right)),
        (Some(_), None) => Some(Ordering::Less),
        (None, Some(_)) => Some(Ordering::Greater),
        (None, None) => None,
    }
}
