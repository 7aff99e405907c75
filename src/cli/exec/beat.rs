//! What is shown while a command runs: its output as it comes, and on a terminal how long it takes.

use std::fs::File;
use std::io::{IsTerminal as _, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use crate::cli::output::complain;

/// A line on standard error that tells that something goes on; nothing where nobody watches.
pub(super) struct Heartbeat {
    line: ProgressBar,
}

impl Heartbeat {
    /// Begins to beat for what `title` names, which is told once where nobody watches.
    pub(super) fn begin(title: &str) -> Self {
        if !std::io::stderr().is_terminal() {
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
    listened_to: bool,
}

impl Tail {
    /// Begins behind the first `offset` bytes.
    pub(super) fn of(path: &Path, offset: u64) -> std::io::Result<Self> {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Tail { file, listened_to: true })
    }

    /// Passes on what has come since. A reader that has gone away ends nothing: the file holds it.
    pub(super) fn pass_on(&mut self, heartbeat: &Heartbeat) {
        let mut part = vec![0; 1 << 16];
        while let Ok(count @ 1..) = self.file.read(&mut part) {
            if !self.listened_to {
                continue;
            }
            let written = heartbeat.line.suspend(|| {
                let mut out = std::io::stdout().lock();
                out.write_all(&part[..count]).and_then(|()| out.flush())
            });
            self.listened_to = written.is_ok();
        }
    }
}
