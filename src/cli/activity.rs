//! The activity log: one line for each thing that was done on this machine (R000-52, R000-53).

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::snapshot::{Fault, GitRepository};
use crate::source::{Moment, TaskId};

/// One line of the log, in the fields of R000-53.
#[derive(Debug, serde::Serialize)]
pub(super) struct Activity {
    /// When it was done.
    pub(super) timestamp: Moment,
    /// Who did it.
    pub(super) agent: String,
    /// What it was, in one word.
    pub(super) action: String,
    /// What it was about.
    pub(super) task_id: Option<TaskId>,
    /// What went in.
    pub(super) inputs: Value,
    /// What came out.
    pub(super) outputs: Value,
    /// How long it took.
    pub(super) duration_seconds: u64,
    /// How it went.
    pub(super) status: Value,
}

/// Where each machine keeps its own log of what was done (R000-52).
const LOG: &str = "logs/agent_activity.log";

impl Activity {
    /// Appends it to the log of the main working tree: a linked one may go, and its log with it.
    /// Without a working tree there is no log.
    pub(super) fn log(&self, repository: &GitRepository) -> Result<(), Fault> {
        let Some(top) = main_folder(repository) else { return Ok(()) };
        let path = top.join(LOG);
        let line = serde_json::to_string(self).expect("plain values are JSON");
        let append = || -> std::io::Result<()> {
            fs::create_dir_all(path.parent().unwrap_or(&top))?;
            let mut file = File::options().create(true).append(true).open(&path)?;
            // In one piece: a line that is cut off would spoil the next one.
            file.write_all(format!("{line}\n").as_bytes())
        };
        append().map_err(|error| {
            let message = format!("{} can't be written: {error}", path.display());
            Fault::new(message, "make the folder writable; what was done is done")
        })
    }
}

fn main_folder(repository: &GitRepository) -> Option<PathBuf> {
    let common = repository.common_dir();
    let main = common.parent().filter(|_| common.file_name().is_some_and(|name| name == ".git"));
    main.or(repository.work_dir()).map(Path::to_owned)
}
