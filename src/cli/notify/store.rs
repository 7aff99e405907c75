//! What was raised and what was sent, in `.git/orch/alerts`, for one `orch notify` at a time.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use chrono::TimeDelta;

use crate::cli::files::write_whole;
use crate::cli::ledger::Writing;
use crate::cli::lock::wait_for;
use crate::ops::{Alert, KEPT, Remembered, Sent};
use crate::snapshot::{Fault, GitRepository};
use crate::source::Moment;

/// What is raised again within this time is the same.
const SAME: TimeDelta = TimeDelta::hours(1);

/// The memory of a repository's alerts, held until it is dropped.
pub(super) struct Store {
    folder: PathBuf,
    /// What each channel took.
    pub(super) remembered: Remembered,
    raised: Vec<Alert>,
    _lock: File,
}

impl Store {
    /// Waits for its turn, and reads.
    pub(super) fn open(repository: &GitRepository) -> Result<Self, Fault> {
        let folder = folder(repository)?;
        let lock = || -> std::io::Result<File> {
            let file = File::create(folder.join("lock"))?;
            wait_for(&file, "another orch notify sends alerts of this repository")?;
            Ok(file)
        };
        let lock = lock().map_err(|error| unable(&folder, &error))?;
        let remembered = Remembered::read(&read(&folder.join(SENT))?);
        let raised = raised(&folder)?;
        Ok(Store { folder, remembered, raised, _lock: lock })
    }

    /// Gives what was raised, for as long as it is known who took it: a channel may not have yet.
    pub(super) fn pending(&self, at: Moment) -> impl Iterator<Item = &Alert> {
        self.raised.iter().filter(move |alert| at.since(alert.at) < KEPT)
    }

    /// Remembers what a channel took, at once.
    pub(super) fn took(&mut self, sent: Sent) -> Result<(), Fault> {
        let path = self.folder.join(SENT);
        // Behind whatever a command that was cut off left of its last line.
        let line = format!("\n{}\n", serde_json::to_string(&sent).expect("an alert is text"));
        let append = || -> std::io::Result<()> {
            let mut file = File::options().create(true).append(true).open(&path)?;
            file.write_all(line.as_bytes())?;
            file.sync_data()
        };
        append().map_err(|error| unable(&path, &error))?;
        self.remembered.add(sent);
        Ok(())
    }

    /// Forgets what is over for long.
    pub(super) fn prune(&mut self, at: Moment) -> Result<(), Fault> {
        let text = self.remembered.pruned(at);
        write_whole(&self.folder.join(SENT), &text)
    }
}

/// Keeps what is raised, before anybody is told, and even while another `orch notify` still sends: should
/// this one not live to send it, the next one will. Gives the alert that said the same not long ago
/// instead, if there is one.
pub(super) fn keep(
    repository: &GitRepository,
    alert: &Alert,
    writing: Writing,
) -> Result<Option<Alert>, Fault> {
    let folder = folder(repository)?;
    let lock = || -> std::io::Result<File> {
        let file = File::create(folder.join("raised.lock"))?;
        wait_for(&file, "another orch notify keeps what it was told")?;
        Ok(file)
    };
    let _held = lock().map_err(|error| unable(&folder, &error))?;
    let mut raised = raised(&folder)?;
    let recent = |known: &&Alert| alert.at.since(known.at) < SAME && known.says_the_same(alert);
    if let Some(known) = raised.iter().find(recent) {
        return Ok(Some(known.clone()));
    }
    if !writing.dry_run {
        raised.retain(|known| alert.at.since(known.at) < KEPT);
        raised.push(alert.clone());
        let line = |alert| serde_json::to_string(alert).expect("an alert is text") + "\n";
        write_whole(&folder.join(RAISED), raised.iter().map(line).collect::<String>())?;
    }
    Ok(None)
}

fn folder(repository: &GitRepository) -> Result<PathBuf, Fault> {
    let folder = repository.common_dir().join("orch/alerts");
    fs::create_dir_all(&folder).map_err(|error| unable(&folder, &error))?;
    Ok(folder)
}

fn raised(folder: &Path) -> Result<Vec<Alert>, Fault> {
    let text = read(&folder.join(RAISED))?;
    Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
}

fn read(path: &Path) -> Result<String, Fault> {
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(unable(path, &error)),
    }
}

const SENT: &str = "sent.jsonl";
const RAISED: &str = "raised.jsonl";

fn unable(path: &Path, error: &std::io::Error) -> Fault {
    let message = format!("{} can't be used: {error}", path.display());
    Fault::new(message, "make the folder readable and writable")
}
