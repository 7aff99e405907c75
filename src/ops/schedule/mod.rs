//! What is due when, by the policy's schedule: occurrences of jobs, and windows; pure.

mod cron;
pub mod export;
mod firing;
#[cfg(test)]
mod moved_clock;
#[cfg(test)]
mod properties;
mod run;
mod timetable;

pub use cron::Cron;
pub use firing::{Firing, firings, local_firings};
pub use run::{JobRun, Outcome, has_run, last_runs, read_runs, run_for};
pub use timetable::{DayNote, Occurrence, Stretch, Timetable};
