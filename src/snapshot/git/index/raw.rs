//! The entries of an index as they lie in its file: where each begins is noted, and nothing is copied.
//!
//! To read the index is most of what a commit hook does, and Git's own reader sets the pace. The layout
//! is that of `gitformat-index`, versions 2 and 3; [`rare`](super::rare) brings all others into it.

use std::ops::Range;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::index::extension::{Tree, tree};

use super::MEMORY;
use crate::source::RepoPath;

/// Where the mode of an entry lies; before it are times and numbers that Git compares with the disk.
pub(super) const MODE: usize = 24;
/// Where its object's id lies.
pub(super) const ID: usize = 40;
/// Set if more flags follow the first two bytes.
pub(super) const EXTENDED: u16 = 0x4000;
/// Set in these if the entry was only announced (`git add -N`).
pub(super) const INTENT_TO_ADD: u16 = 0x2000;
/// The length of the path, or all of these bits if it is longer.
pub(super) const LENGTH: u16 = 0x0fff;

/// An index, its entries in the order of their paths.
pub(super) struct Raw {
    bytes: Vec<u8>,
    /// Where each entry begins.
    starts: Vec<u32>,
    hash: usize,
    /// The trees that Git remembers to have written from these entries.
    pub(super) tree: Option<Tree>,
    /// Whether entries may stand for whole trees.
    pub(super) sparse: bool,
    /// The first entry that a merge left undecided.
    pub(super) unmerged: Option<usize>,
}

/// Why bytes were not read.
pub(super) enum Unread {
    /// They lie otherwise, or in more than one file.
    Rare,
    /// They are no index.
    Damaged(String),
}

/// One entry.
#[derive(Clone, Copy)]
pub(super) struct Entry<'a> {
    bytes: &'a [u8],
    hash: usize,
}

impl<'a> Entry<'a> {
    /// Gives the path, from the top of the repository.
    pub(super) fn path(self) -> &'a BStr {
        let place = self.path_place().unwrap_or_default();
        self.bytes[place].as_bstr()
    }

    /// Finds the path among the bytes; none if they are not enough.
    fn path_place(self) -> Option<Range<usize>> {
        let flags = short(self.bytes, ID + self.hash)?;
        let start = ID + self.hash + if flags & EXTENDED == 0 { 2 } else { 4 };
        let length = match flags & LENGTH {
            LENGTH => self.bytes.get(start..)?.find_byte(0)?,
            length => usize::from(length),
        };
        Some(start..start + length)
    }

    /// Gives the mode, such as 0o100644.
    pub(super) fn mode(self) -> u32 {
        number(self.bytes, MODE).unwrap_or_default()
    }

    /// Gives the object.
    pub(super) fn id(self) -> ObjectId {
        ObjectId::from_bytes_or_panic(&self.bytes[ID..ID + self.hash])
    }

    /// Gives 0, or which side of a merge that is not decided.
    pub(super) fn stage(self) -> u16 {
        (self.flags() >> 12) & 3
    }

    /// Tells whether it was only announced, and holds nothing yet.
    pub(super) fn is_announced(self) -> bool {
        let more = ID + self.hash + 2;
        let more = short(self.bytes, more).unwrap_or_default();
        self.flags() & EXTENDED != 0 && more & INTENT_TO_ADD != 0
    }

    fn flags(self) -> u16 {
        short(self.bytes, ID + self.hash).unwrap_or_default()
    }
}

impl Raw {
    /// Goes through all entries once, so that everything after it may rely on their lengths and order.
    pub(super) fn read(bytes: Vec<u8>, kind: gix::hash::Kind) -> Result<Self, Unread> {
        let hash = kind.len_in_bytes();
        let (version, count) = (number(&bytes, 4), number(&bytes, 8));
        match (bytes.starts_with(b"DIRC"), version, count) {
            (true, Some(2 | 3), Some(count)) => {
                let (starts, tree) = (Vec::new(), None);
                let mut raw = Raw { bytes, starts, hash, tree, sparse: false, unmerged: None };
                let end = raw.scan(count as usize)?;
                raw.extensions(end, kind)?;
                Ok(raw)
            }
            (true, Some(4), Some(_)) => Err(Unread::Rare),
            _ => Err(Unread::Damaged("it begins like no index that orch knows".into())),
        }
    }

    /// Finds where each entry begins; gives where the last one ends.
    fn scan(&mut self, count: usize) -> Result<usize, Unread> {
        let least = ID + self.hash + 2;
        let end = self.bytes.len().saturating_sub(self.hash);
        if count > end / least {
            return Err(Unread::Damaged("it says that it has more than it holds".into()));
        }
        self.starts.reserve_exact(count);
        let mut before: Option<(Range<usize>, u16)> = None;
        let mut at = 12;
        for number in 0..count {
            let torn = || Unread::Damaged(format!("entry {} of {count} is torn", number + 1));
            let start = u32::try_from(at).map_err(|_| torn())?;
            let entry = Entry { bytes: &self.bytes[at..end], hash: self.hash };
            let (place, stage) = (entry.path_place().ok_or_else(torn)?, entry.stage());
            // From one to eight zeros end an entry, so that the next one begins at a multiple of eight.
            let size = (place.end + 8) & !7;
            if size > entry.bytes.len() {
                return Err(torn());
            }
            let path = &entry.bytes[place.clone()];
            // What a split index replaces of the other file comes first, and names no path.
            if path.is_empty() {
                return Err(Unread::Rare);
            }
            if let Some((before, its)) = before
                && (&self.bytes[before], its) >= (path, stage)
            {
                let path = RepoPath::from_git(path.as_bstr());
                return Err(Unread::Damaged(format!("`{path}` is out of order")));
            }
            if stage != 0 && self.unmerged.is_none() {
                self.unmerged = Some(number);
            }
            self.starts.push(start);
            before = Some((at + place.start..at + place.end, stage));
            at += size;
        }
        Ok(at)
    }

    /// Reads what follows the entries; what is in capital letters may be passed over.
    fn extensions(&mut self, start: usize, kind: gix::hash::Kind) -> Result<(), Unread> {
        let end = self.bytes.len().saturating_sub(self.hash);
        let mut rest = self.bytes.get(start..end).unwrap_or_default();
        while let Some((head, body)) = rest.split_at_checked(8) {
            let length = number(head, 4).unwrap_or_default() as usize;
            let name = head[..4].as_bstr();
            let Some((body, after)) = body.split_at_checked(length) else {
                return Err(Unread::Damaged(format!("its extension `{name}` is torn")));
            };
            match name.as_bytes() {
                b"TREE" => self.tree = tree::decode(body, kind, Some(MEMORY)),
                b"link" => return Err(Unread::Rare),
                b"sdir" if body.is_empty() => self.sparse = true,
                [first, ..] if first.is_ascii_uppercase() => {}
                _ => {
                    let name = RepoPath::from_git(name);
                    return Err(Unread::Damaged(format!("orch can't read its part `{name}`")));
                }
            }
            rest = after;
        }
        Ok(())
    }

    /// Gives how many entries there are.
    pub(super) fn len(&self) -> usize {
        self.starts.len()
    }

    /// Gives the entry at a position.
    pub(super) fn entry(&self, at: usize) -> Entry<'_> {
        Entry { bytes: &self.bytes[self.starts[at] as usize..], hash: self.hash }
    }

    /// Gives the first position from `from` up to `to` where the path is not so; before it, all are.
    pub(super) fn partition_point(
        &self,
        (from, to): (usize, usize),
        is_so: impl Fn(&BStr) -> bool,
    ) -> usize {
        let starts = &self.starts[from..to];
        let entry = |start: u32| Entry { bytes: &self.bytes[start as usize..], hash: self.hash };
        from + starts.partition_point(|start| is_so(entry(*start).path()))
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}
