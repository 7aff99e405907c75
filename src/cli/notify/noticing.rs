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

/// What somebody should hear of.
pub(super) struct Seen {
    /// The policy.
    pub(super) policy: Arc<Policy>,
    /// The alerts.
    pub(super) alerts: Vec<Alert>,
    /// Whether these are all, where work has landed: then what is missing is over.
    pub(super) landed: bool,
}

impl Seen {
    /// Gives no alerts, and says nothing of what is over.
    pub(super) fn nothing(policy: Arc<Policy>) -> Self {
        Seen { policy, alerts: Vec::new(), landed: false }
    }
}

/// Gives everything that somebody should hear of, at a commit; where none is named, at a protected
/// branch, so that it is the same from whatever branch it is asked for.
pub(super) fn look(
    context: &Context,
    repository: &GitRepository,
    rev: Option<&str>,
) -> Result<Seen, Stop> {
    let (tip, known) = tip(repository)?;
    let landed = match rev {
        // An older commit, or another branch, can't tell what is over.
        Some(rev) => known && repository.resolve(rev)? == repository.resolve(&tip)?,
        None => known,
    };
    let rev = rev.map_or(tip, str::to_owned);
    let proposal = repository.standing(&rev)?;
    let world = guard::look(repository, &proposal, context.at(), false, Focus::Open)?;
    let mut findings = checks::run(&world).findings;
    // What was handed over and changed since is found by looking at the whole tree.
    let tree = repository.verification(&rev, Some(&rev))?;
    findings.extend(guard::guard(repository, &tree, context.at(), false)?.findings);
    let alerts = ops::noticed(&world, &findings, context.at());
    Ok(Seen { policy: world.policy, alerts, landed })
}

/// Gives where work has landed, as far as that is known here, and whether it is: HEAD on a protected
/// branch, else such a branch, here before at a remote; HEAD where there is none, which may be anywhere.
fn tip(repository: &GitRepository) -> Result<(String, bool), Fault> {
    let head = |known| ("HEAD".to_owned(), known);
    let Some(commit) = repository.head_commit()? else { return Ok(head(false)) };
    let Some(policy) = readable_policy(repository, Side::Commit(commit))? else {
        return Ok(head(false));
    };
    if repository.current_branch()?.is_some_and(|branch| policy.is_protected(&branch)) {
        return Ok(head(true));
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
    let found = here.or_else(there).map(|branch| (branch, true));
    Ok(found.unwrap_or_else(|| head(false)))
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
