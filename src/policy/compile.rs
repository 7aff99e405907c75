//! A policy without problems to what the house asks.

use std::collections::BTreeMap;

use super::failure::{self, Retry};
use super::fleet::Fleet;
use super::identity::{Identities, SignatureRule};
use super::model::{self, Model};
use super::terms::{duration, optional_name};
use super::{
    Agent, Approvers, BranchPattern, Conditions, Escalation, Lane, NamedGlob, Owners, PathSet,
    Policy, Produce, Requirement, Stage, Version, Workflow,
};
use crate::record::kind::FailureClass;
use crate::source::{AgentName, Digest, LaneName, StageName};

const VALID: &str = "a policy with problems is never compiled";

/// Compiles a policy without problems.
pub(super) fn compile(model: Model, conditions: &Conditions, digest: Digest) -> Policy {
    let owners = Owners::of_valid(owned(&model));
    let agents = model.agents.into_iter().map(|(name, agent)| {
        let lanes = agent.lanes.into_iter().collect();
        let model::Agent { human, auditor, coordinator, principal, backup, command, .. } = agent;
        let (limit, batch) = (agent.limit.unwrap_or(1), agent.batch.unwrap_or(1));
        let mut identities = Identities::default();
        for text in &agent.identities {
            identities.add(text).expect(VALID);
        }
        let known =
            Agent { lanes, human, auditor, coordinator, identities, principal, ..Agent::default() };
        (name, Agent { backup, command, limit, batch, ..known })
    });
    let lanes = model.lanes.into_iter().map(|(name, lane)| {
        let model::Lane { title, owns } = lane;
        (name, Lane { title, owns })
    });
    let workflows = model.workflows.into_iter().map(|(name, workflow)| {
        let order: Vec<StageName> =
            workflow.stages.iter().map(|stage| stage.name.clone()).collect();
        let model::Workflow { title, stages, rollback, scope } = workflow;
        let stages = stages.into_iter().enumerate();
        let stages =
            stages.map(|(index, stage)| compile_stage(stage, conditions, order.get(index + 1)));
        let stages = stages.collect();
        (name, Workflow { title, stages, rollback, scope })
    });
    Policy {
        digest,
        project: model.project,
        implementation_spec: model.implementation_spec,
        agents: agents.collect(),
        lanes: lanes.collect(),
        workflows: workflows.collect(),
        branches: model
            .branches
            .iter()
            .map(|text| BranchPattern::new(text).expect(VALID))
            .collect(),
        audit_max_age: duration(&model.audit.max_age).expect(VALID),
        procedures: model.procedures,
        escalation: escalation(&model.escalation),
        schedule: model.schedule,
        health: model.health,
        on_call: model.on_call,
        alerts: model.alerts,
        process: model.process,
        decisions_log: model.decisions_log,
        schemas: model.schemas,
        signatures: SignatureRule::new(model.signatures),
        fleet: Fleet::new(model.selection, model.groups, model.phases, model.dispatch),
        min_version: model.min_version.as_deref().and_then(Version::parse),
        retry: retries(&model.retry),
        failures: failure::rules(model.failures),
        severities: model.checks,
        owners,
        shared: PathSet::of_valid(model.shared_paths),
        protected: PathSet::of_valid(model.protected),
        guarded: PathSet::of_valid(lowercase(&model.guarded)),
    }
}

/// Joins the globs of all lanes; refuses, in words, those that can't be matched together.
pub(super) fn owners(model: &Model) -> Result<Owners<LaneName>, String> {
    Owners::new(owned(model))
}

fn owned(model: &Model) -> impl Iterator<Item = (LaneName, &str)> {
    let lanes = model.lanes.iter();
    lanes.flat_map(|(name, lane)| lane.owns.iter().map(move |glob| (name.clone(), glob.as_str())))
}

fn compile_stage(
    stage: model::Stage,
    conditions: &Conditions,
    behind: Option<&StageName>,
) -> Stage {
    let requires = stage.requires.iter().map(|text| {
        let (name, optional) = optional_name(text).expect(VALID);
        Requirement { name, optional }
    });
    let produces = stage.produces.iter().map(|(text, glob)| {
        let (name, optional) = optional_name(text).expect(VALID);
        (name, Produce { glob: NamedGlob::of_valid(glob), optional })
    });
    Stage {
        requires: requires.collect(),
        produces: produces.collect(),
        gate: stage.gate.iter().map(|text| conditions.of_valid(text)).collect(),
        next: stage.next.unwrap_or_else(|| behind.cloned().into_iter().collect()),
        on_fail: stage.on_fail.unwrap_or_else(|| stage.name.clone()),
        timeout: stage.timeout.as_deref().and_then(duration),
        name: stage.name,
        agent: stage.agent,
        lane: stage.lane,
        kind: stage.kind,
        approvers: approvers(stage.approval, stage.approvers),
        tests: stage.tests,
        retry: retries(&stage.retry),
    }
}

/// One person is a threshold of one.
fn approvers(one: Option<AgentName>, many: Option<model::Approvers>) -> Option<Approvers> {
    let many = many.map(|many| Approvers { of: many.of, threshold: many.threshold });
    many.or_else(|| one.map(|person| Approvers { of: vec![person], threshold: 1 }))
}

/// A file system that ignores case finds a guarded file under any spelling (attack 37).
pub(super) fn lowercase(globs: &[String]) -> Vec<String> {
    globs.iter().map(|glob| glob.to_lowercase()).collect()
}

fn retries(model: &BTreeMap<FailureClass, model::FailureRetry>) -> BTreeMap<FailureClass, Retry> {
    model.iter().map(|(class, retry)| (*class, Retry::of(retry))).collect()
}

fn escalation(model: &model::Escalation) -> Escalation {
    let time = |text: &str| duration(text).expect(VALID);
    Escalation {
        decision_due: time(&model.decision_due),
        report_due: time(&model.report_due),
        postmortem_due: time(&model.postmortem_due),
        stalled_after: time(&model.stalled_after),
    }
}
