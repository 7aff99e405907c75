//! What somebody should hear of, as it stands where work has landed, and where that goes.

use std::sync::Arc;

use crate::cli::Stop;
use crate::cli::context::{Context, readable_policy};
use crate::cli::output::complain;
use crate::ops::{self, Alert, Routes};
use crate::policy::Policy;
use crate::snapshot::{Fault, GitRepository, Side};
use crate::world::Focus;
use crate::{checks, guard};

/// Gives everything that somebody should hear of, at a commit; where none is named, at a protected
/// branch, so that it is the same from whatever branch it is asked for.
pub(super) fn look(
    context: &Context,
    repository: &GitRepository,
    rev: Option<&str>,
) -> Result<(Arc<Policy>, Vec<Alert>), Stop> {
    let rev = rev.map_or_else(|| landed(repository), |rev| Ok(rev.to_owned()))?;
    let proposal = repository.standing(&rev)?;
    let world = guard::look(repository, &proposal, context.at(), false, Focus::Open)?;
    let mut findings = checks::run(&world).findings;
    // What was handed over and changed since is found by looking at the whole tree.
    let tree = repository.verification(&rev, Some(&rev))?;
    findings.extend(guard::guard(repository, &tree, context.at(), false)?.findings);
    let alerts = ops::noticed(&world, &findings, context.at());
    Ok((world.policy, alerts))
}

/// Gives where work has landed, as far as that is known here: HEAD on a protected branch and where there
/// is none, else such a branch, here before at a remote.
fn landed(repository: &GitRepository) -> Result<String, Fault> {
    let head = || "HEAD".to_owned();
    let Some(commit) = repository.head_commit()? else { return Ok(head()) };
    let Some(policy) = readable_policy(repository, Side::Commit(commit))? else {
        return Ok(head());
    };
    if repository.current_branch()?.is_some_and(|branch| policy.is_protected(&branch)) {
        return Ok(head());
    }
    let branches = repository.branches()?;
    let here = branches.iter().filter(|branch| !branch.remote && policy.is_protected(&branch.name));
    let here = here.map(|branch| format!("refs/heads/{}", branch.name)).next();
    let there = || {
        let mut there = branches.iter().filter(|branch| branch.remote);
        let protected =
            |name: &str| name.split_once('/').is_some_and(|(_, n)| policy.is_protected(n));
        let found = there.find(|branch| protected(&branch.name));
        found.map(|branch| format!("refs/remotes/{}", branch.name))
    };
    Ok(here.or_else(there).unwrap_or_else(head))
}

/// Gives the ways that alerts go here, and says which variables say nothing.
pub(super) fn routes(policy: &Policy) -> Routes {
    let variables = std::env::vars_os()
        .filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok())));
    let checks = checks::names();
    let own: Vec<&str> = checks.iter().map(|(name, _)| *name).chain([ops::INCIDENT]).collect();
    let routes = Routes::of(&policy.alerts, &variables.collect(), &own);
    routes.strange.iter().for_each(complain);
    routes
}
