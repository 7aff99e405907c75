//! Whether the policy that is checked out may run its commands here: whoever fetches a branch to read it
//! has not agreed to what it says.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use super::Stop;
use super::context::View;
use crate::policy::{POLICY_PATH, Policy};
use crate::snapshot::{Fault, Oid, Repository as _, Side};
use crate::source::RepoPath;

/// Refuses to run any of the policy's commands if a protected branch of this clone has another policy.
pub(super) fn must_be_agreed(view: &View) -> Result<(), Stop> {
    let Some(branch) = agreed_elsewhere(view)? else { return Ok(()) };
    let help = "go to that branch with `git switch`; or read this policy, have a person decide on it, and \
                merge it there";
    Err(Stop::fault(disagreement(&branch), help))
}

/// Tells that none of the commands is run, and for which branch's sake.
pub(super) fn disagreement(branch: &str) -> String {
    format!(
        "the policy of this branch is not what `{branch}` has agreed on, so none of its commands is run"
    )
}

/// Gives a local branch whose policy is another than the one that is looked at, byte for byte. Only such
/// branches count as their own policy protects, and none whose policy protects the branch that is looked at
/// as well; none is given if one of them has the very policy.
pub(super) fn agreed_elsewhere(view: &View) -> Result<Option<String>, Fault> {
    let (repository, here) = (&view.repository, view.proposal.branch.as_deref());
    let path = RepoPath::from(POLICY_PATH);
    let at = |side| -> Result<Option<Oid>, Fault> {
        Ok(repository.node(side, &path)?.map(|node| node.oid))
    };
    let own = match at(view.proposal.agreed)? {
        Some(oid) => Some(oid),
        None => at(view.proposal.head)?,
    };
    let mut known: BTreeMap<Oid, Option<Arc<Policy>>> = BTreeMap::new();
    known.extend(own.map(|oid| (oid, Some(view.policy()))));
    let mut other = None;
    for branch in repository.branches()? {
        if branch.remote || Some(branch.name.as_str()) == here {
            continue;
        }
        let Some(oid) = at(Side::Commit(branch.tip))? else { continue };
        let policy = match known.entry(oid) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(free) => {
                let policy = Policy::parse(&repository.read(oid)?, &crate::checks::names());
                free.insert(policy.ok().map(Arc::new))
            }
        };
        let binds = policy.as_ref().is_some_and(|policy| {
            let covers_this = here.is_some_and(|here| policy.is_protected(here));
            policy.is_protected(&branch.name) && !covers_this
        });
        if binds && Some(oid) == own {
            return Ok(None);
        }
        other = other.or(Some(branch.name).filter(|_| binds));
    }
    Ok(other)
}
