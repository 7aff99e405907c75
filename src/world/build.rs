//! From a repository and a proposal to a world: everything the checks need is read here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::facts::{Digests, Memory};
use super::files::{self, Part, Proposed};
use super::history::{History, stands_at};
use super::ledgers::{self, LedgerView, touches_landed};
use super::months::OpenLedgers;
use super::{
    Facts, Focus, Survey, Whole, World, decisions, doubles, freezes, here, many, process, seals,
    spoken,
};
use crate::keys::Signers;
use crate::policy::Policy;
use crate::record::{Home, Problem, Record, RecordPath, record_of, snapshot_of};
use crate::snapshot::{Fault, Node, Occasion, Oid, Proposal, Repository, Side};
use crate::source::{Moment, RepoPath, TaskId};

/// What a world is built from, beside the repository and the proposal.
#[derive(Debug, Clone)]
pub struct Terms {
    /// The policy that was agreed.
    pub policy: Arc<Policy>,
    /// Whose keys are whose, as it was agreed.
    pub signers: Signers,
    /// What is wrong with the policy and the keys at head, if the change touches them.
    pub policy_problems: Vec<(RepoPath, Problem)>,
    /// Whether the change brings the first policy, which then judges itself.
    pub bootstrap: bool,
    /// The moment as of which is judged.
    pub at: Moment,
    /// Tasks to look at though the change does not touch them.
    pub focus: Focus,
}

/// What a world is made in: known before any of its ledgers is read.
pub(super) struct Frame<'a> {
    pub(super) survey: Arc<Survey>,
    pub(super) history: History,
    pub(super) part: Part<'a>,
    pub(super) whole: Arc<Whole>,
    /// What the blobs of a verification hash to, as far as that is known.
    pub(super) digests: Option<Arc<Digests>>,
    /// Ledgers of open tasks that had to be read already.
    pub(super) read: OpenLedgers,
}

/// Builds the world of a change; refuses with a fault if something can't be read. A verification is built
/// [in parts](super::Verification).
pub fn build(
    repository: &dyn Repository,
    proposal: &Proposal,
    terms: Terms,
) -> Result<World, Fault> {
    let mut read = terms.focus.has_all_open().then(BTreeMap::new);
    let survey = Arc::new(Survey::of(repository, proposal, &terms.policy, &mut read)?);
    let history = History::walk(repository, proposal)?;
    let (whole, read) = (Arc::default(), read.unwrap_or_default());
    let frame = Frame { survey, history, part: Part::Change, whole, digests: None, read };
    assemble(repository, proposal, terms, frame)
}

/// Builds a world in its frame.
pub(super) fn assemble(
    repository: &dyn Repository,
    proposal: &Proposal,
    terms: Terms,
    frame: Frame<'_>,
) -> Result<World, Fault> {
    let Frame { survey, history, part, whole, digests, read } = frame;
    let files = files::of(repository, proposal, part)?;
    let unreadable_landed = unreadable_landed(repository, proposal)?;
    let mut tampered = tampered(proposal);
    tampered.retain(|path| !unreadable_landed.contains(*path) && !history.moved.contains(*path));
    let mut builder = Builder {
        repository,
        proposal,
        part,
        introduced: history.introduced,
        tampered,
        ledgers: BTreeMap::new(),
        unreadable: Vec::new(),
        doubles: Vec::new(),
        survey: &survey,
    };
    builder.read_records(files.records)?;
    builder.read_dependencies(terms.focus, read)?;
    let Builder { ledgers, unreadable, mut doubles, .. } = builder;
    doubles.extend(doubles::of(repository, proposal, &ledgers, &survey)?);
    let quarantined = survey.quarantined_beside(&ledgers);
    let Terms { policy, signers, policy_problems, bootstrap, at, .. } = terms;
    let memory = digests.map_or(Memory::Kept, Memory::Verified);
    let mut world = World {
        at,
        occasion: proposal.occasion,
        base: proposal.base,
        branch: proposal.branch.clone(),
        policy,
        policy_problems,
        signers,
        bootstrap,
        changes: proposal.changes.clone(),
        ledgers,
        seals: BTreeMap::new(),
        unreadable,
        unreadable_landed,
        erased: history.erased,
        moved: history.moved,
        rewritten: history.rewritten,
        doubles,
        survey,
        whole,
        quarantined,
        settled: BTreeMap::new(),
        withdrawn: BTreeSet::new(),
        decisions: None,
        process: process::Process::default(),
        facts: Facts::default(),
        here: here::Here::default(),
    };
    world.seals = seals::read(repository, proposal, &world, files.signatures)?;
    world.settled = decisions::settled(repository, proposal, &world)?;
    world.withdrawn = decisions::withdrawn(repository, proposal, &world)?;
    world.decisions = decisions::to_be_logged(repository, proposal, &world)?;
    world.process = process::read(repository, proposal, &world.policy)?;
    world.here = here::find(&world);
    world.facts = spoken::facts(repository, proposal, &world, memory)?;
    Ok(world)
}

struct Builder<'a> {
    repository: &'a dyn Repository,
    proposal: &'a Proposal,
    part: Part<'a>,
    introduced: BTreeMap<RepoPath, Oid>,
    tampered: BTreeSet<&'a RepoPath>,
    ledgers: BTreeMap<Home, LedgerView>,
    unreadable: Vec<(RepoPath, Problem)>,
    doubles: Vec<(Home, RepoPath)>,
    survey: &'a Survey,
}

impl Builder<'_> {
    /// Reads every ledger to which one of these records belongs.
    fn read_records(&mut self, records: Vec<Proposed>) -> Result<(), Fault> {
        let mut touched: BTreeSet<(Home, RepoPath)> = BTreeSet::new();
        let mut snapshots = Vec::new();
        for (path, node) in records {
            if let Some(halt) = snapshot_of(&path) {
                touched.insert((Home::Halt(halt), path.folder()));
                snapshots.extend(node.map(|_| path));
                continue;
            }
            match RecordPath::parse(&path) {
                Ok(place) if place.home == Home::Decision && self.tampered.contains(&path) => {}
                Ok(place) if place.home == Home::Decision && self.has_landed(&path, node)? => {}
                Ok(place) if place.home == Home::Decision => self.read_decision(path, node)?,
                Ok(place) => {
                    touched.insert((place.home, path.folder()));
                }
                Err(_) => self.read_misplaced(path, node)?,
            }
        }
        touched.extend(self.merged_ledgers()?);
        let folders: Vec<RepoPath> = touched.iter().map(|(_, folder)| folder.clone()).collect();
        let (repository, head) = (self.repository, self.proposal.head);
        let proposed = match self.part {
            // Another part has the other cores.
            Part::Ledgers(_) => {
                folders.iter().map(|folder| ledgers::read(repository, head, folder)).collect()
            }
            Part::Change | Part::Rest(_) => many::read(repository, head, &folders, |files| files),
        }?;
        for ((home, folder), proposed) in touched.into_iter().zip(proposed) {
            self.join_ledger(home, folder, proposed)?;
        }
        self.unreadable.extend(freezes::unnamed(&self.ledgers, snapshots));
        Ok(())
    }

    /// Tells whether a file stands like this where things are agreed: a branch from before it landed
    /// brings it once more, and it decides nothing anew.
    fn has_landed(&self, path: &RepoPath, node: Option<Node>) -> Result<bool, Fault> {
        let sides = [&[self.proposal.agreed], &self.proposal.parents[..]].concat();
        Ok(node.is_some() && stands_at(self.repository, &sides, path, node)?)
    }

    /// Gives the ledgers that a merge joins. Each of their entries may stand in a parent, so that
    /// no change is to be judged, and yet two ways on may meet here.
    fn merged_ledgers(&self) -> Result<Vec<(Home, RepoPath)>, Fault> {
        if self.proposal.occasion != Occasion::Merge {
            return Ok(Vec::new());
        }
        let changes = self.repository.changes(self.proposal.base, self.proposal.head)?;
        let records = changes.iter().filter_map(|change| RecordPath::parse(&change.path).ok());
        let ledgers = records.filter(|record| record.home != Home::Decision);
        Ok(ledgers.map(|record| (record.home, record.path.folder())).collect())
    }

    /// Gives what is agreed of a ledger: what HEAD has, or what a protected parent has beyond it.
    fn agreed(&self, folder: &RepoPath) -> Result<Vec<Record>, Fault> {
        let mut agreed = ledgers::read(self.repository, self.proposal.agreed, folder)?.records;
        for parent in &self.proposal.parents {
            let landed = ledgers::read(self.repository, *parent, folder)?.records;
            if !agreed.starts_with(&landed) {
                agreed = landed;
            }
        }
        Ok(agreed)
    }

    fn read_misplaced(&mut self, path: RepoPath, node: Option<Node>) -> Result<(), Fault> {
        let Some(node) = node else { return Ok(()) };
        if let Err(problems) = ledgers::read_one(self.repository, &path, node)? {
            self.unreadable.extend(problems.into_iter().map(|problem| (path.clone(), problem)));
        }
        Ok(())
    }

    fn read_decision(&mut self, path: RepoPath, node: Option<Node>) -> Result<(), Fault> {
        let Some(node) = node else { return Ok(()) };
        match ledgers::read_one(self.repository, &path, node)? {
            Ok(record) => {
                // Decisions share a home; they are told apart by their file.
                let known = self.ledgers.remove(&Home::Decision);
                let mut records = known.map(|view| view.records).unwrap_or_default();
                records.push(record);
                let place = (Home::Decision, RepoPath::from(".orch/decisions"));
                let staged = self.staged();
                let view = LedgerView::join(place, Vec::new(), records, &self.introduced, staged);
                self.ledgers.insert(Home::Decision, view);
            }
            Err(problems) => {
                self.unreadable.extend(problems.into_iter().map(|problem| (path.clone(), problem)));
            }
        }
        Ok(())
    }

    /// Joins what is agreed of a ledger with what is proposed of it.
    fn join_ledger(
        &mut self,
        home: Home,
        folder: RepoPath,
        mut proposed: ledgers::Files,
    ) -> Result<(), Fault> {
        if let Some(known) = self.ledgers.get(&home) {
            self.doubles.push((home.clone(), known.folder.clone()));
        }
        let agreed = self.agreed(&folder)?;
        self.unreadable.extend(proposed.unreadable);
        if self.tampered.iter().any(|path| path.folder() == folder) {
            proposed.records = ledgers::restored(&agreed, proposed.records);
        }
        let place = (home.clone(), folder);
        let staged = self.staged();
        let view = LedgerView::join(place, agreed, proposed.records, &self.introduced, staged);
        self.ledgers.insert(home, view);
        Ok(())
    }

    /// Gives every task, those of the latest month last.
    fn tasks_by_month(&self) -> Vec<TaskId> {
        self.survey.folders.names().filter_map(|name| name.parse().ok()).collect()
    }

    /// Reads the ledgers that touched tasks depend on, and those these depend on, as agreed, but for
    /// those that are read.
    fn read_dependencies(&mut self, focus: Focus, mut read: OpenLedgers) -> Result<(), Fault> {
        let mut open = match focus {
            Focus::Tasks(tasks) => tasks,
            Focus::Ledgers(homes) => {
                self.read_beside(&homes)?;
                homes
                    .iter()
                    .filter(|home| matches!(home, Home::Task(_)))
                    .filter_map(Home::id)
                    .cloned()
                    .collect()
            }
            Focus::Open => self.survey.open.clone(),
            Focus::Recent(closed) => {
                let mut all = self.tasks_by_month();
                let open: BTreeSet<&TaskId> = self.survey.open.iter().collect();
                all.retain(|id| !open.contains(id));
                let rest = all.split_off(all.len().saturating_sub(closed));
                [self.survey.open.clone(), rest].concat()
            }
            Focus::Since(at) => self.survey.open_or_since(at),
            Focus::All => {
                self.read_beside(&ledgers::beside(self.repository, self.proposal.agreed)?)?;
                self.tasks_by_month()
            }
        };
        open.extend(self.ledgers.values().flat_map(depends_on));
        open.extend(self.ledgers.values().flat_map(decisions::tasks_of));
        open.extend(self.survey.rolling_back().cloned());
        let known = |id: &&TaskId| self.ledgers.contains_key(&Home::Task((*id).clone()));
        let unknown = open.iter().filter(|id| !known(id));
        let mut folders: BTreeSet<_> =
            unknown.filter_map(|id| self.survey.folders.get(id.as_str())).collect();
        folders.retain(|folder| !read.contains_key(folder));
        read.extend(many::records(self.repository, self.proposal.agreed, folders)?);
        while let Some(id) = open.pop() {
            let home = Home::Task(id.clone());
            if self.ledgers.contains_key(&home) {
                continue;
            }
            // In another case it would stand for the same folder twice.
            let Some(folder) = self.survey.folders.spelled(&id) else { continue };
            let records = match read.remove(&folder) {
                Some(records) => records,
                None => ledgers::read(self.repository, self.proposal.agreed, &folder)?.records,
            };
            let place = (home.clone(), folder);
            let view = LedgerView::agreed(place, records, &self.introduced);
            open.extend(depends_on(&view));
            self.ledgers.insert(home, view);
        }
        Ok(())
    }

    /// Reads ledgers of incidents and halts that the change does not touch, as agreed.
    fn read_beside(&mut self, homes: &[Home]) -> Result<(), Fault> {
        for home in homes {
            if matches!(home, Home::Task(_) | Home::Decision) {
                continue;
            }
            let folder = home.folder("");
            let agreed = ledgers::read(self.repository, self.proposal.agreed, &folder)?.records;
            if agreed.is_empty() || self.ledgers.contains_key(home) {
                continue;
            }
            let place = (home.clone(), folder);
            let view = LedgerView::join(place, agreed.clone(), agreed, &self.introduced, true);
            self.ledgers.insert(home.clone(), view);
        }
        Ok(())
    }

    /// Tells whether all that is new stands at head, in one commit about to be made.
    fn staged(&self) -> bool {
        self.proposal.head == Side::Index && self.proposal.occasion != Occasion::Verification
    }
}

/// The tasks that one depends on, now and when each of its new entries was written; those that an
/// incident is about.
fn depends_on(view: &LedgerView) -> BTreeSet<TaskId> {
    if let Some(state) = view.incident() {
        return state.incident.tasks.iter().cloned().collect();
    }
    let before = view.new_entries().filter_map(|(index, _)| view.before(index));
    let states = before.chain(view.state());
    states.flat_map(|state| state.task.depends_on.iter().cloned()).collect()
}

/// The records that had landed and that the proposal edits or deletes.
fn tampered(proposal: &Proposal) -> BTreeSet<&RepoPath> {
    proposal.changes.iter().filter(|change| touches_landed(change)).map(|c| &c.path).collect()
}

/// Those of them that nobody could read when they landed: they may be mended, if a person decides so.
fn unreadable_landed(
    repository: &dyn Repository,
    proposal: &Proposal,
) -> Result<BTreeSet<RepoPath>, Fault> {
    let mut unreadable = BTreeSet::new();
    for change in proposal.changes.iter().filter(|change| touches_landed(change)) {
        // A signature beside what nobody could read proves nothing either.
        let record = record_of(&change.path);
        if RecordPath::parse(&record).is_ok()
            && let Some(old) = repository.node(proposal.base, &record)?
            && ledgers::read_one(repository, &record, old)?.is_err()
        {
            unreadable.insert(change.path.clone());
        }
    }
    Ok(unreadable)
}
