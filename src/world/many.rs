//! The same question about many things, asked on every core, each with the repository for itself.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::ledgers::{self, Files};
use crate::record::Record;
use crate::snapshot::{Another, Fault, Repository, Side};
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
    if folders.len() < FEW {
        let read = folders.iter().map(|folder| ledgers::read(repository, side, folder));
        return read.map(|files| files.map(&make)).collect();
    }
    if side != Side::Index {
        return each(repository, folders, TOGETHER, |repository, folder| {
            ledgers::read(repository, side, folder).map(&make)
        });
    }
    // An index is read once, and here.
    let listed = folders.iter().map(|folder| ledgers::list(repository, side, folder));
    let listed: Vec<_> = listed.collect::<Result<_, Fault>>()?;
    each(repository, &listed, TOGETHER, |repository, files| {
        Ok(make(ledgers::fetch(files.clone(), repository)?.parse()))
    })
}

/// Gives what `ask` answers about each of these, in their order. As many as `together` that lie side by
/// side are one thread's.
pub fn each<I: Sync, A: Send>(
    repository: &dyn Repository,
    all: &[I],
    together: usize,
    ask: impl Fn(&dyn Repository, &I) -> Result<A, Fault> + Sync,
) -> Result<Vec<A>, Fault> {
    let next = AtomicUsize::new(0);
    let work = |repository: &dyn Repository| -> Result<Vec<(usize, A)>, Fault> {
        let mut answers = Vec::new();
        loop {
            let first = next.fetch_add(together, Ordering::Relaxed);
            for (at, one) in all.iter().enumerate().skip(first).take(together) {
                answers.push((at, ask(repository, one)?));
            }
            if first + together >= all.len() {
                return Ok(answers);
            }
        }
    };
    thread::scope(|scope| {
        let others = others(repository, all.len().div_ceil(together)).into_iter();
        let hands: Vec<_> = others.map(|another| scope.spawn(|| work(&*another()))).collect();
        let mut answers = work(repository)?;
        for hand in hands {
            answers.extend(hand.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))?);
        }
        answers.sort_by_key(|(at, _)| *at);
        Ok(answers.into_iter().map(|(_, answer)| answer).collect())
    })
}

/// Gives a repository for every core beside this one that there is work for.
fn others(repository: &dyn Repository, parts: usize) -> Vec<Another> {
    let cores = || thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let others = if parts < 2 { 0 } else { cores().min(parts) - 1 };
    (0..others).map_while(|_| repository.another()).collect()
}
