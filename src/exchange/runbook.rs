//! The runbook's YAML: `handoff: {from, to, task_id, artifacts, message, next_steps}` (R000-32,
//! R000-33). What other forms say beside that stands in further fields, named as in a record.

use serde::{Deserialize, Serialize};

use super::{Claim, Location, Signal, problem, said};
use crate::record::kind::{Bundle, Changes, Context, Deliverables, Handoff, HandoffStatus, Note};
use crate::record::{self, Problem, yaml};
use crate::source::{AgentName, ArtifactName, Digest, RepoPath, StageName, TaskId};

/// The whole document.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub(super) handoff: Said,
}

/// A handoff as the runbook spells it.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Said {
    from: AgentName,
    to: AgentName,
    task_id: TaskId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stage: Option<StageName>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) status: Option<HandoffStatus>,
    artifacts: Vec<File>,
    message: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    next_steps: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    resolves: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    deliverables: Option<Deliverables>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<Context>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    changes: Option<Changes>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    bundle: Option<Bundle>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    notes: Vec<Note>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<ArtifactName>,
    path: RepoPath,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    checksum: Option<Digest>,
}

/// Reads the document.
pub(super) fn read(bytes: &[u8]) -> Result<Signal, Vec<Problem>> {
    let (document, tree) = record::document::<Document>(bytes)?;
    let said = tree.pair("handoff").map_or(&tree, |pair| &pair.value);
    of(document.handoff, said).map_err(|problem| vec![problem])
}

/// Takes what was read from `tree`; refuses what its types can't.
pub(super) fn of(said: Said, tree: &yaml::Node) -> Result<Signal, Problem> {
    let made = said.deliverables.iter().flat_map(|part| &part.created_or_modified);
    for (index, text) in made.enumerate() {
        if let Some(Err(reason)) = Location::of_words(text) {
            let span = tree.locate(&format!("deliverables.created_or_modified.{index}"));
            return Err(problem(span, reason, "write PATH, PATH:LINE or PATH:LINE-LINE"));
        }
    }
    let claims = said.artifacts.into_iter().map(|file| Claim {
        name: file.name,
        path: file.path,
        checksum: file.checksum,
    });
    Ok(Signal {
        from: Some(said.from),
        to: Some(said.to),
        stage: said.stage,
        status: said.status.unwrap_or(HandoffStatus::Complete),
        artifacts: claims.collect(),
        message: Some(said.message),
        next_steps: said.next_steps,
        resolves: said.resolves,
        deliverables: said.deliverables.unwrap_or_default(),
        context: said.context.unwrap_or_default(),
        changes: said.changes.unwrap_or_default(),
        bundle: said.bundle,
        notes: said.notes,
        ..Signal::about(said.task_id)
    })
}

/// Gives the document that says a handoff.
pub(super) fn spelled(handoff: &Handoff) -> Document {
    let files = handoff.artifacts.iter().map(|artifact| File {
        name: Some(artifact.name.clone()),
        path: artifact.path.clone(),
        checksum: Some(artifact.checksum),
    });
    let signal = Signal::of(handoff);
    Document {
        handoff: Said {
            from: handoff.from.clone(),
            to: handoff.to.clone(),
            task_id: signal.task_id,
            stage: signal.stage,
            status: Some(signal.status),
            artifacts: files.collect(),
            message: handoff.message.clone(),
            next_steps: signal.next_steps,
            resolves: signal.resolves,
            deliverables: said(signal.deliverables),
            context: said(signal.context),
            changes: said(signal.changes),
            bundle: signal.bundle,
            notes: signal.notes,
        },
    }
}
