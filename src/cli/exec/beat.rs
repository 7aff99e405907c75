//! What is shown while a command runs: its output as it comes, and on a terminal how long it takes.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::{complain, is_watched};

/// A line on standard error that tells that something goes on; nothing where nobody watches.
pub(super) struct Heartbeat {
    line: ProgressBar,
}

impl Heartbeat {
    /// Begins to beat for what `title` names, which is told once where nobody watches.
    pub(super) fn begin(title: &str) -> Self {
        if !is_watched() {
            complain(title);
            return Heartbeat { line: ProgressBar::hidden() };
        }
        let style = ProgressStyle::with_template("{spinner} {prefix}, {elapsed}{msg}");
        let line = ProgressBar::new_spinner().with_prefix(title.to_owned());
        line.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        Heartbeat { line }
    }

    /// Shows that it still goes on.
    pub(super) fn beat(&self) {
        self.line.tick();
    }

    /// Shows how long is left to wait.
    pub(super) fn left(&self, left: Duration) {
        self.line.set_message(format!(" (tries again in {} s)", left.as_secs()));
        self.line.tick();
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.line.finish_and_clear();
    }
}

/// Passes a growing file through to standard output.
pub(super) struct Tail {
    file: File,
    /// The beginning of a line that the heartbeat's own line would wipe out.
    held_back: Vec<u8>,
    listened_to: bool,
}

impl Tail {
    /// Begins behind the first `offset` bytes.
    pub(super) fn of(path: &Path, offset: u64) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Tail { file, held_back: Vec::new(), listened_to: true })
    }

    /// Passes on what has come since; beside a heartbeat that can be seen, whole lines only.
    pub(super) fn pass_on(&mut self, heartbeat: &Heartbeat) {
        let mut part = vec![0; 1 << 16];
        while let Ok(count @ 1..) = self.file.read(&mut part) {
            self.held_back.extend_from_slice(&part[..count]);
            let whole = match heartbeat.line.is_hidden() {
                true => self.held_back.len(),
                false => {
                    self.held_back.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
                }
            };
            let rest = self.held_back.split_off(whole);
            let lines = std::mem::replace(&mut self.held_back, rest);
            heartbeat.line.suspend(|| self.write(&lines));
        }
    }

    /// Passes on what is left, once nothing comes any more.
    pub(super) fn finish(mut self, heartbeat: Heartbeat) {
        self.pass_on(&heartbeat);
        drop(heartbeat);
        let rest = std::mem::take(&mut self.held_back);
        if !rest.is_empty() {
            self.write(&[&rest[..], b"\n"].concat());
        }
    }

    /// A reader that has gone away ends nothing: the file holds what it missed.
    fn write(&mut self, bytes: &[u8]) {
        let mut out = std::io::stdout().lock();
        self.listened_to =
            self.listened_to && out.write_all(bytes).and_then(|()| out.flush()).is_ok();
    }
}
