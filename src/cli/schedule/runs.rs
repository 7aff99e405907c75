//! The list of what became of jobs on this machine: one line of JSON a run, beside Git's own files.

use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::cli::lock::Lock;
use crate::ops::schedule::{JobRun, read_runs};
use crate::snapshot::{Fault, GitRepository};
use crate::source::JobName;

/// From this size on, in bytes, the list begins anew; what came before is kept once.
const FULL: u64 = 1 << 20;
/// How many outputs are kept of each job.
const KEPT: usize = 30;

/// Gives the folder of the schedule's own files on this machine.
pub(super) fn folder(repository: &GitRepository) -> PathBuf {
    repository.common_dir().join("orch").join("schedule")
}

fn files(repository: &GitRepository) -> [PathBuf; 2] {
    ["runs.1.jsonl", "runs.jsonl"].map(|name| folder(repository).join(name))
}

/// Reads all runs that are still on the list, the oldest first.
pub(super) fn read(repository: &GitRepository) -> Result<Vec<JobRun>, Fault> {
    let mut all = Vec::new();
    for file in files(repository) {
        match fs::read(&file) {
            Ok(bytes) => all.extend(read_runs(&String::from_utf8_lossy(&bytes))),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(unable(&file, &error)),
        }
    }
    Ok(all)
}

/// Puts a run on the list.
pub(super) fn append(repository: &GitRepository, run: &JobRun) -> Result<(), Fault> {
    let [before, file] = files(repository);
    let full = || fs::metadata(&file).is_ok_and(|data| data.len() > FULL);
    if full() {
        let _lock = Lock::take(repository)?;
        if full() {
            fs::rename(&file, &before).map_err(|error| unable(&before, &error))?;
        }
    }
    let line = serde_json::to_string(run).expect("plain values are JSON");
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder(repository))?;
        let mut list = File::options().create(true).append(true).read(true).open(&file)?;
        // A line that was cut off must not swallow this one.
        let begin = if ends_a_line(&mut list)? { "" } else { "\n" };
        // In one piece: two jobs may end at once.
        list.write_all(format!("{begin}{line}\n").as_bytes())
    };
    write().map_err(|error| unable(&file, &error))
}

/// Tells whether a file is empty, or ends with a line that is whole.
fn ends_a_line(file: &mut File) -> std::io::Result<bool> {
    if file.metadata()?.len() == 0 {
        return Ok(true);
    }
    file.seek(SeekFrom::End(-1))?;
    let mut last = [0];
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Gives the file for the output of a run, and lets go of the oldest outputs of the job.
pub(super) fn log(repository: &GitRepository, job: &JobName, run_id: &str) -> PathBuf {
    let folder = folder(repository).join("logs").join(job.as_str());
    let entries = fs::read_dir(&folder).into_iter().flatten().flatten();
    let mut known: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    // Their names tell their moments behind the job's.
    known.sort();
    for old in known.iter().rev().skip(KEPT - 1) {
        let _stays_a_little_longer = fs::remove_file(old);
    }
    folder.join(format!("{run_id}.log"))
}

fn unable(file: &Path, error: &std::io::Error) -> Fault {
    let message = format!("{} can't be used: {error}", file.display());
    Fault::new(message, "make the folder writable")
}
