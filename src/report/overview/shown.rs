//! What those saw who let something go live: evidence whose gate passed, what the gates read, the audit,
//! and who approved what (R003-41).

use serde::Serialize;

use crate::draft;
use crate::ledger::{Standing, State};
use crate::policy::{AUDIT_PASS, Stage, StageKind};
use crate::record::Payload;
use crate::record::kind::{Artifact, Condition, Gate, GateVerdict, Outcome};
use crate::source::{AgentName, ArtifactName, Digest, Moment, RepoPath, StageName, TaskId};
use crate::world::{Fact, LedgerView, Seen, World};

/// The most that is shown of what a document holds, in bytes.
const SHOWN: usize = 2000;

/// A task that goes live, or went, and what there was to see before.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Shown {
    /// Its id.
    pub task_id: TaskId,
    /// What it is about.
    pub title: String,
    /// The stage that brings it live.
    pub stage: StageName,
    /// Whether that stage is yet to come, goes on, has delivered, or is done.
    pub stands: &'static str,
    /// Evidence that is live and whose gate passed, and the audit.
    pub seals: Vec<Seal>,
    /// What the gates behind the stages read, the last of each that passed.
    pub gates: Vec<GateRead>,
    /// Who approved.
    pub signs: Vec<Sign>,
    /// How many approvals the stage asks for.
    pub approvals_needed: usize,
}

/// One piece of evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Seal {
    /// What the workflow calls it.
    pub name: ArtifactName,
    /// The stage that made it.
    pub stage: StageName,
    /// The file.
    pub path: RepoPath,
    /// What it held.
    pub checksum: Digest,
    /// Who approved it, by name.
    pub approved_by: Vec<AgentName>,
    /// Whether the stage that brings the task live consumes it.
    pub required: bool,
    /// What stands in it, of a small document that the stage consumes or an approval covers, if it
    /// is there as it was sealed.
    pub content: Option<String>,
}

/// What a gate read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GateRead {
    /// The stage that it ended.
    pub stage: StageName,
    /// When it passed.
    pub at: Moment,
    /// Who evaluated it.
    pub by: AgentName,
    /// What was asked and answered.
    pub conditions: Vec<Condition>,
}

/// An approval that stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sign {
    /// Who.
    pub approver: AgentName,
    /// When.
    pub at: Moment,
    /// What they said.
    pub statement: String,
    /// The evidence they saw.
    pub covers: Vec<Artifact>,
}

/// Tells of open tasks whose next or current stage brings them live, and of so many that went.
pub(super) fn shown(world: &World, closed: usize) -> Vec<Shown> {
    let (mut open, mut gone) = (Vec::new(), Vec::new());
    for ledger in world.ledgers.values() {
        let Some(state) = ledger.state() else { continue };
        match state.closed {
            None => open.extend(going_live(world, state).map(|found| (ledger, state, found))),
            Some(Outcome::Completed | Outcome::RolledBack) => {
                gone.extend(went_live(world, state).map(|found| (ledger, state, found)));
            }
            Some(_) => {}
        }
    }
    gone.sort_by_key(|(_, state, _)| (std::cmp::Reverse(state.last_at), &state.task.task_id));
    gone.truncate(closed);
    let all = open.into_iter().chain(gone);
    all.map(|(ledger, state, (stage, stands))| of(world, ledger, state, stage, stands)).collect()
}

/// Gives the stage that brings an open task live, if it is the one that is due, goes on, or was last.
fn going_live<'w>(world: &'w World, state: &State) -> Option<(&'w Stage, &'static str)> {
    let stands = match &state.standing {
        Standing::Ready(_) => "is next",
        Standing::Running(_) => "goes on",
        Standing::Delivered(_) => "has delivered",
        Standing::Finished => return went_live(world, state),
    };
    let due = draft::due_stage(&world.policy, state)?;
    (due.kind == StageKind::Deploy).then_some((due, stands))
}

/// Gives the last stage that brought a task live.
fn went_live<'w>(world: &'w World, state: &State) -> Option<(&'w Stage, &'static str)> {
    let workflow = world.policy.workflows.get(&state.task.workflow)?;
    let mut last = state.deliveries.iter().rev().filter(|delivery| delivery.passed);
    let stage = last.find_map(|delivery| {
        workflow.stage(&delivery.stage).filter(|stage| stage.kind == StageKind::Deploy)
    })?;
    Some((stage, "is done"))
}

fn of(
    world: &World,
    ledger: &LedgerView,
    state: &State,
    stage: &Stage,
    stands: &'static str,
) -> Shown {
    let approvals = state.approvals.iter().filter(|known| known.live && known.stage == stage.name);
    let said = |sequence: u32| {
        ledger.records.iter().find_map(|record| match &record.payload {
            Payload::Approval(approval) if record.sequence() == sequence => {
                Some((record.entry.recorded_at, approval.statement.clone()))
            }
            _ => None,
        })
    };
    let signs: Vec<Sign> = approvals
        .filter_map(|known| {
            let (at, statement) = said(known.sequence)?;
            let (approver, covers) = (known.approver.clone(), known.covers.clone());
            Some(Sign { approver, at, statement, covers })
        })
        .collect();
    Shown {
        task_id: state.task.task_id.clone(),
        title: state.task.title.clone(),
        stage: stage.name.clone(),
        stands,
        seals: seals(world, state, stage, &signs),
        gates: gates(ledger, state),
        approvals_needed: stage.approvers.as_ref().map_or(0, |needed| needed.threshold),
        signs,
    }
}

fn seals(world: &World, state: &State, stage: &Stage, signs: &[Sign]) -> Vec<Seal> {
    let passed = state.live_deliveries().filter(|delivery| delivery.passed);
    let sealed =
        passed.flat_map(|one| one.artifacts.iter().map(|artifact| (one.stage.clone(), artifact)));
    let audit = state.live_audit().filter(|audit| audit.passed);
    let audited = audit.and_then(|audit| Some((audit.stage.clone()?, &audit.evidence)));
    let all = sealed.chain(audited).map(|(made_by, artifact)| {
        let approved = signs.iter().filter(|sign| sign.covers.contains(artifact));
        let approved_by: Vec<AgentName> = approved.map(|sign| sign.approver.clone()).collect();
        let required = stage.requires.iter().any(|needed| needed.name == artifact.name);
        let looked_at = (required || !approved_by.is_empty()) && artifact.name != AUDIT_PASS;
        Seal {
            name: artifact.name.clone(),
            stage: made_by,
            path: artifact.path.clone(),
            checksum: artifact.checksum,
            content: if looked_at { content(world, artifact) } else { None },
            approved_by,
            required,
        }
    });
    all.collect()
}

/// Gives what a small document holds, if it stands at head as it was sealed.
fn content(world: &World, artifact: &Artifact) -> Option<String> {
    match world.facts.get(Seen::Head, &artifact.path) {
        Fact::File { digest, document: Some(bytes), .. }
            if *digest == artifact.checksum && bytes.len() <= SHOWN =>
        {
            String::from_utf8(bytes.to_vec()).ok()
        }
        _ => None,
    }
}

/// Gives the last gate of each stage that passed, of runs that still stand.
fn gates(ledger: &LedgerView, state: &State) -> Vec<GateRead> {
    let mut read: Vec<GateRead> = Vec::new();
    for record in &ledger.records {
        let Payload::Gate(gate) = &record.payload else { continue };
        if gate.verdict == GateVerdict::Pass && state.run_stands(&gate.run_id) {
            read.retain(|known| known.stage != gate.stage);
            read.push(GateRead::of(gate, record.entry.recorded_at));
        }
    }
    read.retain(|gate| !gate.conditions.is_empty());
    read
}

impl GateRead {
    fn of(gate: &Gate, at: Moment) -> Self {
        let (stage, by) = (gate.stage.clone(), gate.evaluated_by.clone());
        GateRead { stage, at, by, conditions: gate.conditions.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::world;

    /// R003-41: before a stage goes live, everything that passed is shown, with what the gates read.
    #[test]
    fn what_passed_is_shown_before_it_goes_live() {
        let world = world(
            "- data: {}\n- done: {until: audit}\n- run: {}\n- audit_report: {}\n- gate: {}\n",
        );
        let all = shown(&world, 50);
        let one = &all[0];
        assert_eq!((one.task_id.as_str(), one.stands), ("strat-001", "is next"));
        let names: Vec<&str> = one.seals.iter().map(|seal| seal.name.as_str()).collect();
        assert!(names.contains(&"backtest_results") && names.contains(&"audit_pass"), "{names:?}");
        let read = one.gates.iter().find(|gate| gate.stage == "backtest").expect("it passed");
        assert!(read.conditions.iter().all(|known| known.result && known.observed.is_some()));
        assert!(one.signs.is_empty());
    }

    /// A task that is far from live shows nothing.
    #[test]
    fn what_is_not_about_to_go_live_is_not_shown() {
        assert_eq!(shown(&world("- data: {}\n- done: {until: backtest}\n"), 50), []);
    }
}
