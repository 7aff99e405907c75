//! `orch verify --worktree`: whether the files on disk are those that were handed over, also where Git
//! was told not to look (attack 10).

use std::path::Path;

use super::Stop;
use super::context::Context;
use crate::diagnostic::{Finding, Place, Related, Severity};
use crate::guard::look;
use crate::record::kind::Artifact;
use crate::snapshot::{Fault, GitRepository, Repository as _, Side};
use crate::source::{Digest, RepoPath};
use crate::world::{Focus, Live};

/// Gives a finding for each artifact of a live handoff at HEAD that is another file on disk. One that is
/// not there deceives nobody: a sparse checkout has many such.
pub(super) fn changed_on_disk(
    context: &Context,
    repository: &GitRepository,
) -> Result<Vec<Finding>, Stop> {
    let Some(top) = repository.work_dir() else {
        let help = "leave `--worktree` out: a bare repository has no files to compare";
        return Err(Stop::fault("there is no working tree here", help));
    };
    let proposal = repository.range("HEAD", "HEAD", None)?;
    let world = look(repository, &proposal, context.at(), false, Focus::Tasks(Vec::new()))?;
    let mut findings = Vec::new();
    for live in &world.survey.live {
        if !holds(repository, top, proposal.head, &live.artifact)? {
            findings.push(changed(live));
        }
    }
    Ok(findings)
}

/// A file is what was sealed if its bytes are, or if they are once Git has converted them as it does
/// when it stages: line ends, encodings, filters.
fn holds(
    repository: &GitRepository,
    top: &Path,
    head: Side,
    artifact: &Artifact,
) -> Result<bool, Fault> {
    let path = artifact.path.to_string();
    let file = top.join(&path);
    // A link is looked at itself: it may lead to the same bytes today, and elsewhere tomorrow.
    let Ok(about) = file.symlink_metadata() else { return Ok(true) };
    if !about.is_file() || is_below_a_link(top, &file) {
        return Ok(false);
    }
    let bytes = std::fs::read(&file).map_err(|error| {
        Fault::new(format!("{path} can't be read: {error}"), "make the file readable")
    })?;
    if Digest::of(&bytes) == artifact.checksum {
        return Ok(true);
    }
    let node = repository.node(head, &artifact.path)?;
    let staged = repository.run_git(&["hash-object", "--", &path])?;
    Ok(node.is_some_and(|node| node.oid.to_string() == staged.trim()))
}

fn is_below_a_link(top: &Path, file: &Path) -> bool {
    let folders = file.ancestors().skip(1).take_while(|folder| *folder != top);
    folders.into_iter().any(Path::is_symlink)
}

fn changed(live: &Live) -> Finding {
    let path: &RepoPath = &live.artifact.path;
    let typed = path.in_shell();
    let message = format!("on disk `{path}` is not what `{}` was given", live.to);
    let help = format!(
        "put it back: `git update-index --no-skip-worktree --no-assume-unchanged {typed}`, then \
         `git restore {typed}`"
    );
    let sealed =
        Related { place: Place::file(live.handoff.clone()), message: "sealed here".into() };
    Finding {
        check: "handoff-stale",
        severity: Severity::Error,
        place: Place::file(path.clone()),
        message,
        help,
        task: Some(live.task.clone()),
        related: vec![sealed],
    }
}
