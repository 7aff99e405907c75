//! What became of a job, as one line for each of its runs; nothing of it is in Git.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::source::{JobName, Moment};

/// One run of a job on this machine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRun {
    /// The job.
    pub job: JobName,
    /// What the run was called.
    pub run_id: String,
    /// The time for which it ran; none if somebody ran it by hand.
    pub occurrence: Option<Moment>,
    /// When it began.
    pub started: Moment,
    /// When it ended.
    pub ended: Moment,
    /// How often its program was tried; 0 if it never was.
    pub attempts: u32,
    /// The exit code of the last attempt, if it had one.
    pub exit_code: Option<i32>,
    /// How it went.
    pub outcome: Outcome,
    /// The last thing that it said, or why it did not run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Where its output is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<String>,
}

/// How a run of a job went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It began; it goes on, or nobody is left who could tell how it ended.
    Began,
    /// Its program said 0.
    Succeeded,
    /// Its program said something else, as often as it was tried.
    Failed,
    /// It took longer than it may.
    TimedOut,
    /// Its program could not be started.
    NotStarted,
    /// A signal ended it, and orch with it.
    Interrupted,
    /// A halt stood over it.
    Halted,
}

impl Outcome {
    /// Gives it in one word.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Began => "began",
            Outcome::Succeeded => "succeeded",
            Outcome::Failed => "failed",
            Outcome::TimedOut => "timed_out",
            Outcome::NotStarted => "not_started",
            Outcome::Interrupted => "interrupted",
            Outcome::Halted => "halted",
        }
    }
}

/// Reads runs from lines of JSON; what is no such line, such as one that was cut off, is left out, and so is
/// the beginning of a run that has ended.
pub fn read_runs(lines: &str) -> Vec<JobRun> {
    let read = lines.lines().filter_map(|line| serde_json::from_str(line).ok());
    let mut runs: Vec<JobRun> = read.collect();
    let ended = runs.iter().filter(|run| run.outcome != Outcome::Began);
    let ended: BTreeSet<String> = ended.map(|run| run.run_id.clone()).collect();
    runs.retain(|run| run.outcome != Outcome::Began || !ended.contains(&run.run_id));
    runs
}

/// Gives the last run of each job.
pub fn last_runs(runs: &[JobRun]) -> BTreeMap<&JobName, &JobRun> {
    runs.iter().map(|run| (&run.job, run)).collect()
}

/// Gives the last run of a job for one of its times, whatever came of it; what a halt kept from running
/// may run still.
pub fn run_for<'r>(runs: &'r [JobRun], job: &JobName, occurrence: Moment) -> Option<&'r JobRun> {
    runs.iter().rev().find(|run| {
        (&run.job, run.occurrence) == (job, Some(occurrence)) && run.outcome != Outcome::Halted
    })
}

/// Tells whether a job ran, or began to, for one of its times.
pub fn has_run(runs: &[JobRun], job: &JobName, occurrence: Moment) -> bool {
    run_for(runs, job, occurrence).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(job: &str, outcome: Outcome) -> JobRun {
        let at: Moment = "2026-06-10T12:15:00Z".parse().expect("a moment");
        JobRun {
            job: job.parse().expect("a name"),
            run_id: format!("{job}-1"),
            occurrence: Some(at),
            started: at,
            ended: at,
            attempts: 1,
            exit_code: Some(0),
            outcome,
            message: None,
            log: None,
        }
    }

    #[test]
    fn a_line_that_was_cut_off_spoils_no_other() {
        let line = serde_json::to_string(&run("a", Outcome::TimedOut)).expect("JSON");
        let read = read_runs(&format!("{line}\n{}\n\n{line}\n", &line[..20]));
        assert_eq!(read, [run("a", Outcome::TimedOut), run("a", Outcome::TimedOut)]);
        assert_eq!(
            serde_json::to_value(Outcome::TimedOut).expect("JSON"),
            Outcome::TimedOut.word()
        );
    }

    /// A beginning is told as long as nothing is known of the end.
    #[test]
    fn a_run_that_ended_has_not_only_begun() {
        let line = |run: &JobRun| serde_json::to_string(run).expect("JSON");
        let (began, ended) = (run("a", Outcome::Began), run("a", Outcome::Halted));
        assert_eq!(read_runs(&line(&began)), std::slice::from_ref(&began));
        let at = began.occurrence.expect("it has a time");
        assert!(has_run(std::slice::from_ref(&began), &began.job, at));
        assert_eq!(read_runs(&format!("{}\n{}\n", line(&began), line(&ended))), [ended]);
    }

    #[test]
    fn what_a_halt_kept_back_has_not_run() {
        let at = "2026-06-10T12:15:00Z".parse().expect("a moment");
        let runs =
            [run("a", Outcome::Failed), run("b", Outcome::Halted), run("a", Outcome::Halted)];
        let ran = |job: &str| has_run(&runs, &job.parse().expect("a name"), at);
        assert_eq!([ran("a"), ran("b"), ran("c")], [true, false, false]);
        let last = last_runs(&runs);
        assert_eq!(last[&runs[0].job].outcome, Outcome::Halted);
    }
}
