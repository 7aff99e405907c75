//! Whole ledgers of many tasks at once; those of open ones are kept, as they were parsed, under
//! `.git/orch/cache`.
//!
//! A ledger is believed only if it was kept of the tree that its folder has now.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{Survey, kept, many};
use crate::record::{self, Record};
use crate::snapshot::{Fault, Oid, Repository, Side};
use crate::source::{RepoPath, TaskId};

/// What is kept is of this kind, by this version of the program.
const KIND: &str = concat!("orch-opened 1 ", env!("CARGO_PKG_VERSION"));
/// Who asks for fewer ledgers of a month reads them sooner than all that is kept of it.
const FEW: usize = 8;

/// Ledgers, by their folders.
pub(super) type Ledgers = HashMap<RepoPath, Vec<Record>>;

/// What is kept of the open tasks of a month: their trees, and their ledgers as text.
type Kept<'b> = BTreeMap<Cow<'b, str>, (Cow<'b, str>, Cow<'b, str>)>;

/// Reads the ledgers of tasks at the side that was surveyed.
pub(super) fn read<'t>(
    repository: &dyn Repository,
    side: Side,
    survey: &Survey,
    tasks: impl Iterator<Item = &'t TaskId>,
) -> Result<Ledgers, Fault> {
    let folders: BTreeSet<RepoPath> =
        tasks.filter_map(|id| survey.folders.get(id.as_str())).collect();
    let open: BTreeSet<&str> = survey.open.iter().map(TaskId::as_str).collect();
    let mut shelves: BTreeMap<RepoPath, Vec<RepoPath>> = BTreeMap::new();
    let mut missing = Vec::new();
    for folder in folders {
        match open.contains(&*folder.file_name().to_string()) {
            true => shelves.entry(folder.folder()).or_default().push(folder),
            false => missing.push(folder),
        }
    }
    let mut ledgers = Ledgers::new();
    let mut stale = Vec::new();
    for (shelf, folders) in shelves {
        if folders.len() < FEW {
            missing.extend(folders);
            continue;
        }
        let bytes = repository.recall(&place(&shelf)).unwrap_or_default();
        let known = Shelf::recall(repository, side, &shelf, &bytes)?;
        let before = missing.len();
        for folder in folders {
            let name = folder.file_name().to_string();
            let text = known.kept.get(&*name).map(|(_, text)| text);
            match text.and_then(|text| record::from_kept(&folder, text)) {
                Some(records) => drop(ledgers.insert(folder, records)),
                None => missing.push(folder),
            }
        }
        if missing.len() > before || known.old {
            stale.push((shelf, known.owned()));
        }
    }
    let records = many::read(repository, side, &missing, |files| files.records)?;
    ledgers.extend(missing.into_iter().zip(records));
    for (shelf, known) in stale {
        known.keep(repository, side, &shelf, &ledgers, &open)?;
    }
    Ok(ledgers)
}

/// What is kept of the open tasks of a month.
struct Shelf<'b> {
    tree: Option<Oid>,
    /// Whether it was kept of another tree than the month has now.
    old: bool,
    kept: Kept<'b>,
}

impl<'b> Shelf<'b> {
    /// Gives what was kept, in these bytes, and still holds.
    fn recall(
        repository: &dyn Repository,
        side: Side,
        shelf: &RepoPath,
        bytes: &'b [u8],
    ) -> Result<Self, Fault> {
        let months = repository.trees(side, &shelf.folder())?.into_iter();
        let mut month = months.filter(|(name, _)| *name.as_str() == *shelf.file_name());
        let Some(tree) = month.next().and_then(|(_, tree)| tree) else {
            return Ok(Shelf { tree: None, old: false, kept: Kept::new() });
        };
        let (of, mut kept) = kept::read(KIND, bytes)
            .and_then(|(of, body)| Some((Some(of), taken_apart(body)?)))
            .unwrap_or_default();
        if of != Some(tree) && !kept.is_empty() {
            let now = trees(repository, side, shelf)?;
            kept.retain(|name, (tree, _)| now.get(&**name).is_some_and(|now| **now == **tree));
        }
        Ok(Shelf { tree: Some(tree), old: of != Some(tree), kept })
    }

    /// Lets go of the bytes.
    fn owned(self) -> Shelf<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        let kept = self.kept.into_iter();
        let kept = kept.map(|(name, (tree, text))| (own(name), (own(tree), own(text)))).collect();
        Shelf { kept, ..self }
    }

    /// Keeps what was read, with what still held; what would not read back as it is, is not kept.
    fn keep(
        mut self,
        repository: &dyn Repository,
        side: Side,
        shelf: &RepoPath,
        ledgers: &Ledgers,
        open: &BTreeSet<&str>,
    ) -> Result<(), Fault> {
        let Some(tree) = self.tree else { return Ok(()) };
        for (name, tree) in trees(repository, side, shelf)? {
            let folder = shelf.join(&name);
            if self.kept.contains_key(&*name) || !open.contains(&*name) {
                continue;
            }
            let Some(records) = ledgers.get(&folder) else { continue };
            let text = record::kept(records);
            if record::from_kept(&folder, &text).is_some_and(|read| read == *records) {
                self.kept.insert(name.into(), (tree.into(), text.into()));
            }
        }
        let parts = self
            .kept
            .iter()
            .map(|(name, (tree, text))| format!("{name}\n{tree}\n{}\n{text}", text.len()));
        repository.keep(&place(shelf), &kept::written(KIND, tree, &parts.collect::<String>()));
        Ok(())
    }
}

fn place(shelf: &RepoPath) -> String {
    format!("opened/{}", shelf.file_name())
}

fn trees(
    repository: &dyn Repository,
    side: Side,
    shelf: &RepoPath,
) -> Result<BTreeMap<String, String>, Fault> {
    let trees = repository.trees(side, shelf)?.into_iter();
    Ok(trees.filter_map(|(name, tree)| Some((name, tree?.to_string()))).collect())
}

/// Takes what is kept of a month apart into what is kept of its tasks.
fn taken_apart(mut body: &str) -> Option<Kept<'_>> {
    let mut kept = Kept::new();
    while !body.is_empty() {
        let mut parts = body.splitn(4, '\n');
        let (name, tree, length) = (parts.next()?, parts.next()?, parts.next()?);
        let (text, rest) = parts.next()?.split_at_checked(length.parse().ok()?)?;
        kept.insert(name.into(), (tree.into(), text.into()));
        body = rest;
    }
    Some(kept)
}
