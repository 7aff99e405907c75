//! Ids that two ledgers have: on a system that knows no case, one would take the other's place.

use std::collections::{BTreeMap, BTreeSet};

use super::Survey;
use super::ledgers::LedgerView;
use crate::record::Home;
use crate::snapshot::{Fault, Proposal, Repository};
use crate::source::RepoPath;

/// A ledger, by what it is of and its id in lower case.
type Name = (&'static str, String);

/// Gives the ledgers whose id stands in another folder, without regard to case (attack 38), and that folder.
pub(super) fn of(
    repository: &dyn Repository,
    proposal: &Proposal,
    ledgers: &BTreeMap<Home, LedgerView>,
    survey: &Survey,
) -> Result<Vec<(Home, RepoPath)>, Fault> {
    let mut landed: BTreeMap<Name, RepoPath> = BTreeMap::new();
    let shelves: BTreeSet<&str> = ledgers.keys().filter_map(shelf).collect();
    for shelf in shelves {
        for side in [&[proposal.agreed], &proposal.parents[..]].concat() {
            let folder = RepoPath::from(shelf);
            let names = repository.folders(side, &folder)?;
            landed.extend(names.iter().map(|n| ((word(shelf), n.to_lowercase()), folder.join(n))));
        }
    }
    let mut seen: BTreeMap<Name, RepoPath> = BTreeMap::new();
    let mut doubles = Vec::new();
    for (home, view) in ledgers {
        let Some(id) = home.id() else { continue };
        let name = (shelf(home).map_or("task", word), id.as_str().to_lowercase());
        let before = seen.insert(name.clone(), view.folder.clone());
        let other = before.or_else(|| match home {
            Home::Task(_) => survey.folders.get(id.as_str()),
            _ => landed.get(&name).cloned(),
        });
        doubles.extend(other.filter(|other| *other != view.folder).map(|o| (home.clone(), o)));
    }
    Ok(doubles)
}

/// Gives where the ledgers of incidents and of halts lie.
fn shelf(home: &Home) -> Option<&'static str> {
    match home {
        Home::Incident(_) => Some(".orch/incidents"),
        Home::Halt(_) => Some(".orch/halts"),
        Home::Task(_) | Home::Decision => None,
    }
}

fn word(shelf: &str) -> &'static str {
    if shelf.ends_with("halts") { "halt" } else { "incident" }
}
