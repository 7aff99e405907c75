//! What was raised and what was sent, in `.git/orch/alerts`, for one `orch notify` at a time.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;

use chrono::TimeDelta;

use crate::cli::ledger::write_whole;
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
        let folder = repository.common_dir().join("orch/alerts");
        let lock = || -> std::io::Result<File> {
            fs::create_dir_all(&folder)?;
            let file = File::create(folder.join("lock"))?;
            wait_for(&file, "another orch notify sends alerts of this repository")?;
            Ok(file)
        };
        let lock = lock().map_err(|error| unable(&folder, &error))?;
        let read = |name: &str| match fs::read(folder.join(name)) {
            Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(unable(&folder.join(name), &error)),
        };
        let remembered = Remembered::read(&read(SENT)?);
        let raised = read(RAISED)?;
        let raised = raised.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        Ok(Store { folder, remembered, raised, _lock: lock })
    }

    /// Gives what was raised, for as long as it is known who took it: a channel may not have yet.
    pub(super) fn pending(&self, at: Moment) -> impl Iterator<Item = &Alert> {
        self.raised.iter().filter(move |alert| at.since(alert.at) < KEPT)
    }

    /// Gives the alert that said the same not long ago.
    pub(super) fn said_before(&self, alert: &Alert) -> Option<&Alert> {
        let recent = self.raised.iter().filter(|known| alert.at.since(known.at) < SAME);
        recent.into_iter().find(|known| known.says_the_same(alert))
    }

    /// Keeps what is raised, before anybody is told.
    pub(super) fn keep(&mut self, alert: &Alert) -> Result<(), Fault> {
        self.raised.retain(|known| alert.at.since(known.at) < KEPT);
        self.raised.push(alert.clone());
        let line = |alert| serde_json::to_string(alert).expect("an alert is text") + "\n";
        write_whole(&self.folder.join(RAISED), &self.raised.iter().map(line).collect::<String>())
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

const SENT: &str = "sent.jsonl";
const RAISED: &str = "raised.jsonl";

fn unable(path: &std::path::Path, error: &std::io::Error) -> Fault {
    let message = format!("{} can't be used: {error}", path.display());
    Fault::new(message, "make the folder readable and writable")
}
