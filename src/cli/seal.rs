//! Which files a handoff seals, and what Git would hold of them.

use std::collections::{BTreeMap, BTreeSet};

use super::Stop;
use super::context::View;
use super::output::say;
use crate::draft::{self, Undecided};
use crate::ledger::State;
use crate::policy::{Policy, Scope, Stage};
use crate::record::kind::Artifact;
use crate::snapshot::{Fault, GitRepository, Mode, Node, Oid, Repository as _, Side, lfs};
use crate::source::{ArtifactName, Digest, RepoPath, TaskId};

/// Gives the stage's artifacts, hashed from the blobs that `git add` would make.
pub(super) fn seal(
    view: &View,
    policy: &Policy,
    state: &State,
    stage: &Stage,
    chosen: &[(ArtifactName, RepoPath)],
) -> Result<Vec<(Artifact, Node)>, Stop> {
    let touched = worktree_changes(&view.repository)?;
    let mut files: BTreeSet<RepoPath> = touched.iter().cloned().collect();
    for produce in stage.produces.values() {
        let listed = view.repository.list(Side::Index, &produce.glob.folder())?;
        files.extend(listed.into_iter().map(|(path, _)| path));
    }
    // What the task is not about is none of its evidence, whatever globs it fits.
    let scope = Scope::new(&policy.scope_in(&state.task.scope, &stage.lane)).ok();
    let narrows = !state.task.scope.is_empty();
    let about = |path: &RepoPath| scope.as_ref().is_none_or(|scope| scope.contains(path));
    files.retain(|path| !narrows || about(path) || policy.lanes_of(path).is_empty());
    let top = view.repository.work_dir().unwrap_or(view.repository.git_dir());
    let (files, others): (Vec<RepoPath>, Vec<RepoPath>) = files
        .into_iter()
        .filter(|path| on_disk(top, path).is_ok())
        .partition(|path| on_disk(top, path).is_ok_and(|data| data.is_file()));
    let mut changed: BTreeSet<RepoPath> = touched.into_iter().collect();
    changed.extend(branch_changes(view, policy)?);
    let mut by_name: BTreeMap<ArtifactName, Vec<RepoPath>> = BTreeMap::new();
    for (name, path) in chosen {
        by_name.entry(name.clone()).or_default().push(path.clone());
    }
    let collected = draft::collect(stage, state, &files, &changed, &by_name)
        .map_err(|undecided| cannot_collect(&state.task.task_id, stage, &undecided))?;
    let produced = |path: &&RepoPath| stage.produces.values().any(|one| one.glob.matches(path));
    for path in others.iter().filter(|path| changed.contains(*path)).filter(produced) {
        leave_out(path, "no plain file");
    }
    Ok(without_empty(sealed(&view.repository, collected)?, &by_name))
}

/// Leaves out empty files beside others of the same evidence, such as an `__init__.py` among the
/// code, unless someone chose them: a seal on nothing proves nothing, and would be refused.
fn without_empty(
    mut sealed: Vec<(Artifact, Node)>,
    chosen: &BTreeMap<ArtifactName, Vec<RepoPath>>,
) -> Vec<(Artifact, Node)> {
    let is_empty = |artifact: &Artifact| artifact.checksum == Digest::of(b"");
    let full = sealed.iter().map(|(artifact, _)| artifact).filter(|artifact| !is_empty(artifact));
    let full: BTreeSet<ArtifactName> = full.map(|artifact| artifact.name.clone()).collect();
    sealed.retain(|(artifact, _)| {
        let kept = !is_empty(artifact)
            || !full.contains(&artifact.name)
            || chosen.contains_key(&artifact.name);
        if !kept {
            leave_out(&artifact.path, "empty");
        }
        kept
    });
    sealed
}

fn leave_out(path: &RepoPath, why: &str) {
    say(format!("leaves out {path}, which is {why}; `git add` it if it is part of this work"));
}

/// Gives files as artifacts, hashed from the blobs that `git add` would make.
pub(super) fn sealed(
    repository: &GitRepository,
    files: Vec<(ArtifactName, RepoPath)>,
) -> Result<Vec<(Artifact, Node)>, Stop> {
    let mut sealed = Vec::new();
    for (name, path) in files {
        RepoPath::canonical(&path.to_string()).map_err(|fault| {
            let help = format!("give it another name: `git mv {} NAME`", path.in_shell());
            Stop::denied(format!("`{path}` can't be recorded: {fault}"), help)
        })?;
        let node = blob_of(repository, &path)?;
        let checksum = sealed_digest(repository, node)?;
        sealed.push((Artifact { name, path, checksum }, node));
    }
    Ok(sealed)
}

/// Gives the files that this branch changed or added, committed or not, and that are there.
pub(super) fn changed_files(view: &View, policy: &Policy) -> Result<BTreeSet<RepoPath>, Stop> {
    let top = view.repository.work_dir().unwrap_or(view.repository.git_dir());
    let mut files: BTreeSet<RepoPath> = worktree_changes(&view.repository)?.into_iter().collect();
    files.extend(branch_changes(view, policy)?);
    files.retain(|path| on_disk(top, path).is_ok());
    Ok(files)
}

/// Gives what `git add` would stage of a file.
pub(super) fn node_of(repository: &GitRepository, path: &RepoPath) -> Result<Node, Stop> {
    blob_of(repository, path)
}

/// Gives what a handoff would say of a file as it is in the working tree.
pub(super) fn digest_of(repository: &GitRepository, path: &RepoPath) -> Result<Digest, Stop> {
    let node = blob_of(repository, path)?;
    sealed_digest(repository, node)
}

/// Gives the digest of a blob's bytes; for an LFS pointer, of the file it stands for.
pub(super) fn sealed_digest(repository: &GitRepository, node: Node) -> Result<Digest, Stop> {
    let bytes = repository.read(node.oid)?;
    let pointer = lfs::pointer(&bytes);
    Ok(pointer.map_or_else(|| Digest::of(&bytes), |pointer| pointer.digest))
}

fn on_disk(top: &std::path::Path, path: &RepoPath) -> std::io::Result<std::fs::Metadata> {
    std::fs::symlink_metadata(top.join(path.to_str().unwrap_or_default()))
}

/// Paths that `git add` would change: modified, untracked, staged.
pub(super) fn worktree_changes(repository: &GitRepository) -> Result<Vec<RepoPath>, Fault> {
    let text = repository.run_git(&[
        "status",
        "--porcelain=v1",
        "-z",
        "--untracked-files=all",
        "--no-renames",
    ])?;
    let entries = text.split('\0').filter(|entry| entry.len() > 3);
    Ok(entries.map(|entry| RepoPath::from(&entry[3..])).collect())
}

/// Paths that this branch changed since it left the protected one.
fn branch_changes(view: &View, policy: &Policy) -> Result<Vec<RepoPath>, Fault> {
    let repository = &view.repository;
    let mut base = view.proposal.base;
    if let Side::Commit(head) = base {
        for branch in repository.branches()?.iter().filter(|b| policy.is_protected(&b.name)) {
            if let Some(ancestor) = repository.merge_base(branch.tip, head)? {
                base = Side::Commit(ancestor);
                break;
            }
        }
    }
    let changes = repository.changes(base, Side::Index)?;
    Ok(changes.into_iter().filter(|c| c.new.is_some()).map(|change| change.path).collect())
}

fn cannot_collect(id: &TaskId, stage: &Stage, undecided: &[Undecided]) -> Stop {
    let first = &undecided[0];
    let glob = stage.produces[&first.name].glob.as_str();
    if first.matches.is_empty() {
        let message =
            format!("stage `{}` produces {}, and no file is `{glob}`", stage.name, first.name);
        let help = "write the file; or name another that the glob matches: `--artifact NAME=PATH`";
        return Stop::fault(message, help);
    }
    let paths: Vec<String> = first.matches.iter().map(RepoPath::to_string).collect();
    let message = format!("{} files are `{glob}`: {}", paths.len(), paths.join(", "));
    let help =
        format!("say which: `orch handoff create {id} --artifact {}={}`", first.name, paths[0]);
    Stop::fault(message, help)
}

/// Writes the blob that `git add` would write, filters and all, and gives what would be staged.
fn blob_of(repository: &GitRepository, path: &RepoPath) -> Result<Node, Stop> {
    let top = repository.work_dir().unwrap_or(repository.git_dir());
    let data = on_disk(top, path).map_err(|error| {
        Fault::new(format!("`{path}` can't be read: {error}"), "write the file first")
    })?;
    if data.is_symlink() {
        return Err(Stop::fault(
            format!("`{path}` is a link"),
            "artifacts are files: put it there",
        ));
    }
    if data.is_dir() {
        return Err(Stop::fault(format!("`{path}` is a folder"), "name the file in it"));
    }
    let text = path.to_str().unwrap_or_default();
    let printed = repository.run_git(&["hash-object", "-w", "--", text])?;
    let oid = Oid::from_hex(printed.trim()).ok_or_else(|| {
        Fault::new(format!("`git hash-object` gave no id for `{path}`"), "run it by hand")
    })?;
    let mode = if is_executable(&data) { Mode::Executable } else { Mode::File };
    Ok(Node { mode, oid })
}

#[cfg(unix)]
fn is_executable(data: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    data.permissions().mode() & 0o111 != 0
}

#[cfg(not(unix))]
fn is_executable(_data: &std::fs::Metadata) -> bool {
    false
}
