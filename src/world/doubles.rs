//! Ids that two ledgers have: on a system that knows no case, one would take the other's place.

use std::collections::BTreeMap;

use super::Survey;
use super::ledgers::{self, LedgerView};
use crate::record::Home;
use crate::snapshot::{Fault, Proposal, Repository};
use crate::source::RepoPath;

/// Gives the ledgers whose id stands in another folder, without regard to case (attack 38), and that folder.
pub(super) fn of(
    repository: &dyn Repository,
    proposal: &Proposal,
    ledgers: &BTreeMap<Home, LedgerView>,
    survey: &Survey,
) -> Result<Vec<(Home, RepoPath)>, Fault> {
    let mut landed: BTreeMap<Home, RepoPath> = BTreeMap::new();
    if ledgers.keys().any(|home| matches!(home, Home::Incident(_) | Home::Halt(_))) {
        for side in [&[proposal.agreed], &proposal.parents[..]].concat() {
            let known = ledgers::beside(repository, side)?;
            landed.extend(known.iter().filter_map(|home| Some((folded(home)?, home.folder("")))));
        }
    }
    let mut seen: BTreeMap<Home, RepoPath> = BTreeMap::new();
    let mut doubles = Vec::new();
    for (home, view) in ledgers {
        let Some(name) = folded(home) else { continue };
        let before = seen.insert(name.clone(), view.folder.clone());
        let other = before.or_else(|| match &name {
            Home::Task(id) => survey.folders.get(id.as_str()),
            _ => landed.get(&name).cloned(),
        });
        doubles.extend(other.filter(|other| *other != view.folder).map(|o| (home.clone(), o)));
    }
    Ok(doubles)
}

/// Gives the ledger as a system that knows no case would name it; none for decisions.
fn folded(home: &Home) -> Option<Home> {
    let id = home.id()?.as_str().to_ascii_lowercase().parse().ok()?;
    Some(match home {
        Home::Task(_) => Home::Task(id),
        Home::Incident(_) => Home::Incident(id),
        Home::Halt(_) => Home::Halt(id),
        Home::Decision => return None,
    })
}
