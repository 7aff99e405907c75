//! The paths below a tree, and nothing else of it: told by the index where that is known to hold just
//! this tree, so that ten thousand small trees need not be opened to learn what lies in them.

use gix::ObjectId;
use gix::bstr::{BString, ByteSlice as _};

use super::folder::{Content, Folder};
use super::index::Entries;
use super::store::Store;
use crate::snapshot::Fault;

/// Tells the path of every file below a folder, from there on, sorted by their bytes; `entries` are
/// those of the index at the same place.
pub(super) fn tell(
    store: &Store,
    folder: &Folder<'_>,
    entries: Option<&Entries<'_>>,
    visit: &mut dyn FnMut(&[u8]),
) -> Result<(), Fault> {
    match folder {
        Folder::Tree(tree) => Walk { store, path: BString::default(), visit }.tree(*tree, entries),
        Folder::Entries(entries) => {
            entries.names().for_each(visit);
            Ok(())
        }
    }
}

struct Walk<'w> {
    store: &'w Store,
    path: BString,
    visit: &'w mut dyn FnMut(&[u8]),
}

impl Walk<'_> {
    fn tree(&mut self, tree: ObjectId, entries: Option<&Entries<'_>>) -> Result<(), Fault> {
        let above = self.path.len();
        if let Some(entries) = entries.filter(|entries| entries.tree() == Some(tree)) {
            for name in entries.names() {
                self.path.extend_from_slice(name);
                (self.visit)(&self.path);
                self.path.truncate(above);
            }
            return Ok(());
        }
        let beside = entries.map(Entries::items).transpose()?.unwrap_or_default();
        let items = self.store.items(&Folder::Tree(tree), self.path.as_bstr())?;
        for item in items.iter() {
            self.path.extend_from_slice(&item.name);
            match &item.content {
                Content::Leaf(_) => (self.visit)(&self.path),
                Content::Folder(Folder::Entries(_)) => {}
                Content::Folder(Folder::Tree(below)) => {
                    let same = beside.binary_search_by(|other| other.order(item)).ok();
                    let entries = same.and_then(|at| match &beside[at].content {
                        Content::Folder(Folder::Entries(entries)) => Some(entries),
                        _ => None,
                    });
                    self.path.push(b'/');
                    self.tree(*below, entries)?;
                }
            }
            self.path.truncate(above);
        }
        Ok(())
    }
}
