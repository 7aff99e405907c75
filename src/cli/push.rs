//! What a push would change: as the one who pushes sees it, and as the server does.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::BufRead as _;

use super::Stop;
use super::claim::claim_at;
use super::context::{protected_tips, readable_policy, variable};
use super::output::complain;
use crate::ledger::CLAIMS;
use crate::policy::{POLICY_PATH, Policy};
use crate::snapshot::{Fault, GitRepository, Oid, Proposal, Repository as _, Side};
use crate::source::RepoPath;

/// One branch that a push would change.
struct Update {
    branch: String,
    before: Option<Oid>,
    after: Option<Oid>,
}

/// Reads the lines that Git gives a hook.
fn told() -> Result<Vec<String>, Fault> {
    let lines: std::io::Result<Vec<String>> = std::io::stdin().lock().lines().collect();
    lines.map_err(|error| {
        Fault::new(format!("standard input can't be read: {error}"), "let Git run the hook")
    })
}

/// Gives the line that Git gave its pre-push hook, where pre-commit or prek read it and told what it said in
/// variables: without them, all that is pushed would pass unseen.
fn told_by_manager() -> Option<String> {
    let word = |name: &str| variable(&format!("PRE_COMMIT_{name}"));
    let (local, after) = (word("LOCAL_BRANCH")?, word("TO_REF")?);
    let (remote, before) = (word("REMOTE_BRANCH")?, word("FROM_REF")?);
    Some(format!("{local} {after} {remote} {before}"))
}

/// Takes such lines apart, one for each ref, as `pick` does. Tags and other refs
/// bring nothing onto a branch, and are left out; where claims stand, nothing else may.
fn updates(
    repository: &GitRepository,
    hook: &str,
    lines: impl IntoIterator<Item = String>,
    pick: impl Fn(&[&str]) -> Option<[String; 3]>,
) -> Result<Vec<Update>, Stop> {
    let mut updates = Vec::new();
    for line in lines {
        // Git says nothing if everything is up to date, and a hook before ours may pass that on.
        if line.trim().is_empty() {
            continue;
        }
        let fields: Vec<&str> = line.split_whitespace().collect();
        let Some([before, after, name]) = pick(&fields) else {
            let help = format!("`--{hook}` reads what Git gives its {hook} hook");
            return Err(Stop::fault(format!("`{line}` is no line of a {hook} hook"), help));
        };
        if let Some(task) = name.strip_prefix(CLAIMS) {
            refuse_other_than_claim(repository, task, &after)?;
        }
        let Some(branch) = name.strip_prefix("refs/heads/") else { continue };
        let (Some(before), Some(after)) = (Oid::from_hex(&before), Oid::from_hex(&after)) else {
            return Err(Stop::fault(format!("`{line}` names no commits"), "let Git run the hook"));
        };
        let [before, after] = [before, after].map(|id| Some(id).filter(|id| !id.is_null()));
        updates.push(Update { branch: branch.to_owned(), before, after });
    }
    Ok(updates)
}

/// Lets a claim pass, which is no proposal, and its end. Whatever else stands in its place is refused: a
/// tree of files has nothing to do there.
fn refuse_other_than_claim(
    repository: &GitRepository,
    task: &str,
    after: &str,
) -> Result<(), Stop> {
    let Some(after) = Oid::from_hex(after).filter(|id| !id.is_null()) else { return Ok(()) };
    let claim = claim_at(repository, task, after);
    if claim.is_some() && repository.changes(Side::Nothing, Side::Commit(after))?.is_empty() {
        return Ok(());
    }
    let help = "claim with `orch run start TASK --claim`, and push files to a branch";
    Err(Stop::denied(format!("{CLAIMS}{task} would hold no claim on `{task}`"), help))
}

/// Gives a proposal for each branch that a push from here would change.
pub(super) fn pushed(
    repository: &GitRepository,
    remote: Option<&str>,
) -> Result<Vec<Proposal>, Stop> {
    let pick = |fields: &[&str]| match fields {
        [_, local, name, remote] => Some([*remote, *local, *name].map(str::to_owned)),
        _ => None,
    };
    let mut lines = told()?;
    if lines.is_empty() {
        lines.extend(told_by_manager());
    }
    let mut proposals = Vec::new();
    for Update { branch, before, after } in updates(repository, "pre-push", lines, pick)? {
        if let Some(unknown) = before.filter(|id| repository.commit_meta(*id).is_err()) {
            let message = format!("the remote's `{branch}` is at {unknown}, which is not here");
            return Err(Stop::fault(message, "take in what others pushed first: `git pull`"));
        }
        let protected = is_protected(repository, before, &branch)?;
        if protected {
            refuse_loss(repository, before, after, &branch)?;
        }
        let base = match before {
            Some(before) if protected => Some(before),
            _ => protected_tip(repository, remote)?.or(before),
        };
        if let (Some(base), Some(after)) = (base, after) {
            let (base, after) = (base.to_string(), after.to_string());
            proposals.push(repository.range(&base, &after, Some(branch))?);
        }
    }
    Ok(proposals)
}

/// Gives a proposal for each branch that a push to this repository would change, whose objects lie
/// in Git's quarantine. A protected branch is judged from where it stands; any other from the
/// protected one, as it stands before the push; and the very first from nothing.
pub(super) fn received(repository: &GitRepository) -> Result<Vec<Proposal>, Stop> {
    let pick = |fields: &[&str]| match fields {
        [before, after, name] => Some([*before, *after, *name].map(str::to_owned)),
        _ => None,
    };
    let mut policies = Policies { repository, read: BTreeMap::new() };
    let agreed = policies.agreed_tip()?;
    let mut proposals = Vec::new();
    for Update { branch, before, after } in updates(repository, "pre-receive", told()?, pick)? {
        let mut protected = false;
        for commit in [before, agreed].into_iter().flatten() {
            protected |= policies.protects(commit, &branch)?;
        }
        if protected {
            refuse_loss(repository, before, after, &branch)?;
        }
        let base = if protected { before.or(agreed) } else { agreed.or(before) };
        proposals.extend(match (base, after) {
            (_, None) => None,
            (Some(base), Some(after)) => {
                let (base, after) = (base.to_string(), after.to_string());
                Some(repository.range(&base, &after, Some(branch))?)
            }
            (None, Some(after)) => Some(repository.beginning(after, Some(branch))?),
        });
    }
    Ok(proposals)
}

/// Policies by their blobs: branches that share one, as most do, share its reading, which costs more
/// than all else that is asked of them.
struct Policies<'r> {
    repository: &'r GitRepository,
    read: BTreeMap<Oid, Option<Policy>>,
}

impl Policies<'_> {
    /// Tells whether the policy of a commit protects a branch.
    fn protects(&mut self, commit: Oid, branch: &str) -> Result<bool, Fault> {
        let side = Side::Commit(commit);
        let Some(node) = self.repository.node(side, &RepoPath::from(POLICY_PATH))? else {
            return Ok(false);
        };
        if let Entry::Vacant(place) = self.read.entry(node.oid) {
            place.insert(readable_policy(self.repository, side)?);
        }
        let policy = self.read.get(&node.oid).and_then(Option::as_ref);
        Ok(policy.is_some_and(|policy| policy.is_protected(branch)))
    }

    /// Gives where the server's protected branch stands before the push: of the branches that protect
    /// themselves by their own policy, the one that HEAD names, else the first by name.
    fn agreed_tip(&mut self) -> Result<Option<Oid>, Fault> {
        let current = self.repository.current_branch()?;
        let mut branches = self.repository.branches()?;
        branches.retain(|branch| !branch.remote);
        branches.sort_by_key(|branch| Some(&branch.name) != current.as_ref());
        for branch in branches {
            if self.protects(branch.tip, &branch.name)? {
                return Ok(Some(branch.tip));
            }
        }
        Ok(None)
    }
}

/// Asks the policy that the remote has, and the one here: either may protect a branch.
fn is_protected(
    repository: &GitRepository,
    before: Option<Oid>,
    branch: &str,
) -> Result<bool, Fault> {
    // What the remote has may not have been fetched; then the policy here speaks alone.
    let there = before.and_then(|id| readable_policy(repository, Side::Commit(id)).ok()).flatten();
    let here = readable_policy(repository, head_side(repository)?)?;
    Ok([there, here].iter().flatten().any(|policy| policy.is_protected(branch)))
}

/// A protected branch is never deleted or rewritten (attack 67).
fn refuse_loss(
    repository: &GitRepository,
    before: Option<Oid>,
    after: Option<Oid>,
    branch: &str,
) -> Result<(), Stop> {
    let verb = match (before, after) {
        (_, None) => "delete",
        (Some(before), Some(after)) if !repository.is_ancestor(before, after)? => "rewrite",
        _ => return Ok(()),
    };
    complain(format!("branch-protected: this push would {verb} the protected branch {branch}"));
    Err(Stop::Refused)
}

fn head_side(repository: &GitRepository) -> Result<Side, Fault> {
    Ok(repository.head_commit()?.map_or(Side::Nothing, Side::Commit))
}

/// Gives what a branch of one's own is judged against, as CI will: the protected branch as the
/// remote was last seen to have it, else as it is here. Earlier pushes of it were agreed by nobody.
pub(super) fn protected_tip(
    repository: &GitRepository,
    remote: Option<&str>,
) -> Result<Option<Oid>, Fault> {
    let tips = protected_tips(repository, head_side(repository)?)?;
    let prefix = format!("{}/", remote.unwrap_or("origin"));
    let branches = repository.branches()?;
    let mut protected: Vec<_> =
        branches.iter().filter(|branch| tips.contains(&branch.tip)).collect();
    protected.sort_by_key(|branch| !(branch.remote && branch.name.starts_with(&prefix)));
    Ok(protected.first().map(|branch| branch.tip))
}
