//! What a change does to the way people work, as far as the policy asks to be told (R003-42, R003-43).

use std::collections::BTreeSet;

use super::document;
use crate::policy::{POLICY_PATH, Policy};
use crate::snapshot::{Change, Fault, Mode, Node, Occasion, Proposal, Repository, Side};
use crate::source::{Digest, RepoPath};

/// A change of the way people work.
#[derive(Debug, Default)]
pub struct Process {
    /// The policy, if it says something else than before, and the runbooks that change.
    pub altered: Vec<RepoPath>,
    /// Whether the policy's changelog gets a line with it.
    pub logged: bool,
    /// What every runbook then holds, but for those that the change removes; none if no file is there.
    pub runbooks: Vec<(RepoPath, Option<Digest>)>,
}

/// Reads what a proposal does to the way people work; nothing is altered where nobody asks.
pub(super) fn read(
    repository: &dyn Repository,
    proposal: &Proposal,
    policy: &Policy,
) -> Result<Process, Fault> {
    if proposal.occasion == Occasion::Verification {
        return Ok(Process::default());
    }
    let mut altered = Vec::new();
    for change in proposal.changes.iter().filter(|change| policy.process.is_told_of(&change.path)) {
        if says_something_else(repository, change)? {
            altered.push(change.path.clone());
        }
    }
    if altered.is_empty() {
        return Ok(Process::default());
    }
    let mut runbooks = Vec::new();
    for path in &policy.process.runbooks {
        // One that goes with the change is told by that.
        if altered.contains(path) && repository.node(proposal.head, path)?.is_none() {
            continue;
        }
        let text = file(repository, proposal.head, path)?;
        runbooks.push((path.clone(), text.map(|text| Digest::of(&text))));
    }
    let logged = match &policy.process.changelog {
        Some(path) => gains_a_line(repository, proposal, path)?,
        None => false,
    };
    Ok(Process { altered, logged, runbooks })
}

/// A policy that only differs in its comments and its layout asks nobody to work otherwise.
fn says_something_else(repository: &dyn Repository, change: &Change) -> Result<bool, Fault> {
    if change.path.as_bytes() != POLICY_PATH.as_bytes() {
        return Ok(true);
    }
    let said = |node: Option<Node>| -> Result<_, Fault> {
        let bytes = node.map(|node| repository.read(node.oid)).transpose()?;
        Ok(bytes.and_then(|bytes| document(&change.path, &bytes)))
    };
    let (old, new) = (said(change.old)?, said(change.new)?);
    Ok(old.is_none() || old != new)
}

/// Tells whether a file has a line that it had not where things are agreed.
fn gains_a_line(
    repository: &dyn Repository,
    proposal: &Proposal,
    path: &RepoPath,
) -> Result<bool, Fault> {
    let text = |side: Side| -> Result<String, Fault> {
        let bytes = file(repository, side, path)?.unwrap_or_default();
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    };
    let (agreed, head) = (text(proposal.agreed)?, text(proposal.head)?);
    let known: BTreeSet<&str> = agreed.lines().map(str::trim).collect();
    let says = |line: &&str| line.chars().any(char::is_alphanumeric);
    Ok(head.lines().map(str::trim).filter(says).any(|line| !known.contains(line)))
}

/// Gives what a plain file holds; none if nothing stands there, or something else.
fn file(
    repository: &dyn Repository,
    side: Side,
    path: &RepoPath,
) -> Result<Option<Vec<u8>>, Fault> {
    let node = repository.node(side, path)?;
    let node = node.filter(|node| matches!(node.mode, Mode::File | Mode::Executable));
    node.map(|node| repository.read(node.oid)).transpose()
}
