//! What the tasks of one month amount to, for everyone else's work; kept under `.git/orch/cache`.
//!
//! A month in which all is closed never changes again, and of one that did, only the ledgers are read
//! whose trees did. What is kept is believed only if it names the tree that is asked for and its own
//! digest holds; it never says anything that reading the ledgers would not.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::folders::Names;
use super::ledgers::Files;
use super::survey::{Active, Live, live_with_places};
use super::{kept, many};
use crate::ledger::{Escalated, State};
use crate::record::{Record, entry_name};
use crate::snapshot::{Fault, Oid, Repository, Side};
use crate::source::{Digest, RepoPath};

/// What is kept is of this kind, by this version of the program.
const KIND: &str = concat!("orch-month 3 ", env!("CARGO_PKG_VERSION"));

/// The tasks of one month.
#[derive(Debug, Default)]
pub(super) struct Month {
    /// The names of all their folders.
    pub(super) names: Names,
    /// Those that can disturb other work, by the names of their folders.
    pub(super) stirring: BTreeMap<String, Stirring>,
}

/// A task, as far as it can disturb other work.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Stirring {
    /// Whether it is open.
    pub(super) open: bool,
    /// Artifacts of its live handoffs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) live: Vec<Live>,
    /// Its run that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) active: Option<Active>,
    /// Its escalations, settled or not.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) escalations: Vec<Escalated>,
    /// Digests of its evidence in quarantine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) quarantined: Vec<Digest>,
}

/// Ledgers of open tasks, by their folders.
pub(super) type OpenLedgers = BTreeMap<RepoPath, Vec<Record>>;

/// Gives what the tasks on a shelf amount to; `tree` is its tree, where there is one. Where somebody wants
/// the ledgers of open tasks, those that had to be read are put there.
pub(super) fn look(
    repository: &dyn Repository,
    side: Side,
    shelf: &RepoPath,
    tree: Option<Oid>,
    wanted: &mut Option<OpenLedgers>,
) -> Result<Month, Fault> {
    let Some(tree) = tree else {
        return read(repository, side, shelf, BTreeMap::new(), wanted);
    };
    let name = format!("months/{}", shelf.file_name());
    let kept = repository.recall(&name).and_then(|bytes| Kept::parse(&bytes));
    let kept = match kept {
        Some(kept) if kept.tree == tree => return Ok(kept.month),
        other => other,
    };
    let known = kept.map(|kept| unchanged(repository, side, shelf, kept)).transpose()?;
    let known = known.flatten().unwrap_or_default();
    let month = read(repository, side, shelf, known, wanted)?;
    repository.keep(&name, &written(tree, &month));
    Ok(month)
}

/// Gives what is kept of those tasks whose trees are what they were; none if nobody can tell.
fn unchanged(
    repository: &dyn Repository,
    side: Side,
    shelf: &RepoPath,
    kept: Kept,
) -> Result<Option<BTreeMap<String, Option<Stirring>>>, Fault> {
    let Some(before) = repository.trees_in(kept.tree) else { return Ok(None) };
    let before: BTreeSet<(String, Oid)> = before.into_iter().collect();
    let mut stirring = kept.month.stirring;
    let now = repository.trees(side, shelf)?.into_iter();
    let now = now.filter_map(|(name, tree)| Some((name, tree?)));
    let same = now.filter(|task| before.contains(task));
    Ok(Some(same.map(|(name, _)| (name.clone(), stirring.remove(&name))).collect()))
}

/// Reads the ledgers of a shelf, but for those that are known.
fn read(
    repository: &dyn Repository,
    side: Side,
    shelf: &RepoPath,
    mut known: BTreeMap<String, Option<Stirring>>,
    wanted: &mut Option<OpenLedgers>,
) -> Result<Month, Fault> {
    let folders = repository.trees(side, shelf)?;
    let mut kinds = match known.is_empty() {
        true => kinds_below(repository, side, shelf)?,
        false => BTreeMap::new(),
    };
    let mut stirring = BTreeMap::new();
    let mut unread = Vec::new();
    for (name, _) in &folders {
        if let Some(known) = known.remove(name) {
            stirring.extend(known.map(|known| (name.clone(), known)));
            continue;
        }
        let kinds = match kinds.remove(name) {
            Some(kinds) => kinds,
            None => {
                let mut kinds = Kinds::default();
                repository.names(side, &shelf.join(name), &mut |file| kinds.add(file))?;
                kinds
            }
        };
        match kinds.told() {
            Told::Nothing => {}
            Told::Open => {
                stirring.insert(name.clone(), Stirring { open: true, ..Stirring::default() });
            }
            Told::Unread => unread.push(name),
        }
    }
    let places: Vec<RepoPath> = unread.iter().map(|name| shelf.join(name)).collect();
    let is_wanted = wanted.is_some();
    let read = many::read(repository, side, &places, |files| {
        let found = stirs(&files);
        let open = is_wanted && found.as_ref().is_some_and(|found| found.open);
        (found, open.then_some(files.records))
    })?;
    for ((name, place), (found, records)) in unread.into_iter().zip(places).zip(read) {
        if let (Some(wanted), Some(records)) = (wanted.as_mut(), records) {
            wanted.insert(place, records);
        }
        stirring.extend(found.map(|found| (name.clone(), found)));
    }
    let names = folders.iter().map(|(name, _)| name.as_str());
    Ok(Month { names: Names::of_folders(names), stirring })
}

/// Which of the kinds that count here a ledger has, told by the names of its files.
#[derive(Debug, Default, Clone, Copy)]
struct Kinds {
    close: bool,
    quarantine: bool,
    /// One that goes on, or is relied on, while the task is open.
    stirring: bool,
}

impl Kinds {
    fn add(&mut self, file: &[u8]) {
        let name = std::str::from_utf8(file).ok().and_then(|name| entry_name(name).ok());
        match name {
            Some((_, "close")) => self.close = true,
            Some((_, "quarantine")) => (self.quarantine, self.stirring) = (true, true),
            Some((_, "run" | "handoff" | "escalation")) => self.stirring = true,
            _ => {}
        }
    }

    /// Tells what the names alone say. One with a `close` can't go on, so that nothing in it is live; at
    /// most evidence that it delivered was put in quarantine since.
    fn told(self) -> Told {
        match self {
            Kinds { close: true, quarantine: false, .. } => Told::Nothing,
            Kinds { stirring: false, .. } => Told::Open,
            _ => Told::Unread,
        }
    }
}

/// What the names of a ledger's files say of it.
enum Told {
    /// It disturbs nobody.
    Nothing,
    /// It is open, and disturbs nobody.
    Open,
    /// Only its entries can tell.
    Unread,
}

/// Gives the kinds of all ledgers of a shelf, by their folders.
fn kinds_below(
    repository: &dyn Repository,
    side: Side,
    shelf: &RepoPath,
) -> Result<BTreeMap<String, Kinds>, Fault> {
    let mut found: Vec<(Vec<u8>, Kinds)> = Vec::new();
    repository.names(side, shelf, &mut |path| {
        let Some(slash) = path.iter().position(|byte| *byte == b'/') else { return };
        let (task, file) = (&path[..slash], &path[slash + 1..]);
        if found.last().is_none_or(|(last, _)| last != task) {
            found.push((task.to_owned(), Kinds::default()));
        }
        found.last_mut().into_iter().for_each(|(_, kinds)| kinds.add(file));
    })?;
    let named =
        |(name, kinds): (Vec<u8>, Kinds)| (String::from_utf8_lossy(&name).into_owned(), kinds);
    Ok(found.into_iter().map(named).collect())
}

/// Gives how a task can disturb other work, if it can.
fn stirs(files: &Files) -> Option<Stirring> {
    let records = &files.records;
    let state = records.iter().fold(None, State::after)?;
    let held = state.quarantined.iter().map(|(_, checksum)| *checksum).collect();
    let stirring = Stirring { quarantined: held, ..Stirring::default() };
    if state.closed.is_some() {
        return Some(stirring);
    }
    let active = state.active_run();
    let active = active.map(|run| Active::of(&state.task.task_id, run, &state.task.scope));
    let (live, escalations) = (live_with_places(&state, records), state.escalations.clone());
    Some(Stirring { open: true, live, active, escalations, ..stirring })
}

/// What was kept of a month.
struct Kept {
    tree: Oid,
    month: Month,
}

impl Kept {
    /// Reads what [`written`] gave; none if another program wrote it, or if it is damaged.
    fn parse(bytes: &[u8]) -> Option<Self> {
        let (tree, body) = kept::read(KIND, bytes)?;
        let (stirring, names) = body.split_once('\n')?;
        let stirring = serde_json::from_str(stirring).ok()?;
        let names = Names::from_kept(names)?;
        Some(Kept { tree, month: Month { names, stirring } })
    }
}

fn written(tree: Oid, month: &Month) -> Vec<u8> {
    let stirring = serde_json::to_string(&month.stirring).expect("all of it is text and numbers");
    kept::written(KIND, tree, &format!("{stirring}\n{}", month.names.as_str()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree() -> Oid {
        Oid::from_hex(&"7".repeat(40)).expect("forty digits")
    }

    fn month() -> Month {
        let open = Stirring { open: true, ..Stirring::default() };
        let held = Stirring { quarantined: vec![Digest::of(b"x")], ..Stirring::default() };
        let stirring = BTreeMap::from([("a-1".to_owned(), open), ("b-1".to_owned(), held)]);
        Month { names: Names::of(vec!["a-1", "b-1", "C-1"]), stirring }
    }

    #[test]
    fn what_was_written_is_read_again() {
        let kept = Kept::parse(&written(tree(), &month())).expect("it is whole");
        assert_eq!((kept.tree, kept.month.names), (tree(), month().names));
        assert_eq!(kept.month.stirring, month().stirring);
    }

    /// A file that is no entry closes nothing: an id that goes on would be free.
    #[test]
    fn only_entries_count() {
        for (file, closes) in [
            ("0003-close.yaml", true),
            ("12345-close.yaml", true),
            ("00003-close.yaml", false),
            ("0000-close.yaml", false),
            ("003-close.yaml", false),
            ("0003-close.yaml.sig", false),
            ("x/0003-close.yaml", false),
        ] {
            let mut kinds = Kinds::default();
            kinds.add(file.as_bytes());
            assert_eq!(kinds.close, closes, "{file}");
        }
    }

    proptest! {
        /// A damaged file is either not believed, or says of another tree what this one amounts to,
        /// which is asked for by its name.
        #[test]
        fn what_is_damaged_is_not_believed(at in 0..10_000usize, byte in any::<u8>(), cut in any::<bool>()) {
            let whole = written(tree(), &month());
            let mut bytes = whole.clone();
            let at = at % whole.len();
            match cut {
                true => bytes.truncate(at),
                false => bytes[at] = byte,
            }
            prop_assume!(bytes != whole);
            prop_assert!(Kept::parse(&bytes).is_none_or(|kept| kept.tree != tree()));
        }
    }
}
