//! A verification in parts: so many ledgers of tasks at a time, each part a world of its own, and at
//! last one of all that is left, which knows what the others sum up to.
//!
//! A hundred thousand ledgers are never in memory at once. What a check asks about ledgers of other
//! parts can only take back what it found, so that a part without such a finding is done with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::build::{Frame, assemble};
use super::facts::Digests;
use super::files::Part;
use super::folders::{Folders, Names};
use super::history::History;
use super::ledgers::LedgerView;
use super::months::OpenLedgers;
use super::{Survey, Terms, World};
use crate::record::TASKS;
use crate::snapshot::{Fault, Proposal, Repository, Side};
use crate::source::{Digest, LaneName, RepoPath, TaskId};

/// A verification that has begun.
pub struct Verification<'p> {
    proposal: &'p Proposal,
    terms: Terms,
    survey: Arc<Survey>,
    digests: Arc<Digests>,
    /// Folders of ledgers whose tasks' ids are their own.
    folders: Vec<RepoPath>,
    /// Folders of tasks whose id another has as well: they are looked at side by side.
    doubles: Vec<RepoPath>,
    /// What the names of the folders tell before any ledger is read.
    named: Arc<Whole>,
}

/// What a world of a verification knows of the ledgers that it does not hold.
#[derive(Debug, Clone, Default)]
pub struct Whole {
    tasks: Arc<Folders>,
    sums: Sums,
}

/// What ledgers sum up to, as far as a verification asks for it beyond a part.
#[derive(Debug, Clone, Default)]
pub struct Sums {
    /// What was sealed at which path, each as one digest; in order once all are joined.
    sealed: Vec<Digest>,
    /// The lanes in which somebody works.
    at_work: BTreeSet<LaneName>,
    /// What each task waits for, or ever did; those that never waited are left out.
    waits: BTreeMap<TaskId, BTreeSet<TaskId>>,
}

impl<'p> Verification<'p> {
    /// Lists the ledgers of tasks, and reads what holds for all of them.
    pub fn begin(
        repository: &dyn Repository,
        proposal: &'p Proposal,
        terms: Terms,
    ) -> Result<Self, Fault> {
        let survey = Arc::new(Survey::of(repository, proposal, &terms.policy, &mut None)?);
        let (tasks, all) = listed(repository, proposal.head)?;
        let id = |folder: &RepoPath| folder.file_name().to_string().to_lowercase();
        let mut count: HashMap<String, usize> = HashMap::new();
        all.iter().for_each(|folder| *count.entry(id(folder)).or_default() += 1);
        let (folders, doubles) = all.into_iter().partition(|folder| count[&id(folder)] == 1);
        let named = Arc::new(Whole { tasks: Arc::new(tasks), sums: Sums::default() });
        let digests = Arc::default();
        Ok(Verification { proposal, terms, survey, digests, folders, doubles, named })
    }

    /// Gives the parts: folders of ledgers that can be looked at by themselves. How many are one is told by how
    /// many there are.
    pub fn parts(&self, together: impl Fn(usize) -> usize) -> Vec<&[RepoPath]> {
        self.folders.chunks(together(self.folders.len())).collect()
    }

    /// Builds the world of one part.
    pub fn part(&self, repository: &dyn Repository, folders: &[RepoPath]) -> Result<World, Fault> {
        self.world(repository, Part::Ledgers(folders), History::default(), Arc::clone(&self.named))
    }

    /// Builds the world of all that is in no part, and of the ledgers that have to be looked at again;
    /// `sums` are those of all parts.
    pub fn rest(
        &self,
        repository: &dyn Repository,
        again: Vec<RepoPath>,
        sums: Sums,
    ) -> Result<World, Fault> {
        let folders = [&self.doubles[..], &again[..]].concat();
        let history = History::walk(repository, self.proposal)?;
        let whole = Whole { tasks: Arc::clone(&self.named.tasks), sums };
        self.world(repository, Part::Rest(&folders), history, Arc::new(whole))
    }

    fn world(
        &self,
        repository: &dyn Repository,
        part: Part<'_>,
        history: History,
        whole: Arc<Whole>,
    ) -> Result<World, Fault> {
        let survey = Arc::clone(&self.survey);
        let digests = Some(Arc::clone(&self.digests));
        let frame = Frame { survey, history, part, whole, digests, read: OpenLedgers::new() };
        assemble(repository, self.proposal, self.terms.clone(), frame)
    }
}

/// Gives the folder of every task at a side, by month and as a list.
fn listed(repository: &dyn Repository, side: Side) -> Result<(Folders, Vec<RepoPath>), Fault> {
    let (mut tasks, mut all) = (Folders::default(), Vec::new());
    let shelves = RepoPath::from(TASKS);
    for month in repository.folders(side, &shelves)? {
        let shelf = shelves.join(&month);
        let names = repository.folders(side, &shelf)?;
        all.extend(names.iter().map(|name| shelf.join(name)));
        tasks.add(shelf, Names::of_folders(names.iter().map(String::as_str)));
    }
    Ok((tasks, all))
}

impl Whole {
    /// Tells whether there is a task with this id, in this spelling.
    pub fn knows(&self, id: &TaskId) -> bool {
        self.tasks.spelled(id).is_some()
    }

    /// Tells whether some handoff elsewhere sealed exactly this at this path.
    pub(super) fn sealed(&self, path: &RepoPath, digest: Digest) -> bool {
        self.sums.sealed.binary_search(&seal(path, digest)).is_ok()
    }

    /// Gives the lanes in which somebody works elsewhere.
    pub fn at_work(&self) -> &BTreeSet<LaneName> {
        &self.sums.at_work
    }
}

/// Gives path and digest as one digest, which is less to keep.
fn seal(path: &RepoPath, digest: Digest) -> Digest {
    Digest::of(&[path.as_bytes(), b"\0", digest.to_string().as_bytes()].concat())
}

impl Sums {
    /// Sums up what a world holds.
    pub fn of(world: &World) -> Self {
        let states = || world.ledgers.values().filter_map(LedgerView::state);
        let artifacts = states().flat_map(|state| &state.deliveries).flat_map(|d| &d.artifacts);
        let waits = world.waits().into_iter().filter(|(_, others)| !others.is_empty());
        let owned = |others: BTreeSet<&TaskId>| others.into_iter().cloned().collect();
        Sums {
            sealed: artifacts.map(|known| seal(&known.path, known.checksum)).collect(),
            at_work: states().filter_map(|state| Some(state.active_run()?.lane.clone())).collect(),
            waits: waits.map(|(id, others)| (id.clone(), owned(others))).collect(),
        }
    }

    /// Gives what all of these sum up to together.
    pub fn joined(all: impl Iterator<Item = Sums>) -> Self {
        let mut joined = Sums::default();
        for Sums { sealed, at_work, waits } in all {
            joined.sealed.extend(sealed);
            joined.at_work.extend(at_work);
            joined.waits.extend(waits);
        }
        joined.sealed.sort_unstable();
        joined
    }

    /// Gives what each task waits for, or ever did, but for those that never waited.
    pub fn waits(&self) -> BTreeMap<&TaskId, BTreeSet<&TaskId>> {
        self.waits.iter().map(|(id, others)| (id, others.iter().collect())).collect()
    }
}
