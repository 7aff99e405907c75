//! A plan as other schedulers read it: GitHub Actions, AgentRuns in a cluster, Argo Workflows.
//!
//! What users wrote (titles, prompts, commands) is data in all of them: it goes through environment
//! variables and never into a script. Every job ends in `orch run exec`, so that the guard's rules hold
//! wherever it runs.

mod agentrun;
mod argo;
mod github;
#[cfg(test)]
mod sample;
mod templates;
#[cfg(test)]
mod conforms;

use std::collections::BTreeSet;

use chrono::TimeDelta;

pub use agentrun::agentrun;
pub use argo::argo;
pub use github::{CHECKOUT, github_matrix, github_workflow, literal};
pub use templates::{STAGE_TEMPLATES, stage_templates};

use super::{Job, Target};
use crate::source::Digest;

/// Why jobs can't be written for a scheduler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unfit {
    /// What is wrong, in one sentence without a full stop.
    pub message: String,
    /// What to do next.
    pub help: String,
}

impl Unfit {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Unfit { message: message.into(), help: help.into() }
    }
}

/// The longest name of a run, which becomes a label in a cluster (R001-21).
const NAME_LIMIT: usize = 63;

/// Gives a name that clusters take: small letters, digits and `-`, at most 63 bytes. A text that had to
/// be changed for that gets a digest of itself behind it, so that two texts never share a name.
fn name(text: &str) -> String {
    label(text, NAME_LIMIT)
}

/// The same, of at most `most` bytes, which are more than a dozen.
pub fn label(text: &str, most: usize) -> String {
    let plain = plain(text);
    let starts = |name: &str| name.starts_with(|first: char| first.is_ascii_alphabetic());
    if plain == text && plain.len() <= most && starts(&plain) {
        return plain;
    }
    let digest = Digest::of(text.as_bytes()).hex();
    let begins = if starts(&plain) { "" } else { "n-" };
    let room = most - 9 - begins.len();
    let kept = plain[..plain.len().min(room)].trim_end_matches('-');
    format!("{begins}{kept}-{}", &digest[..8])
}

/// Gives a text in small letters, digits and single `-`, none of them at its ends.
fn plain(text: &str) -> String {
    let letters = text.to_ascii_lowercase();
    let words = letters.split(|letter: char| !letter.is_ascii_alphanumeric());
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("-")
}

/// Gives the name of a job's run: the same for the same task, stage and run, and for no other (R001-18).
fn run_name(job: &Job) -> String {
    name(&format!("{}-{}-{}", job.task_id, job.stage, job.run_id))
}

/// Gives a time in whole seconds, at least one, as a 32-bit number.
fn seconds(time: TimeDelta) -> i64 {
    time.num_seconds().clamp(1, i64::from(i32::MAX))
}

/// Refuses a plan of nothing, which no scheduler takes for one.
fn check_some(jobs: &[Job]) -> Result<(), Unfit> {
    match jobs.is_empty() {
        true => Err(Unfit::new("the plan has no job", "see what waits: `orch status`")),
        false => Ok(()),
    }
}

/// Refuses jobs that stand there twice, and those that have no command where one is run.
fn check(jobs: &[Job], runs_commands: bool) -> Result<(), Unfit> {
    let mut names = BTreeSet::new();
    for job in jobs {
        let (task, stage) = (&job.task_id, &job.stage);
        if !names.insert(run_name(job)) {
            let message = format!("stage `{stage}` of `{task}` stands in the plan twice");
            return Err(Unfit::new(message, "plan it once"));
        }
        if runs_commands && job.command.is_empty() {
            let message =
                format!("`{}`, who runs stage `{stage}` of `{task}`, has no command", job.agent);
            let help = format!("give `{}` a `command` in the policy", job.agent);
            return Err(Unfit::new(message, help));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::sample::job;
    use super::*;

    #[test]
    fn names_that_fit_are_kept() {
        assert_eq!(name("strat-001-backtest-r0123456789"), "strat-001-backtest-r0123456789");
        assert!(name("Strat-001").starts_with("strat-001-"));
        assert_ne!(name("strat.001"), name("strat_001"));
        assert!(name("9-lives").starts_with("n-9-lives-"));
    }

    #[test]
    fn a_job_stands_in_a_plan_once() {
        let twice = [job("aa-1"), job("aa-1")];
        assert!(check(&twice, false).expect_err("twice").message.contains("twice"));
        let mut idle = job("aa-1");
        idle.command.clear();
        assert_eq!(check(std::slice::from_ref(&idle), false), Ok(()));
        assert!(check(&[idle], true).expect_err("no command").help.contains("`command`"));
    }

    proptest! {
        /// R001-21: at most 63 bytes, as a label; the same every time; another for another text.
        #[test]
        fn every_name_is_a_label(one in "[A-Za-z][A-Za-z0-9._-]{0,80}|.*", two in "[a-z._-]{0,70}") {
            let label = regex::Regex::new("^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$").expect("a pattern");
            prop_assert!(label.is_match(&name(&one)), "{}", name(&one));
            prop_assert_eq!(name(&one), name(&one));
            prop_assert_eq!(name(&one) == name(&two), one == two);
        }
    }
}
