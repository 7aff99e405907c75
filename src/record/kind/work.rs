//! What agents do and say to each other: runs, handoffs, rejections, messages.

use serde::{Deserialize, Serialize};

use crate::source::{
    AgentName, ArtifactName, Digest, LaneName, Moment, RepoPath, RunId, StageName, TaskId,
};

/// One piece of evidence: a name, a file and what it held (R000-33).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Artifact {
    /// What the workflow calls it.
    pub name: ArtifactName,
    /// The file, from the top of the repository.
    pub path: RepoPath,
    /// SHA-256 of the blob's bytes in Git.
    pub checksum: Digest,
}

/// One execution of a stage (R001-13). Further `run` entries with the same id tell how it went on:
/// a checkpoint that it reached, that its command succeeded, or that it failed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The stage.
    pub stage: StageName,
    /// Its id, derived from the task, the stage and what it consumes.
    pub run_id: RunId,
    /// 1 for the first try.
    pub attempt: u32,
    /// Who does it.
    pub agent: AgentName,
    /// The lane whose files it may change.
    pub lane: LaneName,
    /// The branch it is done on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// How far it got.
    pub status: RunStatus,
    /// The task that a run in an incident's ledger rolls back; absent in a task's own ledger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_id: Option<TaskId>,
    /// The evidence it consumes, as it was when the run began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Artifact>,
    /// The checkpoint that it reached; where it begins, the one that it goes on from (R000-58).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Checkpoint>,
    /// Why it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// The exit code of its command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Digest of its command's output, which is kept on the machine that ran it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<Digest>,
    /// How long it took, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<u64>,
    /// When it may be tried again at the earliest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<Moment>,
    /// Digest of its lane's files when it failed. A failure that may not be retried may be started
    /// anew once they differ.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lane_state: Option<Digest>,
    /// Whose claim on the task it took over, where it begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_over: Option<TookOver>,
}

/// A claim that another clone held, and that a run took over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct TookOver {
    /// Who held it.
    pub agent: AgentName,
    /// Since when.
    pub since: Moment,
    /// Why it was taken over.
    pub reason: String,
}

/// A point that a run can go on from after a failure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Checkpoint {
    /// What was reached, in a word that the stage's command understands.
    pub name: String,
    /// The files that hold what was reached.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
}

/// How far a run got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It has begun; a handoff or an audit report completes it.
    InProgress,
    /// It goes on, and could go on from here after a failure.
    Checkpoint,
    /// Its command has ended well and is not run again; what it made is yet to be handed over.
    Succeeded,
    /// It ended without a result.
    Failed,
}

/// Why a run failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// Decides whether it may be retried (R001-15, R001-16).
    pub class: FailureClass,
    /// One word for statistics, such as `network`.
    pub reason: String,
    /// What happened, in words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The classes of failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum FailureClass {
    /// May pass by itself: retried after a wait.
    Transient,
    /// Would fail again: something must change first.
    Deterministic,
    /// The task's own description is at fault.
    Spec,
    /// A rule forbids it.
    Policy,
}

/// An agent's sealed statement that its stage's artifacts are ready for the next (R000-32).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Handoff {
    /// Who hands over.
    pub from: AgentName,
    /// Who takes over; `orchestrator` behind the last stage (R000-28).
    pub to: AgentName,
    /// The task.
    pub task_id: TaskId,
    /// The stage it completes.
    pub stage: StageName,
    /// The run it completes.
    pub run_id: RunId,
    /// Whether the stage's work is done (R002-10).
    pub status: HandoffStatus,
    /// What it hands over.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<Artifact>,
    /// A sentence for the receiver.
    pub message: String,
    /// What the receiver should do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub next_steps: Vec<String>,
    /// Ids of the issues of a failed audit that it answers (R000-47).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub resolves: Vec<String>,
    /// What was made (R002-11).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deliverables: Option<Deliverables>,
    /// What the receiver should know (R002-12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
    /// What changed around the work (R002-13).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changes: Option<Changes>,
    /// The keys that an implementation bundle must carry (R001-36).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bundle: Option<Bundle>,
    /// What else it says, word for word, in fields that nobody foresaw.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// Something that a handoff says under a label of its own (R002-14).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Note {
    /// The heading it stands under: `deliverables`, `context`, `artifacts`, or one of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub section: Option<String>,
    /// What its author called it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// What it says.
    pub text: String,
}

/// Whether a stage's work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum HandoffStatus {
    /// Done.
    Complete,
    /// Can't go on.
    Blocked,
    /// Done in part.
    Partial,
}

/// What a handoff's stage made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Deliverables {
    /// Files created or modified, in words.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub created_or_modified: Vec<String>,
    /// How its tests went.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_results: Option<String>,
    /// What was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_findings: Vec<String>,
}

/// What the receiver of a handoff should know.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// What holds already.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prerequisites_met: Vec<String>,
    /// What does not hold yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_issues: Vec<String>,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recommended_actions: Vec<String>,
}

/// What changed around the work.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Changes {
    /// Where the output is, if not in the artifacts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output_location: Option<String>,
    /// Dependencies added.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dependencies_added: Vec<String>,
    /// Configuration changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub configuration: Vec<String>,
}

/// The keys that an implementation bundle must carry, in its own spelling (R001-36).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The repository.
    pub repository: String,
    /// The branch it goes to.
    pub base: String,
    /// The branch it comes from.
    pub head: String,
    /// The task's id.
    #[serde(rename = "candidateId")]
    pub candidate_id: TaskId,
    /// The stage.
    pub stage: StageName,
    /// The main artifact.
    #[serde(rename = "artifactPath")]
    pub artifact_path: RepoPath,
}

/// Says that a handoff's artifacts can't be used (R000-59).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Rejection {
    /// The sequence of the handoff in this ledger.
    pub handoff: u32,
    /// The artifacts it is about, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub artifacts: Vec<ArtifactName>,
    /// What is wrong with them.
    pub reason: RejectionReason,
    /// In words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// Why a handoff is rejected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RejectionReason {
    /// The checksum is not the file's.
    Mismatch,
    /// The file is not there.
    Missing,
    /// The file can't be read as what it should be.
    Format,
}

/// A message between agents (R000-27).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Who says it.
    pub from: AgentName,
    /// Who shall hear it.
    pub to: AgentName,
    /// What kind of message it is (R000-29).
    #[serde(rename = "type")]
    pub kind: MessageType,
    /// The task.
    pub task_id: TaskId,
    /// What it says; the task decides its shape.
    pub payload: serde_json::Map<String, serde_json::Value>,
    /// How far it got (R000-30).
    pub status: MessageStatus,
    /// When it was said (R000-31).
    pub timestamp: Moment,
}

/// The kinds of message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum MessageType {
    /// Asks for something.
    Request,
    /// Answers.
    Response,
    /// Hands over.
    Handoff,
}

/// How far a message got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum MessageStatus {
    /// Nobody has taken it.
    Pending,
    /// Somebody works on it.
    InProgress,
    /// Done.
    Completed,
    /// Not done.
    Failed,
}
