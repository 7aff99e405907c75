//! What a stage consumes: from its own task, or from those it depends on (design, section 4).

use super::World;
use crate::ledger::State;
use crate::policy::{AUDIT_PASS, Policy, Stage};
use crate::record::kind::Artifact;
use crate::source::{ArtifactName, StageName};

/// Gives the evidence that a run of a stage would consume now: everything it requires that is
/// there and has passed its gate, sorted.
pub fn inputs_of(world: &World, state: &State, stage: &Stage) -> Vec<Artifact> {
    let mut inputs: Vec<Artifact> = stage
        .requires
        .iter()
        .flat_map(|needed| found(world, state, &needed.name))
        .cloned()
        .collect();
    inputs.sort();
    inputs.dedup();
    inputs
}

/// Gives the names that a stage demands and that nobody has delivered. `audit_pass` is left to
/// the gatekeeper's own checks.
pub fn missing_inputs<'s>(world: &World, state: &State, stage: &'s Stage) -> Vec<&'s ArtifactName> {
    stage
        .requires
        .iter()
        .filter(|needed| !needed.optional && needed.name != AUDIT_PASS)
        .filter(|needed| found(world, state, &needed.name).is_empty())
        .map(|needed| &needed.name)
        .collect()
}

/// Own evidence comes first; a task's evidence counts for others once its gate has passed.
fn found<'w>(world: &'w World, state: &'w State, name: &ArtifactName) -> Vec<&'w Artifact> {
    let own = state.evidence(name, true);
    if !own.is_empty() || *name == AUDIT_PASS {
        return own;
    }
    world.dependencies(state).flat_map(|task| task.evidence(name, true)).collect()
}

/// Gives what a person looks at among the evidence of a stage: all but the audit, which is the gatekeeper's
/// to check, unless there is nothing else to see.
pub fn seen_by_a_person(evidence: &[Artifact]) -> Vec<&Artifact> {
    let (audit, other): (Vec<_>, Vec<_>) =
        evidence.iter().partition(|artifact| artifact.name == AUDIT_PASS);
    if other.is_empty() { audit } else { other }
}

/// Gives what an audit of a stage must cover: the live evidence of every stage before it in the
/// workflow, and what those consumed from other tasks (R000-17). Sorted.
pub fn to_be_covered(policy: &Policy, state: &State, audit: &StageName) -> Vec<Artifact> {
    let Some(workflow) = policy.workflows.get(&state.task.workflow) else { return Vec::new() };
    let mut covered = Vec::new();
    for stage in workflow.before(audit) {
        let Some(delivery) = state.live_delivery(&stage.name) else { continue };
        covered.extend(delivery.artifacts.iter().cloned());
        let run = state.run(&delivery.run_id);
        covered.extend(run.into_iter().flat_map(|run| run.inputs.iter().cloned()));
    }
    covered.retain(|artifact| artifact.name != AUDIT_PASS);
    covered.sort();
    covered.dedup();
    covered
}
