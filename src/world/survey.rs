//! What is true of all open tasks at REV: live artifacts, active runs, standing halts.
//!
//! A closed task is known by the name of its last entry and never read.

use std::collections::BTreeMap;

use super::ledgers;
use crate::ledger::{Escalated, IncidentState, RunState, State};
use crate::record::kind::{Artifact, HaltTopic};
use crate::record::{Home, Payload, Record, RecordPath};
use crate::snapshot::{Fault, Repository, Side};
use crate::source::{AgentName, LaneName, Moment, RepoPath, Span, StageName, TaskId};

/// All open tasks at REV, as far as other work can disturb them.
#[derive(Debug, Default)]
pub struct Survey {
    /// Artifacts of live handoffs.
    pub live: Vec<Live>,
    /// Runs that go on.
    pub active: Vec<Active>,
    /// Halts that stand, at REV or at head.
    pub halts: Vec<StandingHalt>,
    /// Incidents that are open, at REV or at head.
    pub incidents: Vec<OpenIncident>,
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
#[derive(Debug, Clone)]
pub struct Active {
    /// Its task.
    pub task: TaskId,
    /// Its stage.
    pub stage: StageName,
    /// Its lane.
    pub lane: LaneName,
    /// Who does it.
    pub agent: AgentName,
    /// On which branch.
    pub branch: Option<String>,
}

impl Active {
    fn of(task: &TaskId, run: &RunState) -> Self {
        Active {
            task: task.clone(),
            stage: run.stage.clone(),
            lane: run.lane.clone(),
            agent: run.agent.clone(),
            branch: run.branch.clone(),
        }
    }
}

/// A halt that stands.
#[derive(Debug, Clone)]
pub struct StandingHalt {
    /// Its first entry's file.
    pub path: RepoPath,
    /// Its id.
    pub id: TaskId,
    /// What it stops: `all`, or `workflow:…`, `lane:…`, `stage:…`, `task:…`. One that can't be
    /// read stops everything (attack 106).
    pub scope: String,
    /// Who pulled it.
    pub topic: Option<HaltTopic>,
    /// Why.
    pub reason: String,
    /// When it ends by itself, if it does.
    pub until: Option<Moment>,
    /// The incident that looks into it, if it names one.
    pub incident: Option<TaskId>,
}

/// An incident that is not closed.
#[derive(Debug, Clone)]
pub struct OpenIncident {
    /// Its first entry's file.
    pub path: RepoPath,
    /// Its id.
    pub id: TaskId,
    /// Where it stands.
    pub state: IncidentState,
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
            if is_closed(&paths) {
                continue;
            }
            let files = ledgers::read(repository, side, &folder)?;
            let state = files.records.iter().fold(None, State::after);
            if let Some(state) = state.filter(|state| state.closed.is_none()) {
                survey.add(&state, &files.records);
            }
        }
        Ok(survey)
    }

    fn add(&mut self, state: &State, records: &[Record]) {
        let task = &state.task.task_id;
        self.open.push(task.clone());
        self.live.extend(live(state, records));
        let escalated = state.escalations.iter().map(|escalated| (task.clone(), escalated.clone()));
        self.escalations.extend(escalated);
        self.active.extend(state.active_run().map(|run| Active::of(task, run)));
    }

    /// Adds the halts that stand on one side.
    pub(super) fn add_halts(
        &mut self,
        repository: &dyn Repository,
        side: Side,
    ) -> Result<(), Fault> {
        let shelf = RepoPath::from(".orch/halts");
        for name in repository.folders(side, &shelf)? {
            let folder = shelf.join(&name);
            let Ok(id) = name.parse::<TaskId>() else { continue };
            let files = ledgers::read(repository, side, &folder)?;
            let resumed = matches!(
                files.records.last(),
                Some(Record { payload: Payload::Resume(_), .. }) if files.unreadable.is_empty()
            );
            if resumed || self.halts.iter().any(|halt| halt.id == id) {
                continue;
            }
            let halt = match files.records.first().map(|record| &record.payload) {
                Some(Payload::Halt(halt)) if files.unreadable.is_empty() => StandingHalt {
                    path: folder.join("0001-halt.yaml"),
                    id,
                    scope: halt.scope.clone(),
                    topic: Some(halt.topic),
                    reason: halt.reason.clone(),
                    until: halt.until,
                    incident: halt.incident.clone(),
                },
                _ => StandingHalt {
                    path: folder.join("0001-halt.yaml"),
                    id,
                    scope: "all".into(),
                    topic: None,
                    reason: "this halt can't be read, so it stands for everything".into(),
                    until: None,
                    incident: None,
                },
            };
            self.halts.push(halt);
        }
        Ok(())
    }
}

impl Survey {
    /// Adds the incidents that are open on one side; what head says of one counts.
    pub(super) fn add_incidents(
        &mut self,
        repository: &dyn Repository,
        side: Side,
    ) -> Result<(), Fault> {
        let shelf = RepoPath::from(".orch/incidents");
        for name in repository.folders(side, &shelf)? {
            let folder = shelf.join(&name);
            let Ok(id) = name.parse::<TaskId>() else { continue };
            self.incidents.retain(|known| known.id != id);
            let files = ledgers::read(repository, side, &folder)?;
            let state = files.records.iter().fold(None, IncidentState::after);
            if let Some(state) = state.filter(|state| state.closed.is_none()) {
                self.active.extend(state.active_run().map(|run| Active::of(&id, run)));
                let path = folder.join("0001-incident.yaml");
                self.incidents.push(OpenIncident { path, id, state });
            }
        }
        Ok(())
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

/// A ledger with a `close` can't go on, so nothing in it is live; at most evidence that it delivered
/// was put in quarantine since.
fn is_closed(paths: &[RepoPath]) -> bool {
    let mut records = paths.iter().rev().filter_map(|path| RecordPath::parse(path).ok());
    records.any(|record| record.word == "close" && matches!(record.home, Home::Task(_)))
}
