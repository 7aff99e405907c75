//! One `orch` at a time writes in a repository; the next one finds it whole.

use std::fs::{self, File, TryLockError};
use std::time::{Duration, Instant};

use super::journal;
use super::output::complain;
use crate::snapshot::{Fault, GitRepository};

/// Keeps other `orch` processes of this repository out, in all its worktrees, until it is dropped.
///
/// A Git that is started meanwhile holds it too: it may outlive an `orch` that is killed, and the
/// next one waits until it is done.
pub(super) struct Lock {
    file: File,
}

impl Lock {
    /// Waits for its turn, and cleans up behind a command that was cut off.
    pub(super) fn take(repository: &GitRepository) -> Result<Self, Fault> {
        let folder = repository.common_dir().join("orch");
        let unable = |error: std::io::Error| {
            let message = format!("the lock in {} can't be taken: {error}", folder.display());
            Fault::new(message, "make the folder writable")
        };
        fs::create_dir_all(&folder).map_err(unable)?;
        let file = File::create(folder.join("lock")).map_err(unable)?;
        wait_for(&file, "another orch or git writes in this repository").map_err(unable)?;
        repository.hold(file.try_clone().map_err(unable)?);
        journal::recover(repository);
        Ok(Lock { file })
    }
}

/// Waits for a lock; says so if that takes long, with what its holder does, and that nothing is amiss.
pub(super) fn wait_for(file: &File, holder: &str) -> std::io::Result<()> {
    let began = Instant::now();
    let mut told = false;
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
        if !told && began.elapsed() > PATIENCE {
            complain(format!("{holder}; waiting for it to end"));
            told = true;
        }
        std::thread::sleep(GLANCE);
    }
}

/// How long it waits without a word.
const PATIENCE: Duration = Duration::from_secs(3);
const GLANCE: Duration = Duration::from_millis(2);

impl Drop for Lock {
    fn drop(&mut self) {
        // Others hold the same file; what they hold must not keep the next one waiting.
        let _released_with_the_process = self.file.unlock();
    }
}
