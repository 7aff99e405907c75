//! The activity log: what was done on this machine, a line of JSON each (R000-52, R000-53).

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::Value;

use crate::snapshot::{Fault, GitRepository};
use crate::source::Moment;

/// Where each machine keeps its own log of what was done (R000-52).
pub(super) const LOG: &str = "logs/agent_activity.log";

/// One thing that was done, in the fields of R000-53.
#[derive(Debug, Serialize)]
pub(super) struct Activity<'a> {
    /// When.
    pub(super) timestamp: Moment,
    /// Who did it, as they say.
    pub(super) agent: &'a str,
    /// What: the kind of an entry, or a command.
    pub(super) action: &'a str,
    /// The task, incident or halt that it is about.
    pub(super) task_id: Option<&'a str>,
    /// What went in; what would be a list has a name.
    pub(super) inputs: Value,
    /// What came out.
    pub(super) outputs: Value,
    /// How long it took, in whole seconds.
    pub(super) duration_seconds: u64,
    /// How it ended.
    pub(super) status: String,
}

impl Activity<'_> {
    /// Appends it as a line to the log of the main working tree: a linked one may go, and its log with it.
    /// Others may append at the same time, and `orch log --archive` may cut off what is archived: nothing
    /// is lost. Where there is no working tree, there is no log.
    pub(super) fn log(&self, repository: &GitRepository) -> Result<(), Fault> {
        let Some(top) = main_folder(repository) else { return Ok(()) };
        let path = top.join(LOG);
        let line = serde_json::to_string(self).expect("an activity is text and numbers") + "\n";
        let write = || -> std::io::Result<()> {
            fs::create_dir_all(path.parent().unwrap_or(&top))?;
            // In one piece: a line that is cut off would spoil the next one.
            locked(&top)?.write_all(line.as_bytes())
        };
        write().map_err(|error| {
            let message = format!("{} can't be written: {error}", path.display());
            Fault::new(message, "make it a file that can be written; what was done is done")
        })
    }
}

/// Opens the log below a folder to append, and holds it until it is closed; waits for others that do. A
/// link out of the folder is not followed: a commit may have brought it.
pub(super) fn locked(top: &Path) -> std::io::Result<File> {
    let path = &top.join(LOG);
    let folder = path.parent().unwrap_or(top).canonicalize()?;
    let link = fs::symlink_metadata(path).is_ok_and(|data| data.is_symlink());
    if link || !folder.starts_with(top.canonicalize()?) {
        return Err(std::io::Error::other("a symbolic link leads elsewhere"));
    }
    loop {
        let file = File::options().create(true).read(true).append(true).open(path)?;
        file.lock()?;
        // Whoever held it may have put another file in its place.
        if is_still(&file, path) {
            return Ok(file);
        }
    }
}

#[cfg(unix)]
fn is_still(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let same = |here: fs::Metadata, there: fs::Metadata| {
        (here.dev(), here.ino()) == (there.dev(), there.ino())
    };
    file.metadata().and_then(|here| Ok(same(here, fs::metadata(path)?))).unwrap_or(false)
}

/// Where an open file can't be replaced, it is always the one at its path.
#[cfg(not(unix))]
fn is_still(_file: &File, _path: &Path) -> bool {
    true
}

/// Gives the folder of the main working tree; none of a bare repository.
pub(super) fn main_folder(repository: &GitRepository) -> Option<PathBuf> {
    let common = repository.common_dir();
    let main = common.parent().filter(|_| common.file_name().is_some_and(|name| name == ".git"));
    main.or(repository.work_dir()).map(Path::to_owned)
}
