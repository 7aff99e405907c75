//! Many ledgers at once: one thread reads their files out of Git, the others parse them.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZero;
use std::sync::mpsc::{Receiver, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use super::ledgers::{self, Files, Unread};
use crate::record::Record;
use crate::snapshot::{Fault, Repository, Side};
use crate::source::RepoPath;

/// Fewer ledgers than this are parsed sooner than a thread begins.
const FEW: usize = 24;
/// More threads than this wait for the one that reads.
const MOST: usize = 8;
/// How many ledgers wait to be parsed, before who reads them parses one.
const WAITING: usize = 32;

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
    // To ask how many cores there are takes longer than to read a ledger.
    let cores = || thread::available_parallelism().map_or(1, NonZero::get).min(MOST);
    let others = if folders.len() < FEW { 0 } else { cores() - 1 };
    if others == 0 {
        let read = folders.iter().map(|folder| ledgers::read(repository, side, folder));
        return read.map(|files| files.map(&make)).collect();
    }
    let (queue, jobs) = sync_channel(WAITING);
    let jobs = Mutex::new(jobs);
    thread::scope(|scope| {
        let hands: Vec<_> = (0..others).map(|_| scope.spawn(|| parse(&jobs, &make))).collect();
        let mut made = Vec::with_capacity(folders.len());
        let mut read = || -> Result<(), Fault> {
            for (at, folder) in folders.iter().enumerate() {
                let job = (at, ledgers::fetch(repository, side, folder)?);
                if let Err(TrySendError::Full(job) | TrySendError::Disconnected(job)) =
                    queue.try_send(job)
                {
                    made.push((job.0, make(job.1.parse())));
                }
            }
            Ok(())
        };
        let ended = read();
        // The others end when there is nothing left to come.
        drop(queue);
        for hand in hands {
            made.extend(hand.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        made.sort_by_key(|(at, _)| *at);
        ended.map(|()| made.into_iter().map(|(_, made)| made).collect())
    })
}

/// Parses what comes, until nothing is left to come.
fn parse<T>(
    jobs: &Mutex<Receiver<(usize, Unread)>>,
    make: &(impl Fn(Files) -> T + Sync),
) -> Vec<(usize, T)> {
    let next = || jobs.lock().unwrap_or_else(PoisonError::into_inner).recv().ok();
    std::iter::from_fn(next).map(|(at, unread)| (at, make(unread.parse()))).collect()
}
