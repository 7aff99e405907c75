//! The rules of workflows and stages: every stage can be reached and passed, by someone who exists.

use std::collections::BTreeSet;

use super::model::{self, Model};
use super::terms::{DURATION_HELP, Problems, duration, not_a_duration, optional_name, retries};
use super::{AUDIT_PASS, Conditions, NamedGlob, StageKind};
use crate::record::did_you_mean;
use crate::source::{AgentName, StageName, WorkflowName};

/// Finds what is wrong with the workflows.
pub(super) fn problems(model: &Model, conditions: &Conditions, problems: &mut Problems<'_>) {
    for (name, workflow) in &model.workflows {
        workflow_problems(model, workflow, &format!("workflows.{name}"), problems);
    }
    everything_is_produced(model, problems);
    gates(model, conditions, problems);
}

fn workflow_problems(
    model: &Model,
    workflow: &model::Workflow,
    field: &str,
    problems: &mut Problems<'_>,
) {
    if workflow.stages.is_empty() {
        problems.at(field, "a workflow without stages".into(), "give it one");
    }
    let names: Vec<&StageName> = workflow.stages.iter().map(|stage| &stage.name).collect();
    for (index, stage) in workflow.stages.iter().enumerate() {
        let field = format!("{field}.stages.{index}");
        if names[..index].contains(&&stage.name) {
            let message = format!("a second stage `{}`", stage.name);
            problems.at(&format!("{field}.name"), message, "a stage's name stands once");
        }
        let leads_to = stage.next.iter().flatten().chain(&stage.on_fail);
        for target in leads_to.filter(|target| !names.contains(target)) {
            let near = did_you_mean(target.as_str(), names.iter().map(|name| name.as_str()));
            let help = near.map_or("name a stage of this workflow".into(), |near| {
                format!("did you mean `{near}`?")
            });
            problems.at(&field, format!("there is no stage `{target}` here"), help);
        }
        stage_problems(model, stage, &field, problems);
        let audited = |stage: &model::Stage| stage.kind == StageKind::Audit;
        if stage.kind == StageKind::Deploy && !workflow.stages[..index].iter().any(audited) {
            let message = format!("`{}` deploys, and no audit stands before it", stage.name);
            let help = "put a stage with `kind: audit` before it; no setting turns this off";
            problems.at(&format!("{field}.kind"), message, help);
        }
    }
}

fn stage_problems(model: &Model, stage: &model::Stage, field: &str, problems: &mut Problems<'_>) {
    let agent = model.agents.get(&stage.agent);
    match agent {
        None => unknown_agent(model, &stage.agent, &format!("{field}.agent"), problems),
        Some(agent) if !agent.lanes.contains(&stage.lane) => {
            let message = format!("`{}` does not work in lane `{}`", stage.agent, stage.lane);
            problems.at(&format!("{field}.lane"), message, "add the lane to the agent's `lanes`");
        }
        Some(agent) if stage.kind == StageKind::Audit && !agent.auditor => {
            let message = format!("`{}` is no auditor", stage.agent);
            problems.at(&format!("{field}.agent"), message, "give it `auditor: true`");
        }
        Some(_) => {}
    }
    if stage.name == super::ROLLBACK_STAGE {
        let message = "this name is kept for what an emergency opens".to_owned();
        problems.at(&format!("{field}.name"), message, "use the workflow's `rollback`");
    }
    if !model.lanes.contains_key(&stage.lane) {
        let message = format!("there is no lane `{}`", stage.lane);
        problems.at(&format!("{field}.lane"), message, "add it to `lanes`");
    }
    approvals(model, stage, field, problems);
    if stage.kind == StageKind::Audit && stage.tests.is_empty() {
        let message = format!("the audit `{}` asks for no test", stage.name);
        problems.at(field, message, "list in `tests` what a report must name");
    }
    if stage.kind != StageKind::Audit && !stage.tests.is_empty() {
        let message = "only an audit names tests".to_owned();
        problems.at(&format!("{field}.tests"), message, "use `gate` for conditions on evidence");
    }
    if let Some(timeout) = stage.timeout.as_ref().filter(|timeout| duration(timeout).is_none()) {
        problems.at(&format!("{field}.timeout"), not_a_duration(timeout), DURATION_HELP);
    }
    retries(&stage.retry, &format!("{field}.retry"), problems);
    evidence(stage, field, problems);
}

/// Tells that a policy names an agent that it does not have.
pub(super) fn unknown_agent(
    model: &Model,
    agent: &AgentName,
    field: &str,
    problems: &mut Problems<'_>,
) {
    let near = did_you_mean(agent.as_str(), model.agents.keys().map(AgentName::as_str));
    let help = near.map_or("add it to `agents`".into(), |near| format!("did you mean `{near}`?"));
    problems.at(field, format!("there is no agent `{agent}`"), help);
}

fn approvals(model: &Model, stage: &model::Stage, field: &str, problems: &mut Problems<'_>) {
    let several = stage.approvers.iter().flat_map(|approvers| &approvers.of).enumerate();
    let several = several.map(|(index, name)| (format!("{field}.approvers.of.{index}"), name));
    let one = stage.approval.iter().map(|name| (format!("{field}.approval"), name));
    for (place, name) in one.chain(several) {
        if !model.agents.get(name).is_some_and(|agent| agent.human) {
            let message = format!("`{name}` is no person");
            problems.at(&place, message, "name an agent with `human: true`");
        }
    }
    let Some(approvers) = &stage.approvers else { return };
    if stage.approval.is_some() {
        let help = "keep `approvers`, which may name one person too";
        problems.at(&format!("{field}.approval"), "the approvers stand here twice".into(), help);
    }
    // Two names of one principal are one voice (attack 98), so that more could never be heard.
    let principal = |name: &&AgentName| {
        let agent = model.agents.get(*name);
        agent.and_then(|agent| agent.principal.clone()).unwrap_or_else(|| name.to_string())
    };
    let voices: BTreeSet<String> = approvers.of.iter().map(|name| principal(&name)).collect();
    if approvers.threshold == 0 || approvers.threshold > voices.len() {
        let message = format!("{} of {} can't approve", approvers.threshold, voices.len());
        let help = "ask for at least one, and for no more than there are principals";
        problems.at(&format!("{field}.approvers.threshold"), message, help);
    }
}

fn evidence(stage: &model::Stage, field: &str, problems: &mut Problems<'_>) {
    for (index, name) in stage.requires.iter().enumerate() {
        if let Err(fault) = optional_name(name) {
            problems.at(
                &format!("{field}.requires.{index}"),
                format!("`{name}` is no name"),
                fault,
            );
        }
    }
    for (name, glob) in &stage.produces {
        let place = format!("{field}.produces.{name}");
        match optional_name(name) {
            Err(fault) => problems.at(&place, format!("`{name}` is no name"), fault),
            Ok((name, _)) if name == AUDIT_PASS => {
                let message = format!("`{AUDIT_PASS}` is made by an audit report alone");
                problems.at(&place, message, "use another name");
            }
            Ok(_) => {}
        }
        if let Err(fault) = NamedGlob::new(glob) {
            problems.at(&place, format!("`{glob}` is no glob"), fault);
        }
    }
}

/// What a stage requires must be made by some stage, or no task could ever pass it.
fn everything_is_produced(model: &Model, problems: &mut Problems<'_>) {
    let produced = produced(model);
    for (workflow, index, stage) in stages(model) {
        for (nth, name) in stage.requires.iter().enumerate() {
            let bare = name.trim_end_matches('?');
            if produced.contains(bare) {
                continue;
            }
            let near = did_you_mean(bare, produced.iter().map(String::as_str));
            let help = near.map_or("add it to a stage's `produces`".into(), |near| {
                format!("did you mean `{near}`?")
            });
            let field = format!("workflows.{workflow}.stages.{index}.requires.{nth}");
            problems.at(&field, format!("no stage produces `{bare}`"), help);
        }
    }
}

/// What a gate asks is CEL, and reads evidence that some stage makes.
fn gates(model: &Model, conditions: &Conditions, problems: &mut Problems<'_>) {
    let produced = produced(model);
    for (workflow, index, stage) in stages(model) {
        for (nth, expression) in stage.gate.iter().enumerate() {
            let field = format!("workflows.{workflow}.stages.{index}.gate.{nth}");
            match &conditions.0[expression] {
                Err(fault) => {
                    let help = "write CEL over the evidence: `backtest_results.trades >= 30`";
                    problems.at(&field, format!("this is no condition: {fault}"), help);
                }
                Ok(condition) => {
                    for name in condition.names().iter().filter(|name| !produced.contains(*name)) {
                        let message = format!("no stage produces `{name}`");
                        problems.at(&field, message, "read evidence by its name");
                    }
                }
            }
        }
    }
}

fn stages(model: &Model) -> impl Iterator<Item = (&WorkflowName, usize, &model::Stage)> {
    model.workflows.iter().flat_map(|(name, workflow)| {
        workflow.stages.iter().enumerate().map(move |(index, stage)| (name, index, stage))
    })
}

/// The names of all evidence that any stage makes.
fn produced(model: &Model) -> BTreeSet<String> {
    let names = stages(model).flat_map(|(_, _, stage)| stage.produces.keys());
    names.map(|name| name.trim_end_matches('?').to_owned()).chain([AUDIT_PASS.to_owned()]).collect()
}
