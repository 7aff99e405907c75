//! What was counted over all ranges.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::history::Kind;

/// Counts, times, and everything that should not have been.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) complaints: Vec<String>,
    /// How often the program ended with each exit code, by what it was asked.
    pub(super) exits: BTreeMap<(&'static str, Option<i32>), usize>,
    /// How many findings there were, by what was asked and by check.
    pub(super) findings: BTreeMap<(&'static str, String), usize>,
    pub(super) times: Vec<Time>,
    pub(super) paths: usize,
    pub(super) steps: usize,
    pub(super) several_bases: usize,
    pub(super) other_base: usize,
    /// Real names of branches that no pattern can say.
    pub(super) unsaid: Vec<String>,
    /// Anything else that was counted, by what it is.
    pub(super) counts: BTreeMap<&'static str, usize>,
}

/// How long one range took, and Git for the same.
#[derive(Debug, Clone)]
pub(super) struct Time {
    pub(super) what: String,
    pub(super) kind: Option<Kind>,
    pub(super) paths: usize,
    pub(super) steps: usize,
    /// Within the process: opening and finding the range, and judging it.
    pub(super) range: Duration,
    pub(super) judging: Duration,
    /// The program from start to end.
    pub(super) program: Duration,
    /// `git diff --name-only` from start to end.
    pub(super) git: Duration,
}

impl Tally {
    /// Counts one more of something.
    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    /// Notes what is wrong unless it holds.
    pub(super) fn expect(&mut self, holds: bool, complaint: impl FnOnce() -> String) {
        if !holds {
            self.complaints.push(complaint());
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} changed paths and {} commits compared", self.paths, self.steps)?;
        let (several, other) = (self.several_bases, self.other_base);
        writeln!(f, "{several} ranges with several merge bases, {other} judged from another")?;
        for ((asked, code), count) in &self.exits {
            writeln!(f, "{asked}: {count} times exit {code:?}")?;
        }
        for ((asked, check), count) in &self.findings {
            writeln!(f, "{asked}: {count} findings of {check}")?;
        }
        for (what, count) in &self.counts {
            writeln!(f, "{count:6} {what}")?;
        }
        writeln!(f, "no pattern can say {:?}", self.unsaid)?;
        let mut kinds: BTreeMap<String, Vec<&Time>> = BTreeMap::new();
        for time in &self.times {
            let kind = time.kind.map_or("staged".to_owned(), |kind| kind.to_string());
            kinds.entry(kind).or_default().push(time);
        }
        writeln!(f, "median and slowest, in milliseconds: range, judging, program, Git")?;
        for (kind, times) in kinds {
            let column = |pick: fn(&Time) -> Duration| {
                let mut all: Vec<f64> =
                    times.iter().map(|time| pick(time).as_secs_f64() * 1_000.0).collect();
                all.sort_by(f64::total_cmp);
                format!("{:8.1} {:8.1}", all[all.len() / 2], all[all.len() - 1])
            };
            let columns = [
                column(|time| time.range),
                column(|time| time.judging),
                column(|time| time.program),
                column(|time| time.git),
            ];
            writeln!(f, "{kind:>12} ({:3}): {}", times.len(), columns.join(" | "))?;
        }
        let mut slowest: Vec<&Time> = self.times.iter().collect();
        slowest.sort_by_key(|time| std::cmp::Reverse(time.program));
        for time in slowest.into_iter().take(5) {
            let Time { what, paths, steps, range, judging, program, git, .. } = time;
            writeln!(
                f,
                "{what}: {paths} paths, {steps} commits; {range:.1?} and {judging:.1?}, \
                         program {program:.1?}, Git {git:.1?}"
            )?;
        }
        Ok(())
    }
}
