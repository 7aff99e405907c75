//! A verification: part after part on every core, and at last what only the whole can tell.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::{add_texts, terms};
use crate::checks;
use crate::diagnostic::Report;
use crate::snapshot::{Fault, Proposal, Repository};
use crate::source::{Moment, RepoPath};
use crate::world::{self, Focus, Sums, Verification};

/// How far a verification got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// How many ledgers of tasks were looked at.
    pub done: usize,
    /// How many there are.
    pub all: usize,
}

/// What one part came to.
struct Part {
    report: Report,
    /// Whether the other parts may take back some of it.
    for_now: bool,
    sums: Sums,
}

/// Fewer ledgers than this are no part: it would not be worth its start.
const FEWEST: usize = 32;
/// More are none either: all of a part is held at a time.
const MOST: usize = 256;
/// So many parts keep every core at work to the end.
const PARTS: usize = 16;

/// Judges a whole commit as of a moment; refuses with a fault if something can't be looked at. `told` is
/// told how far it got, on whatever thread gets there.
pub fn verify(
    repository: &dyn Repository,
    proposal: &Proposal,
    at: Moment,
    told: &(dyn Fn(Progress) + Sync),
) -> Result<Report, Fault> {
    verify_by(|ledgers| (ledgers / PARTS).clamp(FEWEST, MOST), repository, proposal, at, told)
}

/// Does the same in parts of another size, told by how many ledgers there are: it makes no difference to what is
/// found.
pub(crate) fn verify_by(
    together: impl Fn(usize) -> usize,
    repository: &dyn Repository,
    proposal: &Proposal,
    at: Moment,
    told: &(dyn Fn(Progress) + Sync),
) -> Result<Report, Fault> {
    let terms = terms(repository, proposal, at, false, Focus::Tasks(Vec::new()))?;
    let verification = Verification::begin(repository, proposal, terms)?;
    let folders = verification.parts(together);
    let (done, all) = (AtomicUsize::new(0), folders.iter().map(|part| part.len()).sum());
    let mut parts = world::each(repository, &folders, 1, |repository, folders| {
        let world = verification.part(repository, folders)?;
        let (report, for_now) = checks::run_part(&world);
        let done = done.fetch_add(folders.len(), Ordering::Relaxed) + folders.len();
        told(Progress { done, all });
        Ok(Part { report, for_now, sums: Sums::of(&world) })
    })?;
    let sums = Sums::joined(parts.iter_mut().map(|part| std::mem::take(&mut part.sums)));
    let circles = checks::in_circles(&sums.waits());
    let names: BTreeSet<&[u8]> = circles.iter().map(|id| id.as_str().as_bytes()).collect();
    let in_circle = |folder: &RepoPath| names.contains(&**folder.file_name());
    let mut again: Vec<RepoPath> = Vec::new();
    let mut report = Report::default();
    for (part, folders) in parts.into_iter().zip(folders) {
        match part.for_now || folders.iter().any(in_circle) {
            true => again.extend_from_slice(folders),
            false => report.add(part.report),
        }
    }
    report.add(checks::run(&verification.rest(repository, again, sums)?));
    report.settle();
    add_texts(repository, proposal, &mut report)?;
    Ok(report)
}
