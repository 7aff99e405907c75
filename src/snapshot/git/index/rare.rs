//! Indexes that lie otherwise: with shortened paths (version 4), or split over two files.

use std::path::Path;

use gix::bstr::ByteSlice as _;
use gix::index::entry::Flags;
use gix::index::{File, decode};

use super::MEMORY;
use super::raw::{EXTENDED, INTENT_TO_ADD, Raw, Unread};

/// Reads an index of any kind.
pub(super) fn read(path: &Path, kind: gix::hash::Kind) -> Result<Raw, Unread> {
    let options = decode::Options { alloc_limit_bytes: Some(MEMORY), ..Default::default() };
    let file = File::at(path, kind, true, options);
    let file = file.map_err(|error| Unread::Damaged(error.to_string()))?;
    let mut raw = Raw::empty(kind);
    for entry in file.entries() {
        let stage = u16::try_from(entry.stage_raw()).unwrap_or_default();
        let announced = entry.flags.contains(Flags::INTENT_TO_ADD);
        let flags = EXTENDED | stage << 12;
        let more = if announced { INTENT_TO_ADD } else { 0 };
        let flags = [flags.to_be_bytes(), more.to_be_bytes()].concat();
        let rest = [entry.id.as_bytes(), &flags, entry.path(&file).as_bytes()].concat();
        raw.push(&entry.mode.bits().to_be_bytes(), &rest)?;
    }
    Ok(raw)
}
