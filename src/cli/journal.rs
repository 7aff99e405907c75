//! What a command is about to write, noted before it writes: whoever comes after one that was cut
//! off can tell what is half done, and puts it away.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::output::complain;
use crate::snapshot::{Fault, GitRepository, Repository as _, Side};
use crate::source::{Digest, RepoPath};

/// Files that are being written and staged, noted on disk until that is done.
pub(super) struct Journal<'r> {
    repository: &'r GitRepository,
    top: &'r Path,
    file: PathBuf,
    note: Note,
}

/// What a journal says.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Note {
    /// Files to be written.
    written: Vec<Written>,
    /// Files to be removed.
    #[serde(default)]
    removed: Vec<RepoPath>,
}

/// One file to be written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    path: RepoPath,
    digest: Digest,
}

impl<'r> Journal<'r> {
    /// Notes what will be written, and with which bytes, and what will be removed. Nothing may be
    /// touched before this, and the repository's lock must be held.
    pub(super) fn begin<'t>(
        repository: &'r GitRepository,
        top: &'r Path,
        written: impl IntoIterator<Item = (&'t RepoPath, &'t [u8])>,
        removed: Vec<RepoPath>,
    ) -> Result<Self, Fault> {
        let written = written.into_iter();
        let written =
            written.map(|(path, bytes)| Written { path: path.clone(), digest: Digest::of(bytes) });
        let note = Note { written: written.collect(), removed };
        let file = place(repository);
        let text = serde_json::to_vec(&note).expect("paths and digests are text");
        let write = || -> std::io::Result<()> {
            let mut journal = File::create(&file)?;
            journal.write_all(&text)?;
            journal.sync_all()
        };
        write().map_err(|error| {
            let message = format!("{} can't be written: {error}", file.display());
            Fault::new(message, "make room, or make the folder writable")
        })?;
        Ok(Journal { repository, top, file, note })
    }

    /// Finds the journal of a command that was cut off in this working tree.
    fn left_behind(repository: &'r GitRepository) -> Option<Self> {
        let file = place(repository);
        let text = fs::read(&file).ok()?;
        let top = repository.work_dir()?;
        // One that is itself half written was cut off before anything else was touched.
        let note = serde_json::from_slice(&text).unwrap_or_default();
        Some(Journal { repository, top, file, note })
    }

    /// Does the writing and staging; if it fails, puts away what is half done.
    pub(super) fn around<E>(self, work: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        let result = work();
        match &result {
            Ok(()) => self.close(),
            Err(_) => {
                self.undo();
            }
        }
        result
    }

    fn close(self) {
        let _gone_already = fs::remove_file(&self.file);
    }

    /// Puts away what was written and not staged, and gives what was done about it, in words.
    fn undo(self) -> Vec<String> {
        let mut told = Vec::new();
        for written in &self.note.written {
            told.extend(self.put_away(written));
        }
        for path in &self.note.removed {
            if !self.on_disk(path).exists() && self.is_staged(path) && self.restore(path) {
                told.push(format!("restored {path}"));
            }
        }
        self.close();
        told
    }

    fn put_away(&self, written: &Written) -> Option<String> {
        let path = &written.path;
        let file = self.on_disk(path);
        remove_temporaries(file.parent()?);
        let ours = fs::read(&file).is_ok_and(|bytes| Digest::of(&bytes) == written.digest);
        let told = match (ours, self.is_staged(path)) {
            (true, false) => fs::remove_file(&file).ok().map(|()| format!("removed {path}")),
            (true, true) if !self.holds(written) && self.restore(path) => {
                Some(format!("restored {path}"))
            }
            _ => None,
        };
        self.remove_empty_folders(&file);
        told
    }

    fn on_disk(&self, path: &RepoPath) -> PathBuf {
        self.top.join(path.to_string())
    }

    /// What can't be looked up is left alone.
    fn is_staged(&self, path: &RepoPath) -> bool {
        self.repository.node(Side::Index, path).map_or(true, |node| node.is_some())
    }

    fn holds(&self, written: &Written) -> bool {
        let node = self.repository.node(Side::Index, &written.path).ok().flatten();
        let bytes = node.and_then(|node| self.repository.read(node.oid).ok());
        bytes.is_none_or(|bytes| Digest::of(&bytes) == written.digest)
    }

    fn restore(&self, path: &RepoPath) -> bool {
        let path = path.to_string();
        self.repository.run_git(&["checkout-index", "--force", "--", &path]).is_ok()
    }

    /// Git knows no empty folders, so nobody would see them, or miss them.
    fn remove_empty_folders(&self, file: &Path) {
        let below = |folder: &&Path| *folder != self.top && folder.starts_with(self.top);
        for folder in file.ancestors().skip(1).take_while(below) {
            if fs::remove_dir(folder).is_err() {
                return;
            }
        }
    }
}

/// Cleans up behind a command that was cut off in this working tree, and says so. The repository's
/// lock must be held.
pub(super) fn recover(repository: &GitRepository) {
    let Some(journal) = Journal::left_behind(repository) else { return };
    let told = journal.undo();
    if !told.is_empty() {
        complain(format!("an earlier command was cut off before it was done: {}", told.join(", ")));
    }
}

/// Each working tree has a journal of its own, as it has an index of its own.
fn place(repository: &GitRepository) -> PathBuf {
    let folder = repository.common_dir().join("orch");
    let own = repository.git_dir();
    let linked = own.parent().is_some_and(|parent| parent.ends_with("worktrees"));
    match own.file_name().filter(|_| linked) {
        Some(name) => folder.join(format!("journal-{}.json", name.to_string_lossy())),
        None => folder.join("journal.json"),
    }
}

fn remove_temporaries(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.filter_map(Result::ok) {
        if entry.file_name().to_string_lossy().starts_with(super::files::TEMPORARY) {
            let _gone_already = fs::remove_file(entry.path());
        }
    }
}
