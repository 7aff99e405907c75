//! What is so at one side beyond the change under judgement: sealed files that changed, and records that
//! nobody can read.

use super::{Live, World, facts, ledgers};
use crate::record::Home;
use crate::snapshot::{Fault, Repository, Side};
use crate::source::RepoPath;

/// Gives the artifacts of live handoffs of open tasks that are not what was sealed any more, unless
/// somebody works in a lane that owns them, another task has sealed them anew, or they were rolled back.
pub fn stale(repository: &dyn Repository, side: Side, world: &World) -> Result<Vec<Live>, Fault> {
    let mut found = Vec::new();
    for live in &world.survey.live {
        let path = &live.artifact.path;
        let owners = world.policy.lanes_of(path);
        let at_work = world.survey.active.iter().any(|run| owners.contains(&&run.lane));
        if at_work || world.survey.rolled_back.contains(&live.task) {
            continue;
        }
        let digest = facts::read(repository, side, path)?.digest();
        let sealed = |digest| digest == live.artifact.checksum || world.sealed(path, digest);
        if !digest.is_some_and(sealed) {
            found.push(live.clone());
        }
    }
    Ok(found)
}

/// Gives the files that nobody can read in the ledgers that a world holds, each with why.
pub fn unreadable(
    repository: &dyn Repository,
    side: Side,
    world: &World,
) -> Result<Vec<(RepoPath, String)>, Fault> {
    let mut found = Vec::new();
    let ledgers = world.ledgers.values().filter(|ledger| ledger.home != Home::Decision);
    for ledger in ledgers {
        let files = ledgers::read(repository, side, &ledger.folder)?;
        found.extend(files.unreadable.into_iter().map(|(path, problem)| (path, problem.message)));
    }
    Ok(found)
}
