//! A program that is tried again, with longer and longer waits.

use std::time::{Duration, Instant};

use super::program::{Ended, How};
use crate::cli::Stop;
use crate::cli::output::complain;
use crate::cli::signals::Signals;

/// How often it is looked whether a wait is over.
const GLANCE: Duration = Duration::from_millis(25);
/// No wait between two attempts is longer.
const LONGEST: Duration = Duration::from_secs(3600);

/// How often a program is tried, and when it has done its work.
pub(in crate::cli) struct Tries<'a> {
    /// What is told while it is waited for the next attempt; without it, nothing.
    pub(in crate::cli) title: Option<String>,
    /// How often in all, at least once.
    pub(in crate::cli) maximum: u32,
    /// How long to wait before the second attempt; each later wait is twice as long.
    pub(in crate::cli) interval: Duration,
    /// The exit codes with which it has done its work; 0 alone if none is named.
    pub(in crate::cli) accept: &'a [i32],
}

/// What became of a program that was tried.
pub(in crate::cli) struct Tried {
    /// How the last attempt ended.
    pub(in crate::cli) last: Ended,
    /// How many attempts there were.
    pub(in crate::cli) attempts: u32,
    /// Whether it has done its work.
    pub(in crate::cli) succeeded: bool,
    /// Whether a signal to this process ended it before its last attempt did.
    pub(in crate::cli) cut_off: bool,
}

impl Tries<'_> {
    /// Makes one attempt after the other, each told its number, until one has done its work; a signal to
    /// this process ends that.
    pub(in crate::cli) fn carry_out(
        &self,
        signals: &Signals,
        mut attempt: impl FnMut(u32) -> Result<Ended, Stop>,
    ) -> Result<Tried, Stop> {
        let (mut attempts, mut wait) = (0, self.interval);
        loop {
            attempts += 1;
            let last = attempt(attempts)?;
            let succeeded = self.accepts(&last.how);
            let over = succeeded || attempts >= self.maximum;
            if over || signals.caught().is_some() {
                let cut_off = !succeeded && (!over || matches!(last.how, How::Interrupted));
                return Ok(Tried { last, attempts, succeeded, cut_off });
            }
            if let Some(title) = &self.title {
                let (how, wait) = (last.in_words(), wait.as_secs());
                complain(format!("{title} failed, {how}; it is tried again in {wait} s"));
            }
            rest(wait, signals);
            if signals.caught().is_some() {
                return Ok(Tried { last, attempts, succeeded, cut_off: true });
            }
            wait = wait.saturating_mul(2).min(LONGEST);
        }
    }

    fn accepts(&self, how: &How) -> bool {
        let How::Exited(Some(code)) = how else { return false };
        if self.accept.is_empty() { *code == 0 } else { self.accept.contains(code) }
    }
}

/// Waits, or until a signal comes.
fn rest(wait: Duration, signals: &Signals) {
    let begun = Instant::now();
    while begun.elapsed() < wait && signals.caught().is_none() {
        std::thread::sleep(GLANCE.min(wait));
    }
}
