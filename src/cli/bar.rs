//! How far a long look got, as a bar on standard error.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use super::output::is_watched;
use crate::guard::Progress;

/// What is over sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// A bar that is drawn from one second on, where somebody watches, and wiped out when it is dropped.
pub(super) struct Bar {
    began: Instant,
    watched: bool,
    line: OnceLock<ProgressBar>,
}

impl Bar {
    /// Begins to wait.
    pub(super) fn begin() -> Self {
        Bar { began: Instant::now(), watched: is_watched(), line: OnceLock::new() }
    }

    /// Shows how far it got, if that takes long.
    pub(super) fn show(&self, Progress { done, all }: Progress) {
        if self.watched && self.began.elapsed() >= PATIENCE {
            let line = self.line.get_or_init(|| drawn(all));
            line.set_position(line.position().max(done as u64));
        }
    }
}

impl Drop for Bar {
    fn drop(&mut self) {
        if let Some(line) = self.line.get() {
            line.finish_and_clear();
        }
    }
}

fn drawn(all: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_bar} {pos} of {len} ledgers, {eta} left");
    let line = ProgressBar::new(all as u64);
    line.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_soon_has_no_bar() {
        let bar = Bar { began: Instant::now(), watched: true, line: OnceLock::new() };
        bar.show(Progress { done: 1, all: 2 });
        assert!(bar.line.get().is_none());
    }

    #[test]
    fn a_bar_tells_how_far_it_got_and_never_less() {
        let began = Instant::now().checked_sub(PATIENCE).expect("a machine that runs for a while");
        let bar = Bar { began, watched: true, line: OnceLock::new() };
        for (done, shown) in [(256, 256), (768, 768), (512, 768)] {
            bar.show(Progress { done, all: 1_000 });
            let line = bar.line.get().expect("it took long");
            assert_eq!((line.position(), line.length()), (shown, Some(1_000)));
        }
    }

    #[test]
    fn nobody_watches_nothing_is_drawn() {
        let began = Instant::now().checked_sub(PATIENCE).expect("a machine that runs for a while");
        let bar = Bar { began, watched: false, line: OnceLock::new() };
        bar.show(Progress { done: 1, all: 2 });
        assert!(bar.line.get().is_none());
    }
}
