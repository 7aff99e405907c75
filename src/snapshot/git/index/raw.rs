//! The entries of an index, read through once, each without the times and numbers that only a comparison
//! with the disk needs: a third of what the file holds.
//!
//! To read the index is most of what a commit hook does, and Git's own reader sets the pace. The layout
//! of the file is that of `gitformat-index`, versions 2 and 3; [`rare`](super::rare) reads all others.

use std::io::{self, Read};
use std::ops::Range;

use gix::ObjectId;
use gix::bstr::{BStr, ByteSlice as _};
use gix::index::extension::{Tree, tree};

use super::MEMORY;
use crate::source::RepoPath;

/// Where the mode of an entry lies in the file; before it are times and numbers.
const MODE: usize = 24;
/// Where its object's id lies, behind more of these.
const ID: usize = 40;
/// Set if more flags follow the first two bytes.
pub(super) const EXTENDED: u16 = 0x4000;
/// Set in these if the entry was only announced (`git add -N`).
pub(super) const INTENT_TO_ADD: u16 = 0x2000;
/// The length of the path, or all of these bits if it is longer.
const LENGTH: u16 = 0x0fff;
/// How much of the file is looked at together: what a core keeps at hand.
const WINDOW: usize = 1 << 18;

/// An index, its entries in the order of their paths.
pub(super) struct Raw {
    /// Of each entry its mode, its object's id, its flags, more of them where these say so, and its path.
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

impl From<io::Error> for Unread {
    fn from(error: io::Error) -> Self {
        Unread::Damaged(error.to_string())
    }
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
        self.bytes[4 + self.hash + flags_length(self.flags())..].as_bstr()
    }

    /// Gives the mode, such as 0o100644.
    pub(super) fn mode(self) -> u32 {
        number(self.bytes, 0).unwrap_or_default()
    }

    /// Gives the object.
    pub(super) fn id(self) -> ObjectId {
        ObjectId::from_bytes_or_panic(&self.bytes[4..4 + self.hash])
    }

    /// Gives 0, or which side of a merge that is not decided.
    pub(super) fn stage(self) -> u16 {
        (self.flags() >> 12) & 3
    }

    /// Tells whether it was only announced, and holds nothing yet.
    pub(super) fn is_announced(self) -> bool {
        let more = short(self.bytes, 4 + self.hash + 2).unwrap_or_default();
        self.flags() & EXTENDED != 0 && more & INTENT_TO_ADD != 0
    }

    fn flags(self) -> u16 {
        short(self.bytes, 4 + self.hash).unwrap_or_default()
    }
}

/// Gives how many bytes flags take that begin like this.
fn flags_length(flags: u16) -> usize {
    if flags & EXTENDED == 0 { 2 } else { 4 }
}

/// Where the parts of an entry lie in what is left of a file.
struct Layout {
    path: Range<usize>,
    /// With the zeros that end it.
    size: usize,
}

impl Layout {
    /// Finds an entry's parts; none if it is not there as a whole.
    fn of(rest: &[u8], hash: usize) -> Option<Self> {
        let flags = short(rest, ID + hash)?;
        let start = ID + hash + flags_length(flags);
        let length = match flags & LENGTH {
            LENGTH => rest.get(start..)?.find_byte(0)?,
            length => usize::from(length),
        };
        let path = start..start + length;
        // From one to eight zeros end an entry, so that the next one begins at a multiple of eight.
        let size = (path.end + 8) & !7;
        (size <= rest.len()).then_some(Layout { path, size })
    }
}

impl Raw {
    /// Begins without entries.
    pub(super) fn empty(kind: gix::hash::Kind) -> Self {
        let (bytes, starts, hash) = (Vec::new(), Vec::new(), kind.len_in_bytes());
        Raw { bytes, starts, hash, tree: None, sparse: false, unmerged: None }
    }

    /// Reads a file of so many bytes.
    pub(super) fn read(
        source: impl Read,
        size: usize,
        kind: gix::hash::Kind,
    ) -> Result<Self, Unread> {
        let mut raw = Raw::empty(kind);
        let mut window = Window::of(source);
        while window.rest().len() < 12 && window.more()? {}
        let (version, count) = (number(window.rest(), 4), number(window.rest(), 8));
        let count = match (window.rest().starts_with(b"DIRC"), version, count) {
            (true, Some(2 | 3), Some(count)) => count as usize,
            (true, Some(4), Some(_)) => return Err(Unread::Rare),
            _ => return Err(Unread::Damaged("it begins like no index that orch knows".into())),
        };
        let least = ID + raw.hash + 2;
        if count > size / least {
            return Err(Unread::Damaged("it says that it has more than it holds".into()));
        }
        raw.starts.reserve_exact(count);
        raw.bytes.reserve_exact(size - count * (least - 6 - raw.hash));
        window.at = 12;
        for number in 0..count {
            let Layout { path, size } = window.entry(raw.hash)?.ok_or_else(|| {
                Unread::Damaged(format!("entry {} of {count} is torn", number + 1))
            })?;
            let entry = &window.rest()[..path.end];
            raw.push(&entry[MODE..MODE + 4], &entry[ID..])?;
            window.at += size;
        }
        let tail = window.tail()?;
        let end = tail.len().checked_sub(raw.hash);
        let end = end.ok_or_else(|| Unread::Damaged("it has no checksum at its end".into()))?;
        raw.extensions(&tail[..end], kind)?;
        Ok(raw)
    }

    /// Adds an entry: the bytes of its mode, and those of its object's id, its flags and its path. Everything
    /// that is asked later relies on their order.
    pub(super) fn push(&mut self, mode: &[u8], rest: &[u8]) -> Result<(), Unread> {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(mode);
        self.bytes.extend_from_slice(rest);
        let entry = Entry { bytes: &self.bytes[start..], hash: self.hash };
        // What a split index replaces of the other file comes first, and names no path.
        if entry.path().is_empty() {
            return Err(Unread::Rare);
        }
        if let Some(last) = self.starts.last() {
            let before = Entry { bytes: &self.bytes[*last as usize..start], hash: self.hash };
            if (before.path(), before.stage()) >= (entry.path(), entry.stage()) {
                let path = RepoPath::from_git(entry.path());
                return Err(Unread::Damaged(format!("`{path}` is out of order")));
            }
        }
        if entry.stage() != 0 && self.unmerged.is_none() {
            self.unmerged = Some(self.starts.len());
        }
        let start = u32::try_from(start).map_err(|_| Unread::Damaged("it is too large".into()))?;
        self.starts.push(start);
        Ok(())
    }

    /// Reads what follows the entries; what is in capital letters may be passed over.
    fn extensions(&mut self, mut rest: &[u8], kind: gix::hash::Kind) -> Result<(), Unread> {
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
        let end = self.starts.get(at + 1).map_or(self.bytes.len(), |end| *end as usize);
        Entry { bytes: &self.bytes[self.starts[at] as usize..end], hash: self.hash }
    }

    /// Gives the first position from `from` up to `to` where the path is not so; before it, all are.
    pub(super) fn partition_point(
        &self,
        (from, to): (usize, usize),
        is_so: impl Fn(&BStr) -> bool,
    ) -> usize {
        let (mut low, mut high) = (from, to);
        while low < high {
            let middle = usize::midpoint(low, high);
            match is_so(self.entry(middle).path()) {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        low
    }
}

/// A part of a file that moves on through it.
struct Window<R> {
    source: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
}

impl<R: Read> Window<R> {
    fn of(source: R) -> Self {
        Window { source, buffer: vec![0; WINDOW], at: 0, end: 0 }
    }

    /// Gives what was read and not passed yet.
    fn rest(&self) -> &[u8] {
        &self.buffer[self.at..self.end]
    }

    /// Finds the next entry; none if the file ends before it does.
    fn entry(&mut self, hash: usize) -> io::Result<Option<Layout>> {
        loop {
            if let Some(layout) = Layout::of(self.rest(), hash) {
                return Ok(Some(layout));
            }
            if !self.more()? {
                return Ok(None);
            }
        }
    }

    /// Reads on, into a larger window if an entry fills all of it; tells whether there was more.
    fn more(&mut self) -> io::Result<bool> {
        self.buffer.copy_within(self.at..self.end, 0);
        (self.at, self.end) = (0, self.end - self.at);
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.end, 0);
        }
        let read = loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read?,
            }
        };
        self.end += read;
        Ok(read > 0)
    }

    /// Gives all that is left of the file.
    fn tail(mut self) -> io::Result<Vec<u8>> {
        let mut tail = self.rest().to_vec();
        self.source.read_to_end(&mut tail)?;
        Ok(tail)
    }
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn short(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(*bytes.get(at..)?.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const KIND: gix::hash::Kind = gix::hash::Kind::Sha1;

    /// Gives an index of files with these paths, as Git would write it.
    fn written(paths: &[String]) -> Vec<u8> {
        let mut bytes = b"DIRC\0\0\0\x02".to_vec();
        bytes.extend((paths.len() as u32).to_be_bytes());
        for path in paths {
            let begin = bytes.len();
            bytes.extend([0; MODE]);
            bytes.extend(0o100_644_u32.to_be_bytes());
            bytes.resize(begin + ID, 0);
            bytes.extend([path.len() as u8; 20]);
            let length = u16::try_from(path.len()).map_or(LENGTH, |length| length.min(LENGTH));
            bytes.extend(length.to_be_bytes());
            bytes.extend(path.as_bytes());
            bytes.resize(begin + ((bytes.len() - begin + 8) & !7), 0);
        }
        bytes.extend([0; 20]);
        bytes
    }

    /// Gives at most a few bytes at a time.
    struct Slow<'a>(&'a [u8], usize);

    impl Read for Slow<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let length = self.1.min(buffer.len());
            self.0.read(&mut buffer[..length])
        }
    }

    fn read(bytes: &[u8], at_once: usize) -> Result<Vec<(String, ObjectId)>, String> {
        let raw = Raw::read(Slow(bytes, at_once), bytes.len(), KIND);
        let raw = raw.map_err(|unread| match unread {
            Unread::Damaged(reason) => reason,
            Unread::Rare => "rare".into(),
        })?;
        let entries = (0..raw.len()).map(|at| raw.entry(at));
        Ok(entries.map(|entry| (entry.path().to_string(), entry.id())).collect())
    }

    #[test]
    fn an_entry_longer_than_the_window_is_whole() {
        let paths = ["a".to_owned(), "b".repeat(3 * WINDOW), "c".to_owned()];
        let read = read(&written(&paths), usize::MAX).expect("an index");
        assert_eq!(read.into_iter().map(|(path, _)| path).collect::<Vec<_>>(), paths);
    }

    #[test]
    fn what_ends_too_soon_is_told() {
        let whole = written(&["a".to_owned(), "b".to_owned()]);
        let told = |length: usize| read(&whole[..length], 5).expect_err("it is cut");
        assert_eq!(told(100), "it says that it has more than it holds");
        assert_eq!(told(whole.len() - 30), "entry 2 of 2 is torn");
        assert_eq!(told(whole.len() - 1), "it has no checksum at its end");
        assert_eq!(told(3), "it begins like no index that orch knows");
    }

    proptest! {
        /// It does not matter where a read ends.
        #[test]
        fn entries_are_whole_wherever_a_read_ends(
            paths in prop::collection::btree_set("[a-z/]{1,80}", 0..40),
            at_once in 1..200usize,
        ) {
            let paths: Vec<String> = paths.into_iter().collect();
            let bytes = written(&paths);
            let found = read(&bytes, at_once).expect("an index");
            let id = |path: &String| ObjectId::from_bytes_or_panic(&[path.len() as u8; 20]);
            let expected: Vec<_> = paths.iter().map(|path| (path.clone(), id(path))).collect();
            prop_assert_eq!(found, expected);
        }
    }
}
