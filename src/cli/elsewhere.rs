//! What other branches and worktrees know of a task beyond what is here: nobody should begin what
//! goes on there already.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Stop;
use super::context::{Context, View};
use crate::ledger::State;
use crate::record::{Home, Record, RecordPath};
use crate::snapshot::{Fault, GitRepository, Repository, Side};
use crate::source::{RepoPath, TaskId};
use crate::world::{World, ledger_at};

/// A task's ledger as it goes on elsewhere from where it ends here.
pub(super) struct Ahead {
    /// The branch, or the folder of the worktree, in words.
    pub(super) place: String,
    /// What to type to go there.
    pub(super) command: String,
    /// The last entry there.
    pub(super) last: Record,
    /// Where the task stands there.
    pub(super) state: State,
}

/// Gives a task that is further on a protected branch, here or as a remote was last seen: whatever is
/// written behind what is here would fork its ledger.
pub(super) fn landed_ahead(view: &View, id: &TaskId) -> Result<Option<Ahead>, Stop> {
    let policy = view.policy();
    // What has landed is merged; which worktree holds its branch does not matter.
    let mut found = further(view, Some(id), &[], |name| policy.is_protected(name))?;
    Ok(found.remove(id))
}

/// Gives the tasks that are further elsewhere; of one that is further in several places, the
/// furthest. `only` asks for one task.
pub(super) fn ahead(
    context: &Context,
    view: &View,
    only: Option<&TaskId>,
) -> Result<BTreeMap<TaskId, Ahead>, Stop> {
    let worktrees = other_worktrees(&view.repository)?;
    let mut found = further(view, only, &worktrees, |_| true)?;
    let here = view.repository.head_commit()?.map_or(Side::Nothing, Side::Commit);
    for (folder, _) in &worktrees {
        // A worktree whose folder is gone has nothing staged.
        let Ok(other) = context.repository_at(folder) else { continue };
        let place = format!("the worktree {}", folder.display());
        let command = format!("cd {}", folder.display());
        collect(&view.world, here, (&other, Side::Index), only, (place, command), &mut found)?;
    }
    Ok(found)
}

/// Looks at the branches that `pick` takes, by their names without a remote's.
fn further(
    view: &View,
    only: Option<&TaskId>,
    worktrees: &[Worktree],
    pick: impl Fn(&str) -> bool,
) -> Result<BTreeMap<TaskId, Ahead>, Stop> {
    let repository = &view.repository;
    let head = repository.head_commit()?;
    let here = head.map_or(Side::Nothing, Side::Commit);
    let mut found = BTreeMap::new();
    let current = repository.current_branch()?;
    let mut tips = vec![];
    for branch in repository.branches()? {
        let short = branch.name.split_once('/').filter(|_| branch.remote);
        let name = short.map_or(&*branch.name, |(_, name)| name);
        if Some(branch.tip) == head || tips.contains(&branch.tip) || !pick(name) {
            continue;
        }
        tips.push(branch.tip);
        let there = (repository, Side::Commit(branch.tip));
        let place = format!("branch `{}`", branch.name);
        let held = worktrees.iter().find(|(_, held)| held.as_deref() == Some(name));
        let command = match held {
            _ if current.as_deref() == Some(name) || view.world.policy.is_protected(name) => {
                // What has landed is brought here, not gone to.
                format!("git merge {}", branch.name)
            }
            Some((folder, _)) => format!("cd {}", folder.display()),
            None => format!("git switch {name}"),
        };
        collect(&view.world, here, there, only, (place, command), &mut found)?;
    }
    Ok(found)
}

/// The folder of a worktree, and the branch that it holds.
type Worktree = (PathBuf, Option<String>);

/// Gives the other worktrees of this repository.
fn other_worktrees(repository: &GitRepository) -> Result<Vec<Worktree>, Fault> {
    if !repository.common_dir().join("worktrees").is_dir() {
        return Ok(Vec::new());
    }
    let listed = repository.run_git(&["worktree", "list", "--porcelain"])?;
    let own = repository.work_dir().and_then(|folder| folder.canonicalize().ok());
    let worktrees = listed.split("\n\n").filter_map(|told| {
        let line = |word: &str| told.lines().find_map(|line| line.strip_prefix(word));
        let branch = line("branch refs/heads/").map(str::to_owned);
        Some((PathBuf::from(line("worktree ")?), branch))
    });
    Ok(worktrees.filter(|(folder, _)| folder.canonicalize().ok() != own).collect())
}

fn collect(
    world: &World,
    here: Side,
    (repository, there): (&GitRepository, Side),
    only: Option<&TaskId>,
    (place, command): (String, String),
    found: &mut BTreeMap<TaskId, Ahead>,
) -> Result<(), Fault> {
    // Of one task that is known, only its folder is compared.
    let known = only.and_then(|id| world.survey.folders.get(id.as_str()));
    let shelf = known.unwrap_or_else(|| RepoPath::from(".orch/tasks"));
    let mut folders: BTreeMap<TaskId, RepoPath> = BTreeMap::new();
    for change in repository.changes_below(here, there, &shelf)? {
        let added = change.old.is_none().then(|| RecordPath::parse(&change.path).ok()).flatten();
        if let Some(RecordPath { home: Home::Task(id), path, .. }) = added
            && only.is_none_or(|only| *only == id)
        {
            folders.insert(id, path.folder());
        }
    }
    for (id, folder) in folders {
        let records = ledger_at(repository, there, &folder)?;
        let known = world.ledgers.get(&Home::Task(id.clone()));
        let known = known.map(|ledger| &ledger.records[..]).unwrap_or_default();
        let goes_on = records.len() > known.len()
            && known.iter().zip(&records).all(|(a, b)| a.digest == b.digest);
        let further = found.get(&id).is_none_or(|f| f.last.sequence() < records.len() as u32);
        let state = records.iter().fold(None, State::after);
        if let (true, true, Some(state), Some(last)) =
            (goes_on, further, state, records.into_iter().last())
        {
            let (place, command) = (place.clone(), command.clone());
            found.insert(id, Ahead { place, command, last, state });
        }
    }
    Ok(())
}
