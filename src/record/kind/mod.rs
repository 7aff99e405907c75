//! The kinds of record: plain data, strict, in reading order.

mod task;
mod work;
mod judgement;
mod incident;
mod decision;

pub use decision::{Decision, DecisionStatus, Finding, PathChange, Runbook};
pub use incident::{
    Halt, HaltTopic, Incident, IncidentStep, PlannedStep, Postmortem, StepRetry, StepStatus,
};
pub use judgement::{
    Approval, AuditReport, AuditRequest, AuditTest, Category, Condition, Escalation,
    FailureResponse, Gate, GateVerdict, Issue, IssueSeverity, Position, Quarantine, Urgency,
    Verdict,
};
pub use task::{
    Assignment, AssignmentReason, Block, Close, Outcome, Pause, PauseCause, Priority, Resume, Task,
    Unblock, Update,
};
pub use work::{
    Artifact, Bundle, Changes, Checkpoint, Context, Deliverables, Failure, FailureClass, Handoff,
    HandoffStatus, Message, MessageStatus, MessageType, Note, Rejection, RejectionReason, Run,
    RunStatus, TookOver,
};

use super::de;
use super::problem::{Problem, did_you_mean};
use super::yaml::Node;

macro_rules! kinds {
    ($($variant:ident = $word:literal;)*) => {
        /// What an entry says: one variant a kind.
        #[derive(Debug, Clone, PartialEq)]
        pub enum Payload {
            $(#[doc = concat!("A `", $word, "` entry.")] $variant($variant),)*
        }

        impl Payload {
            /// Every kind's word, as files and their first key spell it.
            pub const WORDS: &'static [&'static str] = &[$($word),*];

            /// Gives the kind's word.
            pub fn word(&self) -> &'static str {
                match self { $(Payload::$variant(_) => $word,)* }
            }

            /// Reads the payload of a kind; refuses an unknown kind and what does not fit it.
            pub(super) fn read(word: &str, node: &Node) -> Result<Self, Problem> {
                match word {
                    $($word => de::typed(node).map(Payload::$variant),)*
                    _ => Err(unknown_kind(word, node)),
                }
            }
        }

        impl serde::Serialize for Payload {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                match self { $(Payload::$variant(payload) => payload.serialize(serializer),)* }
            }
        }

        $(impl From<$variant> for Payload {
            fn from(payload: $variant) -> Self {
                Payload::$variant(payload)
            }
        })*

        /// Gives the JSON Schema of every payload, by its kind's word.
        #[cfg(test)]
        pub(crate) fn payload_schemas() -> Vec<(&'static str, schemars::Schema)> {
            vec![$(($word, schemars::schema_for!($variant))),*]
        }
    };
}

kinds! {
    Task = "task";
    Update = "update";
    Assignment = "assignment";
    Run = "run";
    Handoff = "handoff";
    Rejection = "rejection";
    Message = "message";
    Gate = "gate";
    AuditRequest = "audit_request";
    AuditReport = "audit_report";
    FailureResponse = "failure_response";
    Approval = "approval";
    Block = "block";
    Unblock = "unblock";
    Quarantine = "quarantine";
    Pause = "pause";
    Resume = "resume";
    Escalation = "escalation";
    Close = "close";
    Incident = "incident";
    IncidentStep = "incident_step";
    Postmortem = "postmortem";
    Halt = "halt";
    Decision = "decision";
}

fn unknown_kind(word: &str, node: &Node) -> Problem {
    let help = match did_you_mean(word, Payload::WORDS.iter().copied()) {
        Some(nearest) => format!("did you mean `{nearest}`?"),
        None => format!("the kinds are {}", Payload::WORDS.join(", ")),
    };
    Problem::invalid(node.span, format!("unknown kind of record `{word}`"), help)
}
