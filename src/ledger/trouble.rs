//! How runs fail, and what is in dispute.

use crate::record::Record;
use crate::record::kind::{Escalation, Failure, FailureClass, Run};
use crate::source::{Digest, Moment, RepoPath, TaskId};

/// How a run failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failed {
    /// Where the entry that says so stands in the ledger.
    pub sequence: u32,
    /// Why.
    pub failure: Failure,
    /// When.
    pub at: Moment,
    /// When it may be tried again at the earliest, as the entry says.
    pub retry_after: Option<Moment>,
    /// Digest of its lane's files then, if the entry says.
    pub lane_state: Option<Digest>,
    /// The policy that the entry was written under.
    pub policy: Option<Digest>,
}

/// One escalation.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Escalated {
    /// Where its entry stands in the ledger.
    pub sequence: u32,
    /// Its file.
    pub path: RepoPath,
    /// What it says.
    pub escalation: Escalation,
    /// When it was recorded.
    pub at: Moment,
}

impl Failed {
    /// Reads how a run failed from the entry that says so.
    pub(super) fn of(run: &Run, record: &Record) -> Self {
        let unexplained = || Failure {
            class: FailureClass::Deterministic,
            reason: "unknown".into(),
            message: None,
        };
        Failed {
            sequence: record.sequence(),
            failure: run.failure.clone().unwrap_or_else(unexplained),
            at: record.entry.recorded_at,
            retry_after: run.retry_after,
            lane_state: run.lane_state,
            policy: record.entry.policy,
        }
    }
}

impl Escalated {
    /// Gives the command with which a person settles it (R000-48 to R000-50).
    pub fn deciding(&self, task: &TaskId) -> String {
        let finding = if self.escalation.level == 2 { " --finding upheld|overturned" } else { "" };
        let sequence = self.sequence;
        format!(
            "orch decide --resolves {task}/{sequence}{finding} --title T --context C --decision D"
        )
    }
}
