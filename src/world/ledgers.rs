//! One ledger as agreed and as it would stand, with the state before each new entry.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use super::Seen;
use crate::ledger::{IncidentState, State};
use crate::record::kind::RunStatus;
use crate::record::{self, HALTS, Home, INCIDENTS, Problem, Record, RecordPath, TASKS};
use crate::snapshot::{Change, Fault, Node, Oid, Repository, Side};
use crate::source::{Moment, RepoPath, TaskId};

/// A ledger, or a decision, which is a ledger of one entry.
#[derive(Debug)]
pub struct LedgerView {
    /// Which one.
    pub home: Home,
    /// Its folder.
    pub folder: RepoPath,
    /// The entries as they would stand, in order.
    pub records: Vec<Record>,
    /// How many of them are agreed.
    pub agreed: usize,
    /// The first agreed entry that the proposal does not carry on from, if it goes another way.
    pub fork: Option<RepoPath>,
    /// Where a task stands behind the last entry.
    last: Option<State>,
    /// Where it stood before each, as soon as anybody asks: of most ledgers nobody does.
    states: OnceLock<Vec<Option<State>>>,
    incidents: Vec<Option<IncidentState>>,
    introduced: BTreeMap<RepoPath, Oid>,
    staged: bool,
}

/// A ledger's files at one side.
#[derive(Debug, Default)]
pub(super) struct Files {
    pub(super) records: Vec<Record>,
    pub(super) unreadable: Vec<(RepoPath, Problem)>,
}

/// Tells whether a change edits or deletes what had landed: a record, a record's signature, or a
/// halt's snapshot.
///
/// Other files in these folders should never have landed, so that they may be deleted.
pub fn touches_landed(change: &Change) -> bool {
    let path = &change.path;
    let kept = RecordPath::parse(path).is_ok()
        || record::signed_path(path).is_some()
        || record::snapshot_of(path).is_some();
    change.old.is_some() && kept
}

/// Gives the proposed entries of a ledger with the landed ones as they landed, so that an edit of
/// what landed is refused as such, and what stands behind it is judged by what was agreed.
pub(super) fn restored(agreed: &[Record], proposed: Vec<Record>) -> Vec<Record> {
    let last = agreed.last().map_or(0, Record::sequence);
    let behind = proposed.into_iter().filter(|record| record.sequence() > last);
    agreed.iter().cloned().chain(behind).collect()
}

/// Reads every record below a folder, in order of names. Entries behind one that can't be read are
/// left out: nobody knows what they stand on.
pub(super) fn read(
    repository: &dyn Repository,
    side: Side,
    folder: &RepoPath,
) -> Result<Files, Fault> {
    fetch(list(repository, side, folder)?, repository).map(Unread::parse)
}

/// The files of a ledger as they are, for whoever has the time to parse them.
pub(super) struct Unread(Vec<(RepoPath, Fetched)>);

/// The bytes of a file and what its path says; what is wrong if no record may be what it is.
type Fetched = Result<(RecordPath, Vec<u8>), Vec<Problem>>;

/// Gives the files below a folder that are, or should be, records.
pub(super) fn list(
    repository: &dyn Repository,
    side: Side,
    folder: &RepoPath,
) -> Result<Vec<(RepoPath, Node)>, Fault> {
    let mut files = repository.list(side, folder)?;
    files.retain(|(path, _)| {
        record::snapshot_of(path).is_none() && record::signed_path(path).is_none()
    });
    Ok(files)
}

/// Reads files that are, or should be, records.
pub(super) fn fetch(
    files: Vec<(RepoPath, Node)>,
    repository: &dyn Repository,
) -> Result<Unread, Fault> {
    let fetched = files.into_iter().map(|(path, node)| {
        let bytes = fetch_one(repository, &path, node)?;
        Ok((path, bytes))
    });
    fetched.collect::<Result<_, Fault>>().map(Unread)
}

impl Unread {
    /// Parses every file, in order of names.
    pub(super) fn parse(self) -> Files {
        let mut files = Files::default();
        for (path, fetched) in self.0 {
            match fetched.and_then(|(place, bytes)| record::parse(&place, &bytes)) {
                Ok(record) if files.unreadable.is_empty() => files.records.push(record),
                Ok(_) => {}
                Err(problems) => {
                    files.unreadable.extend(problems.into_iter().map(|p| (path.clone(), p)));
                }
            }
        }
        files.records.sort_by_key(Record::sequence);
        files
    }
}

/// Gives the entries of one ledger at a side, in order; those behind one that can't be read are left
/// out.
pub fn ledger_at(
    repository: &dyn Repository,
    side: Side,
    folder: &RepoPath,
) -> Result<Vec<Record>, Fault> {
    Ok(read(repository, side, folder)?.records)
}

/// Gives the ledger of every task and every incident of a side, by their folders.
pub fn works(repository: &dyn Repository, side: Side) -> Result<BTreeMap<Home, RepoPath>, Fault> {
    let mut all = BTreeMap::new();
    let mut add = |shelf: &RepoPath, home: fn(TaskId) -> Home| -> Result<(), Fault> {
        let names = repository.folders(side, shelf)?;
        let ids =
            names.iter().filter_map(|name| Some((home(name.parse().ok()?), shelf.join(name))));
        all.extend(ids);
        Ok(())
    };
    let tasks = RepoPath::from(TASKS);
    for month in repository.folders(side, &tasks)? {
        add(&tasks.join(&month), Home::Task)?;
    }
    add(&RepoPath::from(INCIDENTS), Home::Incident)?;
    Ok(all)
}

/// Gives every incident and every halt of a side.
pub(super) fn beside(repository: &dyn Repository, side: Side) -> Result<Vec<Home>, Fault> {
    let incidents = ids(repository, side, INCIDENTS)?.into_iter().map(Home::Incident);
    let halts = ids(repository, side, HALTS)?.into_iter().map(Home::Halt);
    Ok(incidents.chain(halts).collect())
}

/// Gives the ids of the ledgers on a shelf, in order of the names.
pub(super) fn ids(
    repository: &dyn Repository,
    side: Side,
    shelf: &str,
) -> Result<Vec<TaskId>, Fault> {
    let names = repository.folders(side, &RepoPath::from(shelf))?;
    Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
}

/// Gives the records of a side that may be wanted and can be read, by their moments; those written
/// before `since` are left out. Of a ledger whose last entry is older, no other one is read.
pub fn records_since(
    repository: &dyn Repository,
    side: Side,
    since: Option<Moment>,
    wanted: impl Fn(&RecordPath) -> bool,
) -> Result<Vec<Record>, Fault> {
    let mut records: Vec<Record> = Vec::new();
    let mut over: Option<RepoPath> = None;
    for (path, node) in repository.list(side, &RepoPath::from(".orch"))?.into_iter().rev() {
        // Names end with what they are: a ledger's last entry comes first.
        let Ok(place) = RecordPath::parse(&path) else { continue };
        let folder = path.folder();
        if over.as_ref() == Some(&folder) || !wanted(&place) {
            continue;
        }
        let Ok(record) = read_one(repository, &path, node)? else { continue };
        match since.is_none_or(|since| record.entry.recorded_at >= since) {
            true => records.push(record),
            false if place.sequence.is_some() => over = Some(folder),
            false => {}
        }
    }
    records.sort_by_cached_key(|record| (record.entry.recorded_at, record.repo_path().clone()));
    Ok(records)
}

/// Gives the ids of every task, incident and halt of a side.
pub fn known_ids(repository: &dyn Repository, side: Side) -> Result<BTreeSet<String>, Fault> {
    let listed = repository.list(side, &RepoPath::from(".orch"))?;
    let ids = listed.iter().filter_map(|(path, _)| {
        let place = RecordPath::parse(path).ok()?;
        place.home.id().map(ToString::to_string)
    });
    Ok(ids.collect())
}

/// Reads one record; gives what is wrong with it if it is none.
pub(super) fn read_one(
    repository: &dyn Repository,
    path: &RepoPath,
    node: Node,
) -> Result<Result<Record, Vec<Problem>>, Fault> {
    let fetched = fetch_one(repository, path, node)?;
    Ok(fetched.and_then(|(place, bytes)| record::parse(&place, &bytes)))
}

/// Reads a file that may be a record, and leaves the parsing to others.
fn fetch_one(repository: &dyn Repository, path: &RepoPath, node: Node) -> Result<Fetched, Fault> {
    let whole = |check, message: String, help: &str| {
        vec![Problem { check, span: Default::default(), message, help: help.into() }]
    };
    let place = match RecordPath::parse(path) {
        Ok(place) => place,
        Err(rule) => {
            let message = format!("no record may stand here: {rule}");
            let help = "records are written by `orch`; move other files out of `.orch/`";
            return Ok(Err(whole("record-misplaced", message, help)));
        }
    };
    if !matches!(node.mode, crate::snapshot::Mode::File) {
        let message = "a record is a plain file, neither a link nor a program".to_owned();
        return Ok(Err(whole("record-invalid", message, "restore the plain file")));
    }
    Ok(Ok((place, repository.read(node.oid)?)))
}

impl LedgerView {
    /// Joins what is agreed with what is proposed.
    ///
    /// A proposal that holds only a part of what is agreed adds nothing; one that goes on from all
    /// of it adds the rest; any other forks the ledger.
    pub(super) fn join(
        (home, folder): (Home, RepoPath),
        agreed: Vec<Record>,
        proposed: Vec<Record>,
        introduced: &BTreeMap<RepoPath, Oid>,
        staged: bool,
    ) -> Self {
        let same = agreed
            .iter()
            .zip(&proposed)
            .take_while(|(a, b)| a.digest == b.digest && a.path == b.path)
            .count();
        let fork = (same < agreed.len() && same < proposed.len())
            .then(|| agreed[same].repo_path().clone());
        let agreed_length = if fork.is_some() { same } else { agreed.len() };
        let records =
            if proposed.len() >= agreed.len() || fork.is_some() { proposed } else { agreed };
        let view = LedgerView::agreed((home, folder), records, introduced);
        LedgerView { agreed: agreed_length, fork, staged, ..view }
    }

    /// Takes a ledger that is agreed as it stands.
    pub(super) fn agreed(
        (home, folder): (Home, RepoPath),
        records: Vec<Record>,
        introduced: &BTreeMap<RepoPath, Oid>,
    ) -> Self {
        let introduced = records
            .iter()
            .filter_map(|record| introduced.get_key_value(record.repo_path()))
            .map(|(path, commit)| (path.clone(), *commit))
            .collect();
        let (mut last, mut incidents) = (None, Vec::new());
        match home {
            Home::Task(_) => last = records.iter().fold(None, State::after),
            Home::Incident(_) => incidents = behind_each(&records, IncidentState::after),
            Home::Halt(_) | Home::Decision => {}
        }
        LedgerView {
            home,
            folder,
            agreed: records.len(),
            fork: None,
            records,
            last,
            states: OnceLock::new(),
            incidents,
            introduced,
            staged: true,
        }
    }

    /// Gives the commit of the range that brought a record; none of what is staged or agreed.
    pub fn brought_by(&self, record: &Record) -> Option<Oid> {
        self.introduced.get(record.repo_path()).copied()
    }

    /// Gives the new entries with their index.
    pub fn new_entries(&self) -> impl Iterator<Item = (usize, &Record)> {
        self.records.iter().enumerate().skip(self.agreed)
    }

    /// Gives the state before the entry at an index.
    pub fn before(&self, index: usize) -> Option<&State> {
        if index == self.records.len() {
            return self.state();
        }
        let all = || match self.home {
            Home::Task(_) => behind_each(&self.records, State::after),
            _ => Vec::new(),
        };
        self.states.get_or_init(all).get(index)?.as_ref()
    }

    /// Gives the state behind the last entry; none if this is no task, or has no first entry.
    pub fn state(&self) -> Option<&State> {
        self.last.as_ref()
    }

    /// Gives an incident's state before the entry at an index.
    pub fn incident_before(&self, index: usize) -> Option<&IncidentState> {
        self.incidents.get(index)?.as_ref()
    }

    /// Gives an incident's state behind its last entry; none if this is no incident.
    pub fn incident(&self) -> Option<&IncidentState> {
        self.incidents.last()?.as_ref()
    }

    /// Gives the state behind what is agreed.
    pub fn agreed_state(&self) -> Option<&State> {
        self.before(self.agreed)
    }

    /// Tells where what a record says can be seen: at head while it stands, else at the commit
    /// that brought it. What is staged can be seen in the index, unless a
    /// later run had the chance to replace it there. In a task that has been closed nothing stands:
    /// its files are free. So are those of a checkpoint, as soon as the work goes on, and those that a
    /// rollback brought back.
    pub fn seen(&self, record: &Record) -> Seen {
        let of_rollback = matches!(self.home, Home::Incident(_))
            && matches!(record.payload, record::Payload::Handoff(_));
        let stands = !of_rollback
            && self.state().is_none_or(|state| match &record.payload {
                _ if state.closed.is_some() && !self.staged => false,
                record::Payload::Gate(gate) => state.run_stands(&gate.run_id),
                record::Payload::Run(run) if run.status == RunStatus::Checkpoint => false,
                _ => state.stands(record.sequence()),
            });
        if stands || (self.staged && !self.replaced(record, |_| true)) {
            return Seen::Head;
        }
        let brought = |record: &Record| self.introduced.get(record.repo_path());
        match brought(record) {
            // What one commit brings and replaces was no more to be seen when it was staged.
            Some(commit) if !self.replaced(record, |later| brought(later) == Some(commit)) => {
                Seen::Commit(*commit)
            }
            _ => Seen::Nowhere,
        }
    }

    /// Tells whether later entries had the chance to replace what this one speaks of: a run that
    /// began, or, behind a checkpoint, anything that its run did next.
    fn replaced(&self, record: &Record, among: impl Fn(&Record) -> bool) -> bool {
        use record::Payload::{Handoff, Run};
        let checkpoint = matches!(&record.payload, Run(run) if run.status == RunStatus::Checkpoint);
        let mut later = self.records.iter().filter(|later| later.sequence() > record.sequence());
        later.any(|later| match &later.payload {
            Run(run) => (checkpoint || run.status == RunStatus::InProgress) && among(later),
            Handoff(_) => checkpoint && among(later),
            _ => false,
        })
    }
}

/// Folds: gives what stands before the first entry, and behind each.
fn behind_each<S: Clone>(
    records: &[Record],
    after: impl Fn(Option<S>, &Record) -> Option<S>,
) -> Vec<Option<S>> {
    let mut states = vec![None];
    for record in records {
        let before = states.last().cloned().flatten();
        states.push(after(before, record));
    }
    states
}
