//! Handoffs and lists of tasks in the forms of other tools: text to typed values with places, and
//! back; and what is on the record as attestations. This is the only room that knows Markdown.
//!
//! Whatever the form, a handoff becomes one [`Signal`]. What is written and read again is the same
//! signal: what has no field of its own is kept word for word, as a note.

mod bundle;
pub mod in_toto;
mod json;
mod labels;
mod location;
mod markdown;
mod message;
mod runbook;
mod signal;
pub mod tasks;

/// What a reader needs of a file to see that it is too large: one byte more than may be read.
pub const ENOUGH_BYTES: u64 = markdown::MAX_BYTES as u64 + 1;

use std::fmt;
use std::str::FromStr;

pub use location::Location;

use crate::record::Problem;
use crate::record::kind::{
    Bundle, Changes, Context, Deliverables, Handoff, HandoffStatus, Message, Note,
};
use crate::source::{AgentName, ArtifactName, Digest, Moment, RepoPath, Span, StageName, TaskId};

/// The forms in which a handoff is read and written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The runbook's `handoff:` (R000-32).
    Yaml,
    /// The same as JSON.
    Json,
    /// A `message:` of the type `handoff` (R000-27).
    Message,
    /// The `## Agent Handoff Signal` (R002-9).
    Markdown,
    /// The keys of an implementation bundle (R001-36).
    Bundle,
}

const FORMS: [(&str, Form); 5] = [
    ("yaml", Form::Yaml),
    ("message", Form::Message),
    ("markdown", Form::Markdown),
    ("bundle", Form::Bundle),
    ("json", Form::Json),
];

impl Form {
    /// Gives the word of every form, in the order in which help lists them.
    pub fn words() -> impl Iterator<Item = &'static str> {
        FORMS.iter().map(|(word, _)| *word)
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = FORMS.iter().find(|(_, form)| form == self).map(|(word, _)| *word);
        f.write_str(word.unwrap_or_default())
    }
}

/// Why a word names no form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FormFault;

impl fmt::Display for FormFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = Form::words().collect();
        write!(f, "the formats are {}", words.join(", "))
    }
}

impl FromStr for Form {
    type Err = FormFault;

    fn from_str(text: &str) -> Result<Self, FormFault> {
        FORMS.iter().find(|(word, _)| *word == text).map(|(_, form)| *form).ok_or(FormFault)
    }
}

/// A handoff as somebody says it, in any form.
#[derive(Debug, Clone, PartialEq)]
pub struct Signal {
    /// Who hands over; a bundle does not say.
    pub from: Option<AgentName>,
    /// Who takes over; a bundle does not say.
    pub to: Option<AgentName>,
    /// The task.
    pub task_id: TaskId,
    /// The stage, if it is named.
    pub stage: Option<StageName>,
    /// Whether the work is done.
    pub status: HandoffStatus,
    /// The files it claims to hand over.
    pub artifacts: Vec<Claim>,
    /// A sentence for the receiver.
    pub message: Option<String>,
    /// What the receiver should do.
    pub next_steps: Vec<String>,
    /// Ids of the issues of a failed audit that it answers.
    pub resolves: Vec<String>,
    /// What was made.
    pub deliverables: Deliverables,
    /// What the receiver should know.
    pub context: Context,
    /// What changed around the work.
    pub changes: Changes,
    /// The keys of an implementation bundle.
    pub bundle: Option<Bundle>,
    /// What else it says.
    pub notes: Vec<Note>,
}

/// A file that a handoff claims to hand over (R000-33).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// What the workflow calls it.
    pub name: Option<ArtifactName>,
    /// The file.
    pub path: RepoPath,
    /// What it is said to hold.
    pub checksum: Option<Digest>,
}

impl Signal {
    /// Makes a signal that says nothing but its task.
    pub fn about(task_id: TaskId) -> Self {
        Signal {
            from: None,
            to: None,
            task_id,
            stage: None,
            status: HandoffStatus::Complete,
            artifacts: Vec::new(),
            message: None,
            next_steps: Vec::new(),
            resolves: Vec::new(),
            deliverables: Deliverables::default(),
            context: Context::default(),
            changes: Changes::default(),
            bundle: None,
            notes: Vec::new(),
        }
    }

    /// Takes what a handoff on the record says; its run is its ledger's own business.
    pub fn of(handoff: &Handoff) -> Self {
        let claims = handoff.artifacts.iter().map(|artifact| Claim {
            name: Some(artifact.name.clone()),
            path: artifact.path.clone(),
            checksum: Some(artifact.checksum),
        });
        let mut signal = Signal {
            from: Some(handoff.from.clone()),
            to: Some(handoff.to.clone()),
            task_id: handoff.task_id.clone(),
            stage: Some(handoff.stage.clone()),
            status: handoff.status,
            artifacts: claims.collect(),
            message: Some(handoff.message.clone()),
            next_steps: handoff.next_steps.clone(),
            resolves: handoff.resolves.clone(),
            deliverables: handoff.deliverables.clone().unwrap_or_default(),
            context: handoff.context.clone().unwrap_or_default(),
            changes: handoff.changes.clone().unwrap_or_default(),
            bundle: handoff.bundle.clone(),
            notes: handoff.notes.clone(),
        };
        signal.settle();
        signal
    }

    /// Puts what it says beside its artifacts into a handoff; what it does not say stays as it is.
    pub fn tell(self, handoff: &mut Handoff) {
        handoff.from = self.from.unwrap_or_else(|| handoff.from.clone());
        handoff.to = self.to.unwrap_or_else(|| handoff.to.clone());
        handoff.status = self.status;
        handoff.message = self.message.unwrap_or_else(|| handoff.message.clone());
        handoff.next_steps = self.next_steps;
        handoff.resolves = self.resolves;
        handoff.deliverables = said(self.deliverables);
        handoff.context = said(self.context);
        handoff.changes = said(self.changes);
        handoff.bundle = self.bundle;
        handoff.notes = self.notes;
    }

    /// Names what a receiver would look for and does not find (R002-36): the fields of R002-11 and
    /// R002-12. Next steps are recommended actions, and sealed artifacts say what was made.
    pub fn missing(&self) -> Vec<&'static str> {
        let Signal { deliverables, context, .. } = self;
        let said = [
            (
                "created_or_modified",
                !(deliverables.created_or_modified.is_empty() && self.artifacts.is_empty()),
            ),
            ("test_results", deliverables.test_results.is_some()),
            ("key_findings", !deliverables.key_findings.is_empty()),
            ("prerequisites_met", !context.prerequisites_met.is_empty()),
            ("known_issues", !context.known_issues.is_empty()),
            (
                "recommended_actions",
                !(context.recommended_actions.is_empty() && self.next_steps.is_empty()),
            ),
        ];
        said.into_iter().filter(|(_, there)| !there).map(|(field, _)| field).collect()
    }
}

/// Gives a part of a handoff, unless it says nothing.
fn said<T: Default + PartialEq>(part: T) -> Option<T> {
    (part != T::default()).then_some(part)
}

/// Reads a handoff in a form, or in the one that its content shows; gives what is wrong, with its
/// place and what to write instead.
pub fn read(bytes: &[u8], form: Option<Form>) -> Result<Signal, Vec<Problem>> {
    let plain = json::Plain::of(bytes);
    let mut signal = read_plain(plain.bytes(), form).map_err(|found| plain.restored(found))?;
    signal.settle();
    Ok(signal)
}

fn read_plain(bytes: &[u8], form: Option<Form>) -> Result<Signal, Vec<Problem>> {
    match form.map_or_else(|| form_of(bytes), Ok)? {
        Form::Yaml | Form::Json => runbook::read(bytes),
        Form::Message => message::read(bytes),
        Form::Markdown => signal::read(markdown::text_of(bytes)?),
        Form::Bundle => bundle::read(bytes),
    }
}

/// Tells the form of a handoff by its content.
fn form_of(bytes: &[u8]) -> Result<Form, Vec<Problem>> {
    if std::str::from_utf8(bytes).is_ok_and(signal::is_here) {
        return Ok(Form::Markdown);
    }
    let tree = crate::record::yaml::read(bytes)?;
    let has = |key: &str| tree.pair(key).is_some();
    match () {
        () if has("handoff") => Ok(Form::Yaml),
        () if has("message") => Ok(Form::Message),
        () if has("candidateId") || has("artifactPath") => Ok(Form::Bundle),
        () => {
            let help = "write `handoff:`, `message:`, the keys of a bundle or a Markdown heading \
                        `## Agent Handoff Signal`; `orch handoff export TASK` shows each";
            Err(vec![Problem::invalid(tree.span, "this holds no handoff".into(), help)])
        }
    }
}

/// Writes a handoff in the runbook's form (R000-32).
pub fn yaml(handoff: &Handoff) -> String {
    crate::record::plain_yaml(&runbook::spelled(handoff))
}

/// Gives a handoff in the runbook's form, as data.
pub fn json(handoff: &Handoff) -> serde_json::Value {
    serde_json::to_value(runbook::spelled(handoff)).expect("a handoff has text keys only")
}

/// Writes a handoff as a message that was sent at a moment (R000-27).
pub fn message(handoff: &Handoff, at: Moment) -> String {
    message::write(handoff, at)
}

/// Writes a handoff as Markdown (R002-9).
pub fn markdown(handoff: &Handoff) -> String {
    signal::write(handoff)
}

/// Writes a bundle, with exactly its own keys (R001-36).
pub fn bundle(bundle: &Bundle) -> String {
    crate::record::plain_yaml(bundle)
}

/// Reads one message, of any type (R000-27).
pub fn one_message(bytes: &[u8]) -> Result<Message, Vec<Problem>> {
    let plain = json::Plain::of(bytes);
    message::any(plain.bytes()).map_err(|found| plain.restored(found))
}

/// Makes a problem of this room.
fn problem(span: Span, message: impl Into<String>, help: impl Into<String>) -> Problem {
    Problem::invalid(span, message.into(), help)
}

#[cfg(test)]
mod tests;
