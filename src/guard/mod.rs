//! The straight line: from two states of a repository to a report.
//!
//! Policy, worlds and checks each have a room of their own; this file only joins them.

mod authority;
mod verification;

use std::sync::Arc;

use crate::checks;
use crate::diagnostic::{Finding, Place, Report, Severity};
use crate::policy::POLICY_PATH;
use crate::snapshot::{Fault, Occasion, Proposal, Repository, Side};
use crate::source::{CLOCK_TOLERANCE, Moment, RepoPath};
use crate::world::{self, Focus, Terms, World};

#[cfg(test)]
pub(crate) use verification::verify_by;
pub use verification::{Progress, verify};

/// Judges a proposal as of a moment; refuses with a fault if something can't be looked at.
///
/// `bootstrap` accepts the change that brings the first policy, which is then judged by itself.
pub fn guard(
    repository: &dyn Repository,
    proposal: &Proposal,
    at: Moment,
    bootstrap: bool,
) -> Result<Report, Fault> {
    if proposal.occasion == Occasion::Verification {
        return verify(repository, proposal, at, &|_| {});
    }
    let world = look(repository, proposal, at, bootstrap, Focus::Tasks(Vec::new()))?;
    on_time(&world)?;
    let mut report = checks::run(&world);
    if world.bootstrap {
        report.findings.push(bootstrapped());
        report.settle();
    }
    add_texts(repository, proposal, &mut report)?;
    Ok(report)
}

/// A machine whose clock is behind what has landed can tell no age and no wait (attack 102).
fn on_time(world: &World) -> Result<(), Fault> {
    let landed = world.ledgers.values().filter_map(|view| view.records[..view.agreed].last());
    let newest = landed.map(|record| record.entry.recorded_at).max();
    match newest.filter(|newest| newest.since(world.at) > CLOCK_TOLERANCE) {
        Some(newest) => Err(Fault::new(
            format!("it is {} here, and what was written at {newest} has landed", world.at),
            "set this machine's clock, or give a later moment with `--at`",
        )),
        None => Ok(()),
    }
}

/// Builds the world of a change under the policy that was agreed; `focus` names tasks to look at
/// though the change does not touch them.
pub fn look(
    repository: &dyn Repository,
    proposal: &Proposal,
    at: Moment,
    bootstrap: bool,
    focus: Focus,
) -> Result<World, Fault> {
    world::build(repository, proposal, terms(repository, proposal, at, bootstrap, focus)?)
}

/// Gives what a proposal is judged by.
fn terms(
    repository: &dyn Repository,
    proposal: &Proposal,
    at: Moment,
    bootstrap: bool,
    focus: Focus,
) -> Result<Terms, Fault> {
    let brings_first = is_bootstrap(repository, proposal)?;
    let agreed = authority_at(repository, proposal, bootstrap && brings_first)?;
    let again = proposal.occasion == Occasion::Verification;
    let policy = Arc::new(authority::policy(repository, agreed, again)?);
    let signers = authority::signers(repository, agreed)?;
    let policy_problems = authority::problems(repository, proposal)?;
    let bootstrap = brings_first;
    Ok(Terms { policy, signers, policy_problems, bootstrap, at, focus })
}

/// Gives where policy and keys are read: where they were agreed, never in the change under judgement
/// (attack 14). A branch from before the first policy takes it from the protected one that it merges.
fn authority_at(
    repository: &dyn Repository,
    proposal: &Proposal,
    bootstrap: bool,
) -> Result<Side, Fault> {
    if bootstrap || proposal.occasion == Occasion::Verification {
        return Ok(proposal.head);
    }
    let has_policy = |side| -> Result<bool, Fault> {
        Ok(repository.node(side, &RepoPath::from(POLICY_PATH))?.is_some())
    };
    if proposal.parents.is_empty() || has_policy(proposal.agreed)? {
        return Ok(proposal.agreed);
    }
    for parent in &proposal.parents {
        if has_policy(*parent)? {
            return Ok(*parent);
        }
    }
    Ok(proposal.agreed)
}

/// Tells whether this change brings the first policy.
fn is_bootstrap(repository: &dyn Repository, proposal: &Proposal) -> Result<bool, Fault> {
    let path = RepoPath::from(POLICY_PATH);
    let brings = proposal.changes.iter().any(|change| change.path == path && change.new.is_some());
    Ok(brings && repository.node(proposal.agreed, &path)?.is_none())
}

fn bootstrapped() -> Finding {
    Finding {
        check: "policy-change-undecided",
        severity: Severity::Warning,
        place: Place::file(RepoPath::from(POLICY_PATH)),
        message: "this change brings the first policy, and was judged by it".into(),
        help: "read it well: from the next change on, it is what was agreed".into(),
        task: None,
        related: Vec::new(),
    }
}

/// Reads the files that findings point into, for pictures and line numbers.
fn add_texts(
    repository: &dyn Repository,
    proposal: &Proposal,
    report: &mut Report,
) -> Result<(), Fault> {
    let places = report.findings.iter().flat_map(|finding| {
        std::iter::once(&finding.place).chain(finding.related.iter().map(|related| &related.place))
    });
    let paths: Vec<RepoPath> =
        places.filter(|place| place.span.is_some()).map(|place| place.path.clone()).collect();
    for path in paths {
        let node = match repository.node(proposal.head, &path)? {
            Some(node) => Some(node),
            None => repository.node(proposal.agreed, &path)?,
        };
        if let Some(node) = node {
            let text = String::from_utf8_lossy(&repository.read(node.oid)?).into_owned();
            report.texts.insert(path, text);
        }
    }
    Ok(())
}
