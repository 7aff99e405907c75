//! What a gate asks and answers: the same for the one who records it and for the guard.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Fact, Seen, World, document};
use crate::ledger::State;
use crate::policy::{Stage, StageKind};
use crate::record::kind::{Artifact, Condition, GateVerdict, HandoffStatus};
use crate::source::StageName;

/// A gate's answer, with what it read.
#[derive(Debug, Clone, PartialEq)]
pub struct Evaluation {
    /// Pass or fail.
    pub verdict: GateVerdict,
    /// What was read, sorted.
    pub evidence: Vec<Artifact>,
    /// What was asked and answered, in the policy's order.
    pub conditions: Vec<Condition>,
    /// Why it failed, in words.
    pub reasons: Vec<String>,
}

/// Evaluates the gate behind a stage over the live evidence of a task, as it can be seen.
///
/// It passes when the stage has delivered, the delivery says complete, every artifact still holds
/// what was sealed, and every condition holds for every file under the names it reads.
pub fn evaluate(world: &World, state: &State, stage: &Stage, seen: Seen) -> Evaluation {
    let evidence = evidence(world, state, stage);
    let mut reasons = unfinished(state, stage);
    for artifact in &evidence {
        reasons.extend(changed(world, artifact, seen));
    }
    let (documents, unreadable) = documents(world, stage, &evidence, seen);
    let blind = !unreadable.is_empty();
    reasons.extend(unreadable);
    let conditions: Vec<Condition> =
        stage.gate.iter().map(|condition| ask(condition, &documents)).collect();
    // Of what can't be read, nothing else needs to be said.
    let failed = conditions.iter().filter(|condition| !condition.result && !blind);
    reasons.extend(failed.map(|condition| {
        let observed = condition.observed.as_deref().unwrap_or("nothing could be read");
        format!("`{}` does not hold: {observed}", condition.expression)
    }));
    let verdict = if reasons.is_empty() { GateVerdict::Pass } else { GateVerdict::Fail };
    Evaluation { verdict, evidence, conditions, reasons }
}

/// What the stage delivered, what its run consumed, and what its conditions read.
fn evidence(world: &World, state: &State, stage: &Stage) -> Vec<Artifact> {
    let delivered = state.live_delivery(&stage.name).map(|delivery| delivery.artifacts.clone());
    let mut evidence = delivered.unwrap_or_default();
    if stage.kind == StageKind::Audit {
        evidence.extend(state.live_audit().map(|audit| audit.evidence.clone()));
    }
    for name in stage.gate.iter().flat_map(|condition| condition.names()) {
        let Ok(name) = name.parse() else { continue };
        let own = state.evidence(&name, false);
        let found = match own.is_empty() {
            true => world.dependencies(state).flat_map(|task| task.evidence(&name, true)).collect(),
            false => own,
        };
        evidence.extend(found.into_iter().cloned());
    }
    evidence.sort();
    evidence.dedup();
    evidence
}

fn unfinished(state: &State, stage: &Stage) -> Vec<String> {
    let name: &StageName = &stage.name;
    if stage.kind == StageKind::Audit {
        let passed = state.live_audit().is_some_and(|audit| audit.stage.as_ref() == Some(name));
        return if passed { Vec::new() } else { vec!["the audit has not passed".into()] };
    }
    match state.live_delivery(name) {
        None => vec![format!("stage `{name}` has not handed off")],
        Some(delivery) if delivery.status != HandoffStatus::Complete => {
            vec![format!("stage `{name}` handed off, but not as complete")]
        }
        Some(_) => Vec::new(),
    }
}

fn changed(world: &World, artifact: &Artifact, seen: Seen) -> Option<String> {
    match world.facts.get(seen, &artifact.path) {
        Fact::File { digest, .. } if *digest == artifact.checksum => None,
        Fact::Unseen => None,
        Fact::File { .. } => Some(format!("`{}` changed after it was handed over", artifact.path)),
        Fact::Missing => Some(format!("`{}` is not there", artifact.path)),
        Fact::Irregular(_) => Some(format!("`{}` is no file", artifact.path)),
    }
}

type Documents = BTreeMap<String, Vec<Value>>;

/// Gives the documents that conditions read, and why some could not be read.
fn documents(
    world: &World,
    stage: &Stage,
    evidence: &[Artifact],
    seen: Seen,
) -> (Documents, Vec<String>) {
    let (mut documents, mut unreadable) = (Documents::new(), Vec::new());
    let read: BTreeSet<String> = stage.gate.iter().flat_map(|asked| asked.names()).collect();
    for artifact in evidence.iter().filter(|artifact| read.contains(artifact.name.as_str())) {
        let Fact::File { document: Some(bytes), .. } = world.facts.get(seen, &artifact.path) else {
            continue;
        };
        let parsed = document(&artifact.path, bytes);
        let files = documents.entry(artifact.name.to_string()).or_default();
        if parsed.is_none() {
            unreadable.push(format!(
                "`{}` can't be read as the JSON or YAML it should be, with each key once",
                artifact.path
            ));
        }
        files.push(parsed.unwrap_or(Value::Null));
    }
    (documents, unreadable)
}

/// Asks a condition of every file under the names it reads; the first that fails is told.
fn ask(condition: &crate::policy::Condition, documents: &Documents) -> Condition {
    let mut choices: Vec<BTreeMap<String, Value>> = vec![BTreeMap::new()];
    for (name, files) in documents.iter().filter(|(name, _)| condition.names().contains(*name)) {
        choices = choices
            .into_iter()
            .flat_map(|choice| {
                files.iter().map(move |file| {
                    let mut choice = choice.clone();
                    choice.insert(name.clone(), file.clone());
                    choice
                })
            })
            .collect();
    }
    let mut answers = choices.iter().map(|choice| condition.evaluate(choice));
    let first = answers.next().expect("there is always one choice");
    let answer =
        if first.result { answers.find(|answer| !answer.result).unwrap_or(first) } else { first };
    Condition {
        expression: condition.as_str().to_owned(),
        observed: Some(answer.observed).filter(|observed| !observed.is_empty()),
        result: answer.result,
    }
}
