//! What other branches and worktrees know of a task beyond what is here: nobody should begin what
//! goes on there already (design, hard case 10).

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

/// Gives the tasks that are further elsewhere; of one that is further in several places, the
/// furthest. `only` asks for one task.
pub(super) fn ahead(
    context: &Context,
    view: &View,
    only: Option<&TaskId>,
) -> Result<BTreeMap<TaskId, Ahead>, Stop> {
    let repository = &view.repository;
    let head = repository.head_commit()?;
    let here = head.map_or(Side::Nothing, Side::Commit);
    let mut found = BTreeMap::new();
    let mut tips = vec![];
    for branch in repository.branches()? {
        if Some(branch.tip) == head || tips.contains(&branch.tip) {
            continue;
        }
        tips.push(branch.tip);
        let there = (repository, Side::Commit(branch.tip));
        let place = format!("branch `{}`", branch.name);
        let name = branch.name.split_once('/').filter(|_| branch.remote);
        let command = format!("git switch {}", name.map_or(&*branch.name, |(_, name)| name));
        collect(&view.world, here, there, only, (place, command), &mut found)?;
    }
    for folder in other_worktrees(repository)? {
        // A worktree whose folder is gone has nothing staged.
        let Ok(other) = context.repository_at(&folder) else { continue };
        let place = format!("the worktree {}", folder.display());
        let command = format!("cd {}", folder.display());
        collect(&view.world, here, (&other, Side::Index), only, (place, command), &mut found)?;
    }
    Ok(found)
}

fn other_worktrees(repository: &GitRepository) -> Result<Vec<PathBuf>, Fault> {
    if !repository.common_dir().join("worktrees").is_dir() {
        return Ok(Vec::new());
    }
    let listed = repository.run_git(&["worktree", "list", "--porcelain"])?;
    let folders = listed.lines().filter_map(|line| line.strip_prefix("worktree "));
    let own = repository.work_dir().and_then(|folder| folder.canonicalize().ok());
    let folders = folders.map(PathBuf::from);
    Ok(folders.filter(|folder| folder.canonicalize().ok() != own).collect())
}

fn collect(
    world: &World,
    here: Side,
    (repository, there): (&GitRepository, Side),
    only: Option<&TaskId>,
    (place, command): (String, String),
    found: &mut BTreeMap<TaskId, Ahead>,
) -> Result<(), Fault> {
    let shelf = RepoPath::from(".orch/tasks");
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
