//! Indexes that lie otherwise: with shortened paths (version 4), or split over two files.

use std::path::Path;

use gix::bstr::ByteSlice as _;
use gix::index::entry::Flags;
use gix::index::{File, decode};

use super::MEMORY;
use super::raw::{EXTENDED, ID, INTENT_TO_ADD, LENGTH, MODE};

/// Reads an index and writes it as one file of version 3.
pub(super) fn read(path: &Path, kind: gix::hash::Kind) -> Result<Vec<u8>, String> {
    let options = decode::Options { alloc_limit_bytes: Some(MEMORY), ..Default::default() };
    let file = File::at(path, kind, true, options).map_err(|error| format!("{error}"))?;
    let mut bytes = Vec::new();
    bytes.extend_from_slice(b"DIRC\0\0\0\x03");
    let count = u32::try_from(file.entries().len()).map_err(|error| error.to_string())?;
    bytes.extend_from_slice(&count.to_be_bytes());
    for entry in file.entries() {
        let path = entry.path(&file);
        let length = u16::try_from(path.len()).map_or(LENGTH, |length| length.min(LENGTH));
        let stage = u16::try_from(entry.stage_raw()).unwrap_or_default();
        let announced = entry.flags.contains(Flags::INTENT_TO_ADD);
        let start = bytes.len();
        bytes.extend_from_slice(&[0; ID]);
        bytes[start + MODE..start + MODE + 4].copy_from_slice(&entry.mode.bits().to_be_bytes());
        bytes.extend_from_slice(entry.id.as_bytes());
        bytes.extend_from_slice(&(EXTENDED | stage << 12 | length).to_be_bytes());
        bytes.extend_from_slice(&if announced { INTENT_TO_ADD } else { 0 }.to_be_bytes());
        bytes.extend_from_slice(path.as_bytes());
        let size = (bytes.len() - start + 8) & !7;
        bytes.resize(start + size, 0);
    }
    bytes.resize(bytes.len() + kind.len_in_bytes(), 0);
    Ok(bytes)
}
