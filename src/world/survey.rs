//! What is true of all open tasks at REV: live artifacts, active runs, standing halts.
//!
//! A closed task is known by the name of its last entry and never read.

use std::collections::{BTreeMap, BTreeSet};

use super::freezes::{OpenIncident, StandingHalt};
use super::ledgers;
use crate::ledger::{Escalated, RunState, State};
use crate::record::kind::Artifact;
use crate::record::{Home, Record, RecordPath};
use crate::snapshot::{Fault, Repository, Side};
use crate::source::{AgentName, Digest, LaneName, Moment, RepoPath, Span, StageName, TaskId};

/// All open tasks at REV, as far as other work can disturb them.
#[derive(Debug, Default)]
pub struct Survey {
    /// Artifacts of live handoffs.
    pub live: Vec<Live>,
    /// Runs that go on.
    pub active: Vec<Active>,
    /// Halts that stand: at REV, at head, or on a protected branch that is known here.
    pub halts: Vec<StandingHalt>,
    /// Incidents that are open, at REV or at head.
    pub incidents: Vec<OpenIncident>,
    /// Every incident's id, open or closed, at REV or at head.
    pub known_incidents: BTreeSet<TaskId>,
    /// Tasks that some incident has rolled back, at REV or at head.
    pub rolled_back: BTreeSet<TaskId>,
    /// Digests of evidence in quarantine, with the task whose ledger says so, closed or not.
    pub quarantined: Vec<(TaskId, Digest)>,
    /// Escalations of open tasks, settled or not.
    pub escalations: Vec<(TaskId, Escalated)>,
    /// The tasks that are not closed, in the order of their folders.
    pub open: Vec<TaskId>,
    /// The folder of every task, by its id in lower case.
    pub folders: BTreeMap<String, RepoPath>,
}

/// An artifact of a live handoff.
#[derive(Debug, Clone)]
pub struct Live {
    /// Whose.
    pub task: TaskId,
    /// The stage that made it.
    pub stage: StageName,
    /// The handoff's file.
    pub handoff: RepoPath,
    /// The digest's bytes in that file.
    pub checksum: Span,
    /// Who relies on it.
    pub to: AgentName,
    /// What was handed over.
    pub artifact: Artifact,
}

/// A run that goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Active {
    /// Its task; of a rollback, the incident in whose ledger it stands.
    pub task: TaskId,
    /// Its stage.
    pub stage: StageName,
    /// Its lane.
    pub lane: LaneName,
    /// Who does it.
    pub agent: AgentName,
    /// On which branch.
    pub branch: Option<String>,
    /// The task that it takes back, if it is a rollback.
    pub takes_back: Option<TaskId>,
    /// The globs of its task's scope; empty if it has none.
    pub scope: Vec<String>,
}

impl Active {
    pub(super) fn of(task: &TaskId, run: &RunState, scope: &[String]) -> Self {
        Active {
            task: task.clone(),
            stage: run.stage.clone(),
            lane: run.lane.clone(),
            agent: run.agent.clone(),
            branch: run.branch.clone(),
            takes_back: run.task.clone(),
            scope: scope.to_vec(),
        }
    }
}

impl Survey {
    /// Looks at every open task of one side.
    pub(super) fn take(repository: &dyn Repository, side: Side) -> Result<Self, Fault> {
        let mut survey = Survey::default();
        let mut ledgers: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
        for (path, _) in repository.list(side, &RepoPath::from(".orch/tasks"))? {
            ledgers.entry(path.folder()).or_default().push(path);
        }
        for (folder, paths) in ledgers {
            survey.folders.insert(folder.file_name().to_string().to_lowercase(), folder.clone());
            let closed = has(&paths, "close");
            if closed && !has(&paths, "quarantine") {
                continue;
            }
            // Only these kinds of entries can disturb other work, and files are named for their kind.
            let disturbs = ["run", "handoff", "quarantine", "escalation"];
            let task: Option<TaskId> = folder.file_name().to_string().parse().ok();
            if let Some(task) = task.filter(|_| !disturbs.iter().any(|kind| has(&paths, kind))) {
                survey.open.push(task);
                continue;
            }
            let files = ledgers::read(repository, side, &folder)?;
            let state = files.records.iter().fold(None, State::after);
            if let Some(state) = &state {
                let task = &state.task.task_id;
                let held = state.quarantined.iter().map(|(_, checksum)| (task.clone(), *checksum));
                survey.quarantined.extend(held);
            }
            if let Some(state) = state.filter(|state| state.closed.is_none()) {
                survey.add(&state, &files.records);
            }
        }
        Ok(survey)
    }

    /// Gives the tasks that are open, and those opened in the month of a moment or later.
    pub(super) fn open_or_since(&self, at: Moment) -> Vec<TaskId> {
        let month = at.month();
        let late = |folder: &&RepoPath| *folder.folder().file_name() >= *month.as_str();
        let late = self.folders.values().filter(late);
        let late = late.filter_map(|folder| folder.file_name().to_string().parse().ok());
        self.open.iter().cloned().chain(late).collect()
    }

    fn add(&mut self, state: &State, records: &[Record]) {
        let task = &state.task.task_id;
        self.open.push(task.clone());
        self.live.extend(live(state, records));
        let escalated = state.escalations.iter().map(|escalated| (task.clone(), escalated.clone()));
        self.escalations.extend(escalated);
        self.active.extend(state.active_run().map(|run| Active::of(task, run, &state.task.scope)));
    }
}

/// Gives the artifacts of a task's live handoffs; none once it is closed.
pub(super) fn live(state: &State, records: &[Record]) -> Vec<Live> {
    let mut found = Vec::new();
    for delivery in state.live_deliveries().filter(|_| state.closed.is_none()) {
        let Some(record) = records.iter().find(|record| *record.repo_path() == delivery.path)
        else {
            continue;
        };
        found.extend(delivery.artifacts.iter().enumerate().map(|(index, artifact)| Live {
            task: state.task.task_id.clone(),
            stage: delivery.stage.clone(),
            handoff: delivery.path.clone(),
            checksum: record.field(&format!("artifacts.{index}.checksum")),
            to: delivery.to.clone(),
            artifact: artifact.clone(),
        }));
    }
    found
}

/// Tells whether a ledger has an entry of a kind. One with a `close` can't go on, so nothing in it is
/// live; at most evidence that it delivered was put in quarantine since.
fn has(paths: &[RepoPath], word: &str) -> bool {
    let mut records = paths.iter().rev().filter_map(|path| RecordPath::parse(path).ok());
    records.any(|record| record.word == word && matches!(record.home, Home::Task(_)))
}
