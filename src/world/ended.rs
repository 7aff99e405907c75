//! The tasks that have ended, as a list tells them; kept under `.git/orch/cache`.
//!
//! A ledger that was closed never changes again, so that what it sums up to is kept by the name of its
//! folder's tree, month by month. It is believed only if it names the tree that is there now.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{World, kept, many};
use crate::ledger::{State, Summary};
use crate::record::{Home, TASKS};
use crate::snapshot::{Fault, Oid, Repository, Side};
use crate::source::{RepoPath, TaskId};

/// What is kept is of this kind, by this version of the program.
const KIND: &str = concat!("orch-ended 1 ", env!("CARGO_PKG_VERSION"));

/// The tasks of one month that have ended, by the names of their folders, with the trees of these.
type Kept = BTreeMap<String, (String, Summary)>;

/// A month whose tasks are asked for.
struct Shelf<'w> {
    folder: &'w RepoPath,
    tree: Option<Oid>,
    /// Whether what was kept is all there is to keep.
    same: bool,
    known: Kept,
    /// The names of those that nothing is kept of.
    missing: Vec<&'w str>,
}

/// Gives what every task comes to that is not open at a side and that a world does not hold.
///
/// Gives nothing if one of them has not ended after all, which only its whole ledger can tell: then
/// the world must be asked for all of them.
pub fn ended(
    repository: &dyn Repository,
    side: Side,
    world: &World,
) -> Result<Option<Vec<Summary>>, Fault> {
    let trees: HashMap<String, Option<Oid>> =
        repository.trees(side, &RepoPath::from(TASKS))?.into_iter().collect();
    let mut found = Vec::new();
    let mut shelves = Vec::new();
    for (folder, names) in wanted(world) {
        let name = folder.file_name().to_string();
        let tree = trees.get(&name).copied().flatten();
        let (known, same) = recall(repository, side, folder, tree)?;
        let mut missing = Vec::new();
        for name in names {
            match known.get(name) {
                Some((_, summary)) => found.push(summary.clone()),
                None => missing.push(name),
            }
        }
        if !missing.is_empty() || !same {
            shelves.push(Shelf { folder, tree, same, known, missing });
        }
    }
    let folders: Vec<RepoPath> = shelves
        .iter()
        .flat_map(|shelf| shelf.missing.iter().map(|name| shelf.folder.join(name)))
        .collect();
    let read = many::read(repository, side, &folders, |files| {
        let state = files.records.iter().fold(None, State::after);
        state.as_ref().map(Summary::of)
    })?;
    let mut read = read.into_iter();
    for mut shelf in shelves {
        let made: Vec<Option<Summary>> = read.by_ref().take(shelf.missing.len()).collect();
        found.extend(made.iter().flatten().cloned());
        keep(repository, side, &mut shelf, made)?;
    }
    let whole = found.iter().all(|summary| summary.closed.is_some());
    Ok(whole.then_some(found))
}

/// Gives the names of the folders that hold such tasks, by month; of one id in several months, the
/// latest counts.
fn wanted(world: &World) -> BTreeMap<&RepoPath, Vec<&str>> {
    let held = world.ledgers.keys().filter_map(|home| match home {
        Home::Task(id) => Some(id.as_str()),
        _ => None,
    });
    let open = world.survey.open.iter().map(TaskId::as_str);
    let others: BTreeSet<&str> = held.chain(open).collect();
    let mut last: HashMap<String, (&RepoPath, &str)> = HashMap::new();
    for (folder, names) in world.survey.folders.shelves() {
        last.extend(names.map(|name| (name.to_ascii_lowercase(), (folder, name))));
    }
    let mut wanted: BTreeMap<&RepoPath, Vec<&str>> = BTreeMap::new();
    for (folder, name) in last.into_values() {
        if name.parse::<TaskId>().is_ok() && !others.contains(name) {
            wanted.entry(folder).or_default().push(name);
        }
    }
    wanted
}

fn place(folder: &RepoPath) -> String {
    format!("ended/{}", folder.file_name())
}

/// Gives what is kept of a month and still holds, and whether it is of the month as it is now.
fn recall(
    repository: &dyn Repository,
    side: Side,
    folder: &RepoPath,
    tree: Option<Oid>,
) -> Result<(Kept, bool), Fault> {
    let Some(tree) = tree else { return Ok((Kept::new(), true)) };
    let bytes = repository.recall(&place(folder)).unwrap_or_default();
    let kept = kept::read(KIND, &bytes);
    let parsed = kept.and_then(|(of, body)| Some((of, serde_json::from_str(body).ok()?)));
    let (of, mut known): (Oid, Kept) = match parsed {
        Some(parsed) => parsed,
        None => return Ok((Kept::new(), false)),
    };
    if of != tree {
        let now: BTreeMap<String, String> = trees(repository, side, folder)?;
        known.retain(|name, (tree, _)| now.get(name) == Some(tree));
    }
    Ok((known, of == tree))
}

fn trees(
    repository: &dyn Repository,
    side: Side,
    folder: &RepoPath,
) -> Result<BTreeMap<String, String>, Fault> {
    let trees = repository.trees(side, folder)?.into_iter();
    Ok(trees.filter_map(|(name, tree)| Some((name, tree?.to_string()))).collect())
}

/// Keeps what is known of a month, if there is more of it than before and it reads back as it is.
fn keep(
    repository: &dyn Repository,
    side: Side,
    shelf: &mut Shelf<'_>,
    made: Vec<Option<Summary>>,
) -> Result<(), Fault> {
    let Some(tree) = shelf.tree else { return Ok(()) };
    let mut now = trees(repository, side, shelf.folder)?;
    let mut more = !shelf.same;
    for (name, summary) in shelf.missing.iter().zip(made) {
        let ended = summary.filter(|summary| summary.closed.is_some());
        if let (Some(summary), Some(tree)) = (ended, now.remove(*name)) {
            shelf.known.insert((*name).to_owned(), (tree, summary));
            more = true;
        }
    }
    let body = serde_json::to_string(&shelf.known).unwrap_or_default();
    if more && serde_json::from_str::<Kept>(&body).is_ok_and(|read| read == shelf.known) {
        repository.keep(&place(shelf.folder), &kept::written(KIND, tree, &body));
    }
    Ok(())
}
