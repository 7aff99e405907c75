//! The program, asked about a replayed history.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::Real;

/// As of when everything is judged: an hour after the tasks were opened.
pub(super) const AT: &str = "2025-01-01T15:00:00Z";

impl Real {
    /// Runs orch in the replayed repository. Gives how long it took, its exit code and its JSON.
    pub(super) fn program(&self, arguments: &[&str]) -> (Duration, Option<i32>, Value) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_orch"));
        command.args(arguments).args(["--format", "json", "--at", AT]);
        command.env_clear().envs(self.repo.variables()).current_dir(self.repo.path());
        let started = Instant::now();
        let output = command.output().unwrap();
        let took = started.elapsed();
        let printed = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| {
            Value::String(String::from_utf8_lossy(&output.stderr).into_owned())
        });
        (took, output.status.code(), printed)
    }

    /// Runs the guard on a range as if it were a branch's. Gives the exit code, what was found as
    /// check and path, and everything it printed.
    pub(super) fn guard(&self, base: &str, head: &str, branch: &str) -> Verdict {
        let arguments = ["guard", "--base", base, "--head", head, "--branch", branch];
        let (_, code, printed) = self.program(&arguments);
        let text = |found: &Value, field: &str| found[field].as_str().unwrap_or("").to_owned();
        let findings = printed["findings"].as_array().into_iter().flatten();
        let found = findings.map(|found| (text(found, "check"), text(found, "path"))).collect();
        Verdict { code, found, printed }
    }
}

/// What the guard said.
pub(super) struct Verdict {
    pub(super) code: Option<i32>,
    /// Each finding's check and path.
    pub(super) found: BTreeSet<(String, String)>,
    pub(super) printed: Value,
}

impl Verdict {
    /// Tells whether nothing at all is found.
    pub(super) fn is_clean(&self) -> bool {
        self.code == Some(0) && self.found.is_empty()
    }

    /// Tells whether it refuses, by this check and by no other.
    pub(super) fn is_only(&self, check: &str) -> bool {
        self.code == Some(1)
            && !self.found.is_empty()
            && self.found.iter().all(|(name, _)| name == check)
    }
}
