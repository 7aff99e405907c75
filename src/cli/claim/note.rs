//! What a clone knows of the claims that it holds: a file for each task, beside its locks.

use std::fs;
use std::path::PathBuf;

use crate::cli::files::write_whole;
use crate::snapshot::{Fault, GitRepository, Oid};
use crate::source::TaskId;

/// What this clone knows of a claim that it holds.
pub(super) struct Note {
    pub(super) oid: Oid,
    pub(super) remote: String,
}

impl Note {
    fn place(repository: &GitRepository, task: &TaskId) -> PathBuf {
        repository.common_dir().join("orch").join("claims").join(task.as_str())
    }

    /// Reads it; gives none if this clone holds no claim on the task.
    pub(super) fn read(repository: &GitRepository, task: &TaskId) -> Option<Note> {
        let text = fs::read_to_string(Note::place(repository, task)).ok()?;
        let (hex, remote) = text.trim_end().split_once(' ')?;
        Some(Note { oid: Oid::from_hex(hex)?, remote: remote.to_owned() })
    }

    /// Writes it.
    pub(super) fn write(&self, repository: &GitRepository, task: &TaskId) -> Result<(), Fault> {
        let Note { oid, remote } = self;
        write_whole(&Note::place(repository, task), format!("{oid} {remote}\n"))
    }

    /// Forgets it.
    pub(super) fn remove(repository: &GitRepository, task: &TaskId) {
        // Without its claim, one that is left says nothing.
        let _left_behind = fs::remove_file(Note::place(repository, task));
    }

    /// Puts it back as it was before.
    pub(super) fn restore(
        repository: &GitRepository,
        task: &TaskId,
        known: Option<Note>,
    ) -> Result<(), Fault> {
        match known {
            Some(known) => known.write(repository, task),
            None => {
                Note::remove(repository, task);
                Ok(())
            }
        }
    }
}
