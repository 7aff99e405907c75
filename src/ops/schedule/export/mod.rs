//! The schedule as other schedulers read it: GitHub Actions, systemd, crontab, Kubernetes (R003-18, R003-33).
//!
//! None of them knows the exchange's holidays, and some know no daylight saving: they wake each job at every
//! time at which it may be due, and `orch schedule run-once JOB --scheduled` decides whether it is.

#[cfg(test)]
mod conforms;
mod crontab;
mod github;
mod kubernetes;
mod systemd;

pub use crontab::crontab;
pub use github::github;
pub use kubernetes::kubernetes;
pub use systemd::systemd;

use crate::policy::Job;
use crate::source::Moment;

/// Where the jobs are to run, and from when on.
#[derive(Debug, Clone)]
pub struct Setting {
    /// What the project is called.
    pub project: String,
    /// The repository's folder on the machine that runs them.
    pub directory: String,
    /// The program `orch` on that machine.
    pub program: String,
    /// The image of containers that have `orch`.
    pub image: String,
    /// From when on; daylight saving is looked at from here.
    pub from: Moment,
}

/// A file and its text.
pub type Exported = (String, String);

/// Gives how long a run of a job may take with all its attempts and waits, in minutes; none if the policy
/// sets no limit.
fn minutes(job: &Job) -> Option<i64> {
    let timeout = job.timeout?.0.num_seconds();
    let attempts = job.retry.map_or(1, |retry| retry.maximum_attempts);
    let first =
        job.retry.and_then(|retry| retry.initial_interval).map_or(0, |wait| wait.0.num_seconds());
    let waits = (1..attempts)
        .fold((0_i64, first), |(sum, wait), _| (sum.saturating_add(wait), wait.saturating_mul(2)));
    Some((timeout.saturating_mul(attempts.into()).saturating_add(waits.0) / 60).saturating_add(1))
}

/// Gives a title on one line.
fn line(text: &str) -> String {
    text.split(char::is_control).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}
