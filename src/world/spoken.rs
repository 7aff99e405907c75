//! What entries speak of, read before the checks run.

use std::collections::BTreeSet;

use super::{Facts, LedgerView, Seen, World};
use crate::ledger::Standing;
use crate::record::kind::Artifact;
use crate::record::{Home, Payload, Record, snapshot_path};
use crate::snapshot::{Fault, Proposal, Repository};
use crate::source::RepoPath;

/// Reads what stands at every path that the entries in question speak of.
pub(super) fn facts(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
) -> Result<Facts, Fault> {
    let mut facts = Facts::default();
    for step in world.steps() {
        let own = spoken_of(step.record).into_iter();
        for artifact in own.chain(step.before.into_iter().flat_map(all_evidence)) {
            facts.learn(repository, proposal.head, step.seen, &artifact.path)?;
        }
        if let (Payload::Halt(_), Home::Halt(id)) = (&step.record.payload, &step.ledger.home) {
            facts.learn(repository, proposal.head, step.seen, &snapshot_path(id))?;
        }
    }
    for step in world.steps() {
        if let (Some(run), Some(policy)) = (step.begun(), step.policy)
            && let Some(state) = step.before
            && state.failures(&run.stage).any(|(_, failed)| failed.lane_state.is_some())
        {
            facts.learn_lane(repository, proposal.head, step.seen, policy, &run.lane)?;
        }
    }
    if world.policy.agents.values().any(|agent| !agent.identities.is_empty()) {
        let brought = world.steps().filter_map(|step| step.ledger.brought_by(step.record));
        for commit in brought {
            facts.learn_makers(repository, commit)?;
        }
    }
    if let Some(log) = &world.policy.decisions_log {
        facts.learn(repository, proposal.head, Seen::Head, log)?;
    }
    for guarded in [crate::policy::POLICY_PATH, crate::policy::SIGNERS_PATH, ".gitmodules"] {
        facts.learn(repository, proposal.head, Seen::Head, &RepoPath::from(guarded))?;
    }
    for step in world.steps() {
        let Payload::Decision(decision) = &step.record.payload else { continue };
        for change in &decision.changes {
            facts.learn(repository, proposal.head, Seen::Head, &change.path)?;
        }
    }
    let changed: BTreeSet<&RepoPath> = proposal.changes.iter().map(|change| &change.path).collect();
    let disturbed = world.survey.live.iter().map(|live| &live.artifact.path);
    for path in disturbed.filter(|path| changed.contains(path)) {
        facts.learn(repository, proposal.head, Seen::Head, path)?;
    }
    for path in changed.iter().filter(|path| world.only_goes_back(path)) {
        facts.learn(repository, proposal.head, Seen::Head, path)?;
    }
    for view in world.ledgers.values() {
        learn_lanes(repository, proposal, world, (view, &mut facts))?;
        for artifact in view.state().into_iter().flat_map(all_evidence) {
            facts.learn(repository, proposal.head, Seen::Head, &artifact.path)?;
        }
    }
    Ok(facts)
}

/// What a failed task's lane holds now decides whether its next attempt may begin.
fn learn_lanes(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
    (view, facts): (&LedgerView, &mut Facts),
) -> Result<(), Fault> {
    let Some(state) = view.state().filter(|state| state.closed.is_none()) else { return Ok(()) };
    let Standing::Ready(Some(stage)) = &state.standing else { return Ok(()) };
    let failed = state.failures(stage).find(|(_, failed)| failed.lane_state.is_some());
    let Some((run, _)) = failed else { return Ok(()) };
    facts.learn_lane(repository, proposal.head, Seen::Head, &world.policy, &run.lane)
}

/// What a task has delivered, what its run consumes and what its audit covers: the next entry is
/// judged by all of it.
fn all_evidence(state: &crate::ledger::State) -> Vec<&Artifact> {
    let delivered = state.live_deliveries().flat_map(|delivery| &delivery.artifacts);
    let consumed = state.active_run().into_iter().flat_map(|run| &run.inputs);
    let audit = state.live_audit();
    let audited = audit.into_iter().flat_map(|audit| audit.covers.iter().chain([&audit.evidence]));
    delivered.chain(consumed).chain(audited).collect()
}

fn spoken_of(record: &Record) -> Vec<&Artifact> {
    match &record.payload {
        Payload::Run(run) => {
            let reached = run.checkpoint.iter().flat_map(|checkpoint| &checkpoint.artifacts);
            run.inputs.iter().chain(reached).collect()
        }
        Payload::Handoff(handoff) => handoff.artifacts.iter().collect(),
        Payload::Gate(gate) => gate.evidence.iter().collect(),
        Payload::AuditReport(report) => report.covers.iter().collect(),
        Payload::Approval(approval) => approval.covers.iter().collect(),
        _ => Vec::new(),
    }
}
