//! What entries speak of, read before the checks run.

use std::collections::BTreeSet;

use super::facts::{GITMODULES, Memory};
use super::{Facts, LedgerView, Seen, World};
use crate::ledger::Standing;
use crate::record::kind::Artifact;
use crate::record::{Home, Payload, Record, snapshot_path};
use crate::snapshot::{Fault, Proposal, Repository, Side};
use crate::source::RepoPath;

/// Reads what stands at every path that the entries in question speak of.
pub(super) fn facts(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
    memory: Memory,
) -> Result<Facts, Fault> {
    let mut facts = Facts::new(memory);
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
        learn_makers(repository, proposal, world, &mut facts)?;
    }
    if let Some(log) = &world.policy.decisions_log {
        facts.learn(repository, proposal.head, Seen::Head, log)?;
    }
    facts.learn(repository, proposal.head, Seen::Head, &RepoPath::from(GITMODULES))?;
    for change in proposal.changes.iter().filter(|change| world.policy.is_guarded(&change.path)) {
        facts.learn(repository, proposal.head, Seen::Head, &change.path)?;
    }
    for step in world.steps() {
        let Payload::Decision(decision) = &step.record.payload else { continue };
        for change in &decision.changes {
            facts.learn(repository, proposal.head, Seen::Head, &change.path)?;
            facts.learn_agreed(repository, proposal.agreed, &change.path)?;
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

/// Who brought each record; and of what an audit covers, who made it since the task was opened.
fn learn_makers(
    repository: &dyn Repository,
    proposal: &Proposal,
    world: &World,
    facts: &mut Facts,
) -> Result<(), Fault> {
    let policy = &world.policy;
    for step in world.steps().filter(|step| step.policy.is_some()) {
        let brought_by = step.ledger.brought_by(step.record);
        if let Some(commit) = brought_by {
            facts.learn_makers(repository, policy, commit)?;
        }
        let Payload::AuditReport(report) = &step.record.payload else { continue };
        let bound = policy.agents.get(&report.auditor);
        let first = step.ledger.records.first().filter(|_| bound.is_some_and(is_bound));
        let from = brought_by.map_or(proposal.base, Side::Commit);
        if let (Some(first), Side::Commit(from)) = (first, from) {
            let covered = report.covers.iter().map(|artifact| artifact.path.clone()).collect();
            let commits = repository.shapers(from, first.repo_path(), &covered)?;
            facts.learn_shapers(repository, policy, step.record.repo_path(), commits)?;
        }
    }
    Ok(())
}

fn is_bound(agent: &crate::policy::Agent) -> bool {
    !agent.identities.is_empty()
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
