//! One command at a time runs as a run, or as a job, whatever becomes of the `orch` that started it.

use std::fs::{self, File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::cli::Stop;
use crate::ledger::RunState;
use crate::snapshot::{Fault, GitRepository};
use crate::source::{RunId, StageName, TaskId};

/// The right to run a run's, or a job's, command, until it is dropped, and as long as the command lives.
///
/// It is a locked file. The command gets it as its standard input, which reads as empty, and so
/// holds it too, even if this process is killed.
pub(in crate::cli) struct Claim {
    path: PathBuf,
    file: File,
}

/// What became of asking for it.
pub(in crate::cli) enum Asked {
    /// It is ours.
    Granted(Claim),
    /// The command runs, as the process of this number if that is known.
    Busy(Option<u32>),
}

impl Claim {
    /// Asks for the right to run a run's command; does not wait.
    pub(in crate::cli) fn ask(
        repository: &GitRepository,
        task: &TaskId,
        run: &RunId,
    ) -> Result<Asked, Fault> {
        Claim::of_file(file_of(repository, task, run))
    }

    /// Asks for the right that the lock on a file stands for; does not wait.
    pub(in crate::cli) fn of_file(path: PathBuf) -> Result<Asked, Fault> {
        let unable = |error: std::io::Error| {
            let message = format!("{} can't be locked: {error}", path.display());
            Fault::new(message, "make the folder writable")
        };
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).map_err(unable)?;
        let options = File::options().read(true).write(true).create(true).truncate(false).clone();
        let mut file = options.open(&path).map_err(unable)?;
        match file.try_lock() {
            Ok(()) => {
                let mut claim = Claim { path: path.clone(), file };
                claim.name(std::process::id());
                Ok(Asked::Granted(claim))
            }
            Err(TryLockError::WouldBlock) => {
                let mut named = String::new();
                let _nobody_is_named = file.read_to_string(&mut named);
                Ok(Asked::Busy(named.trim().parse().ok()))
            }
            Err(TryLockError::Error(error)) => Err(unable(error)),
        }
    }

    /// Tells whether it is for this run.
    pub(super) fn is_for(&self, repository: &GitRepository, task: &TaskId, run: &RunId) -> bool {
        self.path == file_of(repository, task, run)
    }

    /// Names the process that holds it, for those who ask.
    pub(in crate::cli) fn name(&mut self, process: u32) {
        let mut name = || -> std::io::Result<()> {
            self.file.set_len(0)?;
            self.file.rewind()?;
            self.file.write_all(format!("{process}\n").as_bytes())
        };
        // Without a name they are told less; nothing else depends on it.
        let _told_less = name();
    }

    /// Gives the command's standard input, from which there is nothing to read.
    pub(in crate::cli) fn input(&self) -> std::io::Result<Stdio> {
        self.file.try_clone().map(Stdio::from)
    }
}

fn file_of(repository: &GitRepository, task: &TaskId, run: &RunId) -> PathBuf {
    repository.common_dir().join("orch").join("runs").join(format!("{task}-{run}.lock"))
}

impl Drop for Claim {
    fn drop(&mut self) {
        // What the command left running in the background keeps nobody waiting.
        let _released_with_the_process = self.file.unlock();
    }
}

/// The command of a run goes on; how it ends is for those to see who wait for it.
pub(super) fn still_runs(stage: &StageName, process: Option<u32>) -> Stop {
    let process = process.map(|id| format!(", as process {id}")).unwrap_or_default();
    let help = "nothing is run twice: say this again when it has ended";
    Stop::denied(format!("the command of stage {stage} still runs{process}"), help)
}

/// Refuses while the command of a run goes on: what it makes is not done yet.
pub(in crate::cli) fn must_rest(
    repository: &GitRepository,
    task: &TaskId,
    run: &RunState,
) -> Result<(), Stop> {
    match Claim::ask(repository, task, &run.run_id)? {
        Asked::Granted(_) => Ok(()),
        Asked::Busy(process) => Err(still_runs(&run.stage, process)),
    }
}
