//! What is told and kept where the way people work changes (R003-42, R003-43).

use serde::Deserialize;

use super::POLICY_PATH;
use crate::source::RepoPath;

/// Which files say how people work, beside the policy, and where a change of it is told.
#[derive(Debug, Clone, Default, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields, default)]
pub struct Process {
    /// The file that gets a line where the policy or a runbook changes.
    pub changelog: Option<RepoPath>,
    /// Files that say how people work. A decision that changes one, or the policy, keeps the digests of
    /// all of them.
    pub runbooks: Vec<RepoPath>,
}

impl Process {
    /// Tells whether a change of this file may be a change of how people work, that is to be told.
    pub fn is_told_of(&self, path: &RepoPath) -> bool {
        let asks = self.changelog.is_some() || !self.runbooks.is_empty();
        asks && (path.as_bytes() == POLICY_PATH.as_bytes() || self.runbooks.contains(path))
    }
}
