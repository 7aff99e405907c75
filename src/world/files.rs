//! The files that a world is made of: records, or what should be some, and signatures beside them.

use crate::policy::authority_of;
use crate::record::{TASKS, belongs_to_orch, is_record_path, signed_path};
use crate::snapshot::{Fault, Node, Proposal, Repository, Side};
use crate::source::RepoPath;

/// Which records a world holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part<'a> {
    /// Those that a change touches.
    Change,
    /// Of a verification, the ledgers in these folders.
    Ledgers(&'a [RepoPath]),
    /// Of a verification, all that are no ledger of a task, and the ledgers in these folders.
    Rest(&'a [RepoPath]),
}

/// A file, and what stands there now.
pub(super) type Proposed = (RepoPath, Option<Node>);

/// The files of a world.
#[derive(Debug, Default)]
pub(super) struct Files {
    /// Those that are, or should be, records.
    pub(super) records: Vec<Proposed>,
    /// Signatures beside records.
    pub(super) signatures: Vec<Proposed>,
}

/// Gives the files that a change touches, or all in a part of a verification.
pub(super) fn of(
    repository: &dyn Repository,
    proposal: &Proposal,
    part: Part<'_>,
) -> Result<Files, Fault> {
    let head = proposal.head;
    let changes = proposal.changes.iter().map(|change| (change.path.clone(), change.new));
    let all: Vec<Proposed> = match part {
        Part::Change => {
            changes.filter(|(path, _)| is_record_path(path) || belongs_to_orch(path)).collect()
        }
        Part::Ledgers(folders) => below(repository, head, folders)?,
        Part::Rest(folders) => {
            let beside = beside_tasks(repository, head)?;
            beside.into_iter().chain(below(repository, head, folders)?).collect()
        }
    };
    let (signatures, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(path, _)| signed_path(path).is_some());
    let records = others.into_iter().filter(|(path, _)| authority_of(path).is_none());
    Ok(Files { records: records.collect(), signatures })
}

/// Gives everything below some folders.
fn below(
    repository: &dyn Repository,
    side: Side,
    folders: &[RepoPath],
) -> Result<Vec<Proposed>, Fault> {
    let mut files = Vec::new();
    for folder in folders {
        files.extend(in_sight(repository.list(side, folder)?));
    }
    Ok(files)
}

/// Gives everything that is orch's, or would be on some system, and lies in no task's folder.
fn beside_tasks(repository: &dyn Repository, side: Side) -> Result<Vec<Proposed>, Fault> {
    let (top, tasks) = (RepoPath::from(".orch"), RepoPath::from(TASKS));
    let mut files = in_sight(repository.files(side, &top)?);
    let whole = RepoPath::default();
    let alike = |path: &RepoPath| belongs_to_orch(path) && *path != top;
    files.extend(in_sight(repository.files(side, &whole)?).into_iter().filter(|(p, _)| alike(p)));
    for name in repository.folders(side, &whole)? {
        let folder = whole.join(&name);
        if alike(&folder) {
            files.extend(in_sight(repository.list(side, &folder)?));
        }
    }
    for name in repository.folders(side, &top)? {
        let folder = top.join(&name);
        if folder != tasks {
            files.extend(in_sight(repository.list(side, &folder)?));
        }
    }
    files.extend(in_sight(repository.files(side, &tasks)?));
    for month in repository.folders(side, &tasks)? {
        files.extend(in_sight(repository.files(side, &tasks.join(&month))?));
    }
    Ok(files)
}

fn in_sight(files: Vec<(RepoPath, Node)>) -> Vec<Proposed> {
    files.into_iter().map(|(path, node)| (path, Some(node))).collect()
}
