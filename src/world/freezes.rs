//! What stops more than one task: halts that stand, and incidents that are open.

use std::collections::{BTreeMap, BTreeSet};

use super::folders::Folders;
use super::ledgers::{self, Files, LedgerView};
use super::survey::Active;
use super::{Survey, World};
use crate::ledger::{IncidentState, State};
use crate::policy::{Policy, Stage};
use crate::record::kind::HaltTopic;
use crate::record::{HALTS, Home, INCIDENTS, Payload, Problem, snapshot_of};
use crate::snapshot::{Fault, Occasion, Proposal, Repository, Side};
use crate::source::{JobName, LaneName, Moment, RepoPath, Span, StageName, TaskId};

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
    /// When it was pulled, if it can be read.
    pub since: Option<Moment>,
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

impl StandingHalt {
    /// Reads a halt from its ledger: its first entry says what it stops, and no later one narrows
    /// that.
    fn of(id: TaskId, folder: &RepoPath, files: &Files) -> Self {
        let path = folder.join("0001-halt.yaml");
        let first = files.records.first().filter(|_| files.unreadable.is_empty());
        let said = first.and_then(|record| match &record.payload {
            Payload::Halt(halt) => Some((record, halt)),
            _ => None,
        });
        match said {
            Some((record, halt)) => StandingHalt {
                path,
                id,
                scope: halt.scope.clone(),
                topic: Some(halt.topic),
                reason: halt.reason.clone(),
                since: Some(record.entry.recorded_at),
                until: halt.until,
                incident: halt.incident.clone(),
            },
            None => StandingHalt {
                path,
                id,
                scope: "all".into(),
                topic: None,
                reason: "this halt can't be read, so it stands for everything".into(),
                since: None,
                until: None,
                incident: None,
            },
        }
    }

    /// Tells whether it still stands at a moment.
    pub fn stands_at(&self, at: Moment) -> bool {
        self.until.is_none_or(|until| at < until)
    }

    /// Gives the command with which a person lifts it (R003-14).
    pub fn lifting(&self) -> String {
        let owed = self.incident.is_none() && self.until.is_none();
        let incident = if owed { " --incident INCIDENT" } else { "" };
        format!("orch unhalt {} --sign-off STATEMENT{incident}", self.id)
    }

    /// Tells whether its scope names something that there is. One that names nothing covers
    /// everything: a kill switch fails towards "stop" (attack 106).
    pub fn names_something(&self, policy: &Policy, tasks: &Folders) -> bool {
        let mut stages = policy.workflows.values().flat_map(|workflow| &workflow.stages);
        match self.scope.split_once(':') {
            Some(("workflow", name)) => policy.workflows.keys().any(|known| *known == name),
            Some(("lane", name)) => policy.lanes.keys().any(|known| *known == name),
            Some(("stage", name)) => stages.any(|stage| stage.name == name),
            Some(("task", id)) => tasks.contains(id),
            Some(("schedule", _)) => true,
            _ => self.scope == "all",
        }
    }

    /// Tells whether it stops a task in a stage and a lane.
    pub fn covers(
        &self,
        world: &World,
        state: &State,
        stage: Option<&StageName>,
        lane: Option<&LaneName>,
    ) -> bool {
        if !self.names_something(&world.policy, &world.survey.folders) {
            return true;
        }
        match self.scope.split_once(':') {
            Some(("workflow", name)) => state.task.workflow == name,
            Some(("lane", name)) => lane.is_some_and(|lane| lane == name),
            Some(("stage", name)) => stage.is_some_and(|stage| stage == name),
            Some(("task", id)) => state.task.task_id.as_str().eq_ignore_ascii_case(id),
            Some(("schedule", _)) => false,
            _ => true,
        }
    }

    /// Tells whether it stops a job of the schedule (R003-12): `all` does, `schedule:JOB`, `schedule:*`, and
    /// `schedule:WINDOW` for the jobs of a window. One that names nothing stops every job.
    pub fn covers_job(&self, world: &World, name: &JobName) -> bool {
        let schedule = &world.policy.schedule;
        match self.scope.split_once(':') {
            Some(("schedule", scope)) => {
                let known = schedule.jobs.keys().any(|job| *job == scope);
                let window = schedule.jobs.get(name).and_then(|job| job.window.as_deref());
                match known {
                    true => *name == scope,
                    false => window == Some(scope) || !schedule.windows.contains_key(scope),
                }
            }
            Some(_) => !self.names_something(&world.policy, &world.survey.folders),
            None => true,
        }
    }

    /// Tells whether it is about a task: one of its workflow, of its lanes, of its stages, or the
    /// task itself.
    pub fn concerns(&self, policy: &Policy, state: &State) -> bool {
        let stages = || policy.workflows.get(&state.task.workflow).map(|known| &known.stages[..]);
        let any = |holds: &dyn Fn(&Stage) -> bool| stages().is_none_or(|all| all.iter().any(holds));
        match self.scope.split_once(':') {
            Some(("workflow", name)) => state.task.workflow == name,
            Some(("lane", name)) => any(&|stage| stage.lane == name),
            Some(("stage", name)) => any(&|stage| stage.name == name),
            Some(("task", id)) => state.task.task_id.as_str().eq_ignore_ascii_case(id),
            Some(("schedule", _)) => false,
            _ => true,
        }
    }

    fn says_the_same(&self, other: &StandingHalt) -> bool {
        (&self.id, &self.scope, self.until) == (&other.id, &other.scope, other.until)
    }
}

/// A side on which a halt may stand or be lifted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Landed {
    /// The side.
    pub(super) side: Side,
    /// Whether it is where work arrives: a protected branch, or what REV agreed.
    pub(super) arrived: bool,
}

/// Gives the sides on which a halt may stand or be lifted, beside head: what was agreed, the
/// protected parents of a merge, and the tips of protected branches whose halts are others.
pub(super) fn landed_sides(
    repository: &dyn Repository,
    proposal: &Proposal,
    policy: &Policy,
) -> Result<Vec<Landed>, Fault> {
    let shelf = RepoPath::from(HALTS);
    let staged = matches!(proposal.occasion, Occasion::Commit | Occasion::Merge);
    let on_protected = proposal.branch.as_ref().is_some_and(|branch| policy.is_protected(branch));
    let mut agreed = Landed { side: proposal.agreed, arrived: !staged || on_protected };
    let mut others: Vec<Landed> =
        proposal.parents.iter().map(|side| Landed { side: *side, arrived: true }).collect();
    let protected = proposal.tips.iter().filter(|tip| policy.is_protected(&tip.branch));
    for side in protected.map(|tip| tip.side).collect::<BTreeSet<Side>>() {
        match repository.changes_below(proposal.agreed, side, &shelf)?.is_empty() {
            true => agreed.arrived = true,
            false => others.push(Landed { side, arrived: true }),
        }
    }
    Ok([vec![agreed], others].concat())
}

/// Gives what is wrong with snapshots that no halt names: nobody would know what they show.
pub(super) fn unnamed(
    ledgers: &BTreeMap<Home, LedgerView>,
    snapshots: Vec<RepoPath>,
) -> Vec<(RepoPath, Problem)> {
    let named = |path: &RepoPath| {
        let view = snapshot_of(path).and_then(|halt| ledgers.get(&Home::Halt(halt)));
        let first = view.and_then(|view| view.records.first()).map(|record| &record.payload);
        matches!(first, Some(Payload::Halt(halt)) if halt.snapshot.is_some())
    };
    let unnamed = snapshots.into_iter().filter(|path| !named(path));
    let problem = || Problem {
        check: "record-misplaced",
        span: Span::default(),
        message: "no halt here names this snapshot".into(),
        help: "`orch halt` writes both; move other files out of `.orch/`".into(),
    };
    unnamed.map(|path| (path, problem())).collect()
}

impl Survey {
    /// Gives the tasks that open incidents are taking back.
    pub(super) fn rolling_back(&self) -> impl Iterator<Item = &TaskId> {
        let runs = self.incidents.iter().filter_map(|incident| incident.state.active_run());
        runs.filter_map(|run| run.task.as_ref())
    }

    /// Gives an incident that is open.
    pub fn incident(&self, id: &TaskId) -> Option<&OpenIncident> {
        self.incidents.iter().find(|incident| incident.id == *id)
    }

    /// Adds the halts that stand: those on any of these sides, unless one where it has landed
    /// lifts them. A `resume` that only the change under judgement has lifts nothing for it
    /// (attack 106); one that only a branch of its own has lifts no halt that stands where work
    /// arrives; and a side that is merely behind keeps nothing standing.
    pub(super) fn add_halts(
        &mut self,
        repository: &dyn Repository,
        landed: &[Landed],
        head: Side,
    ) -> Result<(), Fault> {
        let mut found: Vec<StandingHalt> = Vec::new();
        let (mut arrived, mut lifted) = (BTreeSet::new(), BTreeSet::new());
        let proposed = Landed { side: head, arrived: false };
        for known in landed.iter().copied().chain([proposed]) {
            for id in ledgers::ids(repository, known.side, HALTS)? {
                let folder = Home::Halt(id.clone()).folder("");
                let files = ledgers::read(repository, known.side, &folder)?;
                if known.arrived {
                    arrived.insert(id.clone());
                }
                if landed.contains(&known) && is_lifted(&files) {
                    lifted.insert((id.clone(), known.arrived));
                }
                let halt = StandingHalt::of(id, &folder, &files);
                if !found.iter().any(|known| known.says_the_same(&halt)) {
                    found.push(halt);
                }
            }
        }
        let stands = |halt: &StandingHalt| {
            let here = lifted.contains(&(halt.id.clone(), false)) && !arrived.contains(&halt.id);
            !here && !lifted.contains(&(halt.id.clone(), true))
        };
        self.halts.extend(found.into_iter().filter(stands));
        Ok(())
    }

    /// Adds the incidents that are open on one side; what head says of one counts.
    pub(super) fn add_incidents(
        &mut self,
        repository: &dyn Repository,
        side: Side,
    ) -> Result<(), Fault> {
        for id in ledgers::ids(repository, side, INCIDENTS)? {
            let folder = Home::Incident(id.clone()).folder("");
            self.incidents.retain(|known| known.id != id);
            let files = ledgers::read(repository, side, &folder)?;
            let state = files.records.iter().fold(None, IncidentState::after);
            if let Some(state) = &state {
                self.known_incidents.insert(id.clone());
                self.rolled_back.extend(state.rolled_back.iter().cloned());
            }
            if let Some(state) = state.filter(|state| state.closed.is_none()) {
                let active = state.active_run().map(|run| Active::of(&id, run, &[]));
                self.active.extend(active.filter(|active| !self.active.contains(active)));
                let path = folder.join("0001-incident.yaml");
                self.incidents.push(OpenIncident { path, id, state });
            }
        }
        Ok(())
    }
}

/// What can't be read lifts nothing.
fn is_lifted(files: &Files) -> bool {
    let last = files.records.last().map(|record| &record.payload);
    files.unreadable.is_empty() && matches!(last, Some(Payload::Resume(_)))
}
