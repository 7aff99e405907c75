//! Where a task stands, and what it has delivered.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::trouble::{Escalated, Failed};
use crate::policy::AUDIT_PASS;
use crate::record::Record;
use crate::record::kind::{
    Artifact, Checkpoint, FailureClass, HandoffStatus, Issue, Outcome, Pause, Run, Task, Verdict,
};
use crate::source::{
    AgentName, ArtifactName, Digest, LaneName, Moment, RepoPath, RunId, StageName, TaskId,
};

/// A task, after some of its entries.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// What it is, with every `update` applied.
    pub task: Task,
    /// When it was opened.
    pub opened_at: Moment,
    /// When its last entry was recorded.
    pub last_at: Moment,
    /// The agent that opened it.
    pub opened_by: AgentName,
    /// Where it stands in its workflow.
    pub standing: Standing,
    /// Every run so far, in order.
    pub runs: Vec<RunState>,
    /// Every handoff so far, in order.
    pub deliveries: Vec<Delivery>,
    /// Every audit report so far, in order.
    pub audits: Vec<Audited>,
    /// Every approval so far, in order.
    pub approvals: Vec<Approved>,
    /// Issues of the last failed audit that no audit has closed yet.
    pub issues: Vec<Issue>,
    /// Ids of those issues that a handoff has answered since.
    pub answered: BTreeSet<String>,
    /// How many times the task has entered each stage.
    pub entered: BTreeMap<StageName, u32>,
    /// Who shall do the current stage, if not the policy's agent.
    pub assigned: Option<AgentName>,
    /// Why it may not move, if it is blocked.
    pub blocked: Option<String>,
    /// Why it waits for a person, if it is paused.
    pub paused: Option<Pause>,
    /// The sequence of the last `resume`; attempts and failures before it no longer count.
    pub resumed: u32,
    /// Every escalation so far, in order. Whether it is settled is told by decisions, which lie
    /// elsewhere.
    pub escalations: Vec<Escalated>,
    /// Evidence that is out of use.
    pub quarantined: BTreeSet<(ArtifactName, Digest)>,
    /// How it ended, if it has.
    pub closed: Option<Outcome>,
}

/// Where a task stands in its workflow.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Standing {
    /// A run of this stage may begin; none means the workflow's first stage.
    Ready(Option<StageName>),
    /// A run of this stage goes on.
    Running(StageName),
    /// This stage has handed off or reported, and waits for its gate.
    Delivered(StageName),
    /// The last gate has passed.
    Finished,
}

impl std::fmt::Display for Standing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Standing::Ready(None) => f.write_str("ready for its first stage"),
            Standing::Ready(Some(stage)) => write!(f, "ready for stage `{stage}`"),
            Standing::Running(stage) => write!(f, "running stage `{stage}`"),
            Standing::Delivered(stage) => write!(f, "waiting for the gate of stage `{stage}`"),
            Standing::Finished => f.write_str("finished"),
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    /// Where its entry stands in the ledger.
    pub sequence: u32,
    /// The stage.
    pub stage: StageName,
    /// Its id.
    pub run_id: RunId,
    /// Which try it is, from 1.
    pub attempt: u32,
    /// Who does it.
    pub agent: AgentName,
    /// In which lane.
    pub lane: LaneName,
    /// On which branch.
    pub branch: Option<String>,
    /// From which context.
    pub session: Option<String>,
    /// From which context it was handed off or reported.
    pub ended_from: Option<String>,
    /// What it consumes.
    pub inputs: Vec<Artifact>,
    /// When it began.
    pub started: Moment,
    /// The checkpoint that it reached last, or went on from.
    pub checkpoint: Option<Checkpoint>,
    /// Its command has ended well.
    pub executed: bool,
    /// The task that it rolls back, in an incident's ledger.
    pub task: Option<TaskId>,
    /// How far it got.
    pub standing: RunStanding,
}

/// How far a run got.
#[derive(Debug, Clone, PartialEq)]
pub enum RunStanding {
    /// It goes on.
    Active,
    /// It handed off or reported.
    Delivered,
    /// It ended without a result.
    Failed(Failed),
    /// The task returned while it went on: what it would have delivered is no longer wanted.
    Overtaken,
}

/// One handoff.
#[derive(Debug, Clone, PartialEq)]
pub struct Delivery {
    /// Where its entry stands in the ledger.
    pub sequence: u32,
    /// Its file.
    pub path: RepoPath,
    /// The stage it completes.
    pub stage: StageName,
    /// The run it completes.
    pub run_id: RunId,
    /// Who handed over.
    pub from: AgentName,
    /// Who takes over.
    pub to: AgentName,
    /// Whether the work is done.
    pub status: HandoffStatus,
    /// What was handed over.
    pub artifacts: Vec<Artifact>,
    /// When.
    pub at: Moment,
    /// The latest of its stage, and not returned behind.
    pub live: bool,
    /// Its gate has passed.
    pub passed: bool,
}

/// One audit report.
#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    /// Where its entry stands in the ledger.
    pub sequence: u32,
    /// The stage it completes.
    pub stage: Option<StageName>,
    /// The run it completes.
    pub run_id: Option<RunId>,
    /// The report's file and digest, as evidence for the stages behind it.
    pub evidence: Artifact,
    /// What was audited, in which version.
    pub version: String,
    /// Who audited.
    pub auditor: AgentName,
    /// From which context.
    pub session: Option<String>,
    /// The verdict.
    pub verdict: Verdict,
    /// When it was done: the earlier of its date and its entry's.
    pub date: Moment,
    /// What it covers.
    pub covers: Vec<Artifact>,
    /// The tests that passed.
    pub tests_passed: Vec<String>,
    /// The latest, and not returned behind.
    pub live: bool,
    /// Its gate has passed.
    pub passed: bool,
}

/// One approval.
#[derive(Debug, Clone, PartialEq)]
pub struct Approved {
    /// Where its entry stands in the ledger.
    pub sequence: u32,
    /// The stage it opens.
    pub stage: StageName,
    /// Who approved.
    pub approver: AgentName,
    /// What they saw.
    pub covers: Vec<Artifact>,
    /// Not returned behind.
    pub live: bool,
}

impl RunState {
    /// Reads a run from the entry that begins it.
    pub(super) fn begun(run: &Run, record: &Record) -> Self {
        RunState {
            sequence: record.sequence(),
            stage: run.stage.clone(),
            run_id: run.run_id.clone(),
            attempt: run.attempt,
            agent: run.agent.clone(),
            lane: run.lane.clone(),
            branch: run.branch.clone(),
            session: record.entry.session.clone(),
            ended_from: None,
            inputs: run.inputs.clone(),
            started: record.entry.recorded_at,
            checkpoint: run.checkpoint.clone(),
            executed: false,
            task: run.task_id.clone(),
            standing: RunStanding::Active,
        }
    }

    /// Tells whether any of its work was done from a context.
    pub fn worked_from(&self, session: &str) -> bool {
        [&self.session, &self.ended_from].into_iter().any(|known| known.as_deref() == Some(session))
    }
}

impl State {
    /// Gives the issues of the last failed audit that no handoff has answered since.
    pub fn open_issues(&self) -> impl Iterator<Item = &Issue> {
        self.issues.iter().filter(|issue| !self.answered.contains(&issue.id))
    }

    /// Gives the run that goes on, if one does.
    pub fn active_run(&self) -> Option<&RunState> {
        self.runs.iter().rev().find(|run| run.standing == RunStanding::Active)
    }

    /// Gives the latest entry of a run.
    pub fn run(&self, id: &RunId) -> Option<&RunState> {
        self.runs.iter().rev().find(|run| run.run_id == *id)
    }

    /// Gives how often a run has been tried since the task was last resumed.
    pub fn attempts(&self, id: &RunId) -> u32 {
        let counted = self.runs.iter().filter(|run| run.run_id == *id);
        let counted = counted.filter(|run| run.sequence > self.resumed).count();
        counted.try_into().unwrap_or(u32::MAX)
    }

    /// Gives the failures of a stage since it last delivered, returned or was resumed, latest first;
    /// a run that goes on has not failed yet.
    pub fn failures(&self, stage: &StageName) -> impl Iterator<Item = (&RunState, &Failed)> {
        let ended = self.runs.iter().rev().filter(|run| run.standing != RunStanding::Active);
        let runs = ended.filter(move |run| run.stage == *stage);
        let since = runs.take_while(|run| run.sequence > self.resumed);
        since.map_while(|run| match &run.standing {
            RunStanding::Failed(failed) => Some((run, failed)),
            _ => None,
        })
    }

    /// Counts the failures of one class of a stage since it last delivered, returned or was resumed.
    pub fn failures_in_a_row(&self, stage: &StageName, class: FailureClass) -> u32 {
        let same = self.failures(stage).filter(|(_, failed)| failed.failure.class == class);
        same.count().try_into().unwrap_or(u32::MAX)
    }

    /// Tells whether the last run of a stage failed.
    pub fn has_failed(&self, stage: &StageName) -> bool {
        let last = self.runs.iter().rev().find(|run| run.stage == *stage);
        last.is_some_and(|run| matches!(run.standing, RunStanding::Failed(_)))
    }

    /// Gives the checkpoint that the next attempt of a run goes on from.
    pub fn checkpoint(&self, id: &RunId) -> Option<&Checkpoint> {
        self.run(id)?.checkpoint.as_ref()
    }

    /// Gives the live handoff of a stage.
    pub fn live_delivery(&self, stage: &StageName) -> Option<&Delivery> {
        self.deliveries.iter().rev().find(|delivery| delivery.live && delivery.stage == *stage)
    }

    /// Gives the live handoffs, in order.
    pub fn live_deliveries(&self) -> impl Iterator<Item = &Delivery> {
        self.deliveries.iter().filter(|delivery| delivery.live)
    }

    /// Gives the artifacts that live handoffs hold under a name; behind their gate only, if
    /// `passed` is asked for.
    pub fn evidence(&self, name: &ArtifactName, passed: bool) -> Vec<&Artifact> {
        if *name == AUDIT_PASS {
            return self.live_audit().map(|audit| &audit.evidence).into_iter().collect();
        }
        let live = self.live_deliveries().filter(|delivery| delivery.passed || !passed);
        live.flat_map(|delivery| &delivery.artifacts)
            .filter(|artifact| artifact.name == *name)
            .collect()
    }

    /// Gives the audit that the task may rely on: the latest live report, if it says PASS.
    pub fn live_audit(&self) -> Option<&Audited> {
        let latest = self.audits.iter().rev().find(|audit| audit.live)?;
        (latest.verdict == Verdict::Pass).then_some(latest)
    }

    /// Gives how many times a stage has been entered; 1 for one that is about to be.
    pub fn times_entered(&self, stage: &StageName) -> u32 {
        self.entered.get(stage).copied().unwrap_or_default().max(1)
    }

    /// Tells whether an entry's statement still stands: nothing later has replaced it, and the
    /// task has not returned behind it.
    pub fn stands(&self, sequence: u32) -> bool {
        let delivery = self.deliveries.iter().find(|delivery| delivery.sequence == sequence);
        let audit = self.audits.iter().find(|audit| audit.sequence == sequence);
        let approval = self.approvals.iter().find(|approval| approval.sequence == sequence);
        let run = self.runs.iter().find(|run| run.sequence == sequence);
        match (delivery, audit, approval, run) {
            (Some(delivery), ..) => delivery.live,
            (_, Some(audit), ..) => audit.live,
            (_, _, Some(approval), _) => approval.live,
            (.., Some(run)) => self.run_stands(&run.run_id),
            _ => true,
        }
    }

    /// Tells whether a run goes on, or what it delivered is live.
    pub fn run_stands(&self, id: &RunId) -> bool {
        let active = self.active_run().is_some_and(|run| run.run_id == *id);
        let delivered = self.live_deliveries().any(|delivery| delivery.run_id == *id);
        let audited =
            self.audits.iter().any(|audit| audit.live && audit.run_id.as_ref() == Some(id));
        active || delivered || audited
    }

    /// Gives the runs that did the work: every run of a stage which is no audit.
    pub fn workers(&self) -> impl Iterator<Item = &RunState> {
        let audited: BTreeSet<&StageName> =
            self.audits.iter().filter_map(|audit| audit.stage.as_ref()).collect();
        self.runs.iter().filter(move |run| !audited.contains(&run.stage))
    }
}
