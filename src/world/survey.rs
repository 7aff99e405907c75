//! What is true of all open tasks at REV: live artifacts, active runs, standing halts.
//!
//! A closed task is known by the name of its last entry and never read. What a month's tasks amount to
//! depends on its files alone, so that it is kept by the name of their tree and read again.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::folders::Folders;
use super::freezes::{self, OpenIncident, StandingHalt};
use super::ledgers::LedgerView;
use super::months::{self, Month, OpenLedgers};
use crate::ledger::{Escalated, RunState, State};
use crate::policy::Policy;
use crate::record::kind::Artifact;
use crate::record::{Home, Record, TASKS};
use crate::snapshot::{Fault, Occasion, Proposal, Repository, Side};
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
    /// The folder of every task.
    pub folders: Folders,
}

/// An artifact of a live handoff.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Live {
    /// Whose.
    pub task: TaskId,
    /// The stage that made it.
    pub stage: StageName,
    /// The handoff's file.
    pub handoff: RepoPath,
    /// Which of its artifacts this is, from 0.
    pub number: usize,
    /// The digest's bytes in that file, where its ledger is not at hand to tell.
    pub checksum: Option<Span>,
    /// Who relies on it.
    pub to: AgentName,
    /// What was handed over.
    pub artifact: Artifact,
}

/// A run that goes on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Looks at all that can disturb a proposal. Where somebody wants the ledgers of open tasks, those that had
    /// to be read are put there: what is known of the others says enough.
    pub(super) fn of(
        repository: &dyn Repository,
        proposal: &Proposal,
        policy: &Policy,
        wanted: &mut Option<OpenLedgers>,
    ) -> Result<Self, Fault> {
        let mut survey = Survey::take(repository, proposal.agreed, wanted)?;
        let landed = match proposal.occasion {
            Occasion::Verification => vec![freezes::Landed { side: proposal.head, arrived: true }],
            _ => freezes::landed_sides(repository, proposal, policy)?,
        };
        survey.add_halts(repository, &landed, proposal.head)?;
        survey.add_incidents(repository, proposal.agreed)?;
        survey.add_incidents(repository, proposal.head)?;
        Ok(survey)
    }

    /// Looks at every open task of one side.
    fn take(
        repository: &dyn Repository,
        side: Side,
        wanted: &mut Option<OpenLedgers>,
    ) -> Result<Self, Fault> {
        let mut survey = Survey::default();
        let tasks = RepoPath::from(TASKS);
        for (name, tree) in repository.trees(side, &tasks)? {
            let shelf = tasks.join(&name);
            let Month { names, stirring } = months::look(repository, side, &shelf, tree, wanted)?;
            for (name, known) in stirring {
                let Ok(task) = name.parse::<TaskId>() else { continue };
                let held = known.quarantined.into_iter().map(|checksum| (task.clone(), checksum));
                survey.quarantined.extend(held);
                survey.live.extend(known.live);
                survey.active.extend(known.active);
                let escalations = known.escalations.into_iter();
                survey.escalations.extend(escalations.map(|one| (task.clone(), one)));
                survey.open.extend(known.open.then_some(task));
            }
            survey.folders.add(shelf, names);
        }
        Ok(survey)
    }

    /// Gives the evidence that is in quarantine behind the entries of these ledgers, or by others.
    pub(super) fn quarantined_beside(
        &self,
        ledgers: &BTreeMap<Home, LedgerView>,
    ) -> Vec<(TaskId, Digest)> {
        let states = ledgers.values().filter_map(LedgerView::state);
        let here = states.flat_map(|state| {
            let held = state.quarantined.iter();
            held.map(|(_, checksum)| (state.task.task_id.clone(), *checksum))
        });
        let is_here = |task: &TaskId| ledgers.contains_key(&Home::Task(task.clone()));
        let beside = self.quarantined.iter().filter(|(task, _)| !is_here(task));
        here.chain(beside.cloned()).collect()
    }

    /// Gives the tasks that are open, and those opened in the month of a moment or later.
    pub(super) fn open_or_since(&self, at: Moment) -> Vec<TaskId> {
        let month = at.month();
        let late = self.folders.names_since(&month).filter_map(|name| name.parse().ok());
        self.open.iter().cloned().chain(late).collect()
    }
}

/// Gives the artifacts of a task's live handoffs; none once it is closed.
pub(super) fn live(state: &State, records: &[Record]) -> Vec<Live> {
    let mut found = Vec::new();
    for delivery in state.live_deliveries().filter(|_| state.closed.is_none()) {
        if !records.iter().any(|record| *record.repo_path() == delivery.path) {
            continue;
        }
        found.extend(delivery.artifacts.iter().enumerate().map(|(index, artifact)| Live {
            task: state.task.task_id.clone(),
            stage: delivery.stage.clone(),
            handoff: delivery.path.clone(),
            number: index,
            checksum: None,
            to: delivery.to.clone(),
            artifact: artifact.clone(),
        }));
    }
    found
}

/// Gives the same with the places of their digests.
pub(super) fn live_with_places(state: &State, records: &[Record]) -> Vec<Live> {
    let mut found = live(state, records);
    for live in &mut found {
        live.checksum = live.place_in(records);
    }
    found
}

impl Live {
    /// Finds the digest's bytes in the entries of the ledger.
    pub(super) fn place_in(&self, records: &[Record]) -> Option<Span> {
        let record = records.iter().find(|record| *record.repo_path() == self.handoff)?;
        Some(record.field(&format!("artifacts.{}.checksum", self.number)))
    }
}
