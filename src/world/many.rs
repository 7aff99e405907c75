//! Many ledgers at once, on every core: each reads files out of Git and parses them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::ledgers::{self, Files};
use crate::record::Record;
use crate::snapshot::{Fault, Oid, Reader, Repository, Side};
use crate::source::RepoPath;

/// Fewer ledgers than this are parsed sooner than a thread begins.
const FEW: usize = 24;
/// More threads than this wait for the disk.
const MOST: usize = 8;
/// Ledgers that lie side by side are read by one thread: what they share is unpacked once.
const TOGETHER: usize = 16;

/// Gives the entries of the ledgers in some folders, by these.
pub(super) fn records(
    repository: &dyn Repository,
    side: Side,
    folders: BTreeSet<RepoPath>,
) -> Result<BTreeMap<RepoPath, Vec<Record>>, Fault> {
    let folders: Vec<RepoPath> = folders.into_iter().collect();
    let read = read(repository, side, &folders, |files| files.records)?;
    Ok(folders.into_iter().zip(read).collect())
}

/// Gives what `make` makes of the ledger in each folder, in the order of the folders.
pub(super) fn read<T: Send>(
    repository: &dyn Repository,
    side: Side,
    folders: &[RepoPath],
    make: impl Fn(Files) -> T + Sync,
) -> Result<Vec<T>, Fault> {
    let readers = readers(repository, folders.len());
    if readers.is_empty() {
        let read = folders.iter().map(|folder| ledgers::read(repository, side, folder));
        return read.map(|files| files.map(&make)).collect();
    }
    let listed = folders.iter().map(|folder| ledgers::list(repository, side, folder));
    let listed: Vec<_> = listed.collect::<Result<_, Fault>>()?;
    let next = AtomicUsize::new(0);
    let work = |read: &dyn Fn(Oid) -> Result<Vec<u8>, Fault>| -> Result<Vec<(usize, T)>, Fault> {
        let mut made = Vec::new();
        loop {
            let first = next.fetch_add(TOGETHER, Ordering::Relaxed);
            let part = listed.iter().enumerate().skip(first).take(TOGETHER);
            for (at, files) in part {
                made.push((at, make(ledgers::fetch(files.clone(), read)?.parse())));
            }
            if first + TOGETHER >= listed.len() {
                return Ok(made);
            }
        }
    };
    thread::scope(|scope| {
        let hands: Vec<_> =
            readers.into_iter().map(|reader| scope.spawn(|| work(&*reader()))).collect();
        let mut made = work(&|oid| repository.read(oid))?;
        for hand in hands {
            made.extend(hand.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        made.sort_by_key(|(at, _)| *at);
        Ok(made.into_iter().map(|(_, made)| made).collect())
    })
}

/// Gives a way to the blobs for every core beside this one; none for so few ledgers that they are read
/// sooner than a thread begins, or than the cores are counted.
fn readers(repository: &dyn Repository, ledgers: usize) -> Vec<Reader> {
    let cores = || thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let others = if ledgers < FEW { 0 } else { cores() - 1 };
    (0..others).map_while(|_| repository.reader()).collect()
}
