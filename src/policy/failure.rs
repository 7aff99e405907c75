//! Failures: how their class is told from what a command left, and when each class is retried.

use std::sync::OnceLock;

use chrono::TimeDelta;
use regex::bytes::Regex;
use serde::Deserialize;

use super::model;
use super::terms::duration;
use crate::record::kind::{Failure, FailureClass};
use crate::source::{Digest, RunId};

/// How failures of one class are retried, in Temporal's terms (R001-15 to R001-17).
#[derive(Debug, Clone, PartialEq)]
pub struct Retry {
    /// Attempts in all, the first included; 1 means that nothing is retried.
    pub maximum_attempts: u32,
    /// Failures in a row after which the task pauses by itself.
    pub pause_after: Option<u32>,
    /// The wait behind the first attempt.
    pub initial_interval: TimeDelta,
    /// What each wait is multiplied with.
    pub backoff_coefficient: f64,
    /// The longest wait.
    pub maximum_interval: TimeDelta,
    jitter: f64,
}

/// How failures of one class are retried, in Temporal's terms (R001-15 to R001-17).
#[derive(Debug, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(super) struct FailureRetry {
    /// Attempts in all, the first included.
    pub(super) maximum_attempts: u32,
    /// The wait before the second attempt, such as `15s`; 1 s if it is not said.
    #[serde(default)]
    pub(super) initial_interval: Option<String>,
    /// What each wait is multiplied with; 2 if it is not said.
    #[serde(default)]
    pub(super) backoff_coefficient: Option<f64>,
    /// The longest wait; a hundred times the first if it is not said.
    #[serde(default)]
    pub(super) maximum_interval: Option<String>,
    /// The part of each wait that is left to chance, 0 to 1; 0 if it is not said.
    #[serde(default)]
    pub(super) jitter: Option<f64>,
    /// Failures in a row after which the task pauses by itself.
    #[serde(default)]
    pub(super) pause_after: Option<u32>,
}

impl Retry {
    /// Of a class that the policy says nothing of: it is not retried, and pauses nothing.
    pub(super) const NONE: Retry = Retry {
        maximum_attempts: 1,
        pause_after: None,
        initial_interval: TimeDelta::seconds(1),
        backoff_coefficient: 2.0,
        maximum_interval: TimeDelta::seconds(100),
        jitter: 0.0,
    };

    /// Takes what the policy says, which has been validated.
    pub(super) fn of(model: &model::FailureRetry) -> Self {
        let interval = |text: &Option<String>| text.as_deref().and_then(duration);
        let initial = interval(&model.initial_interval).unwrap_or(Retry::NONE.initial_interval);
        Retry {
            maximum_attempts: model.maximum_attempts,
            pause_after: model.pause_after,
            initial_interval: initial,
            backoff_coefficient: model
                .backoff_coefficient
                .unwrap_or(Retry::NONE.backoff_coefficient),
            maximum_interval: interval(&model.maximum_interval).unwrap_or(initial * 100),
            jitter: model.jitter.unwrap_or_default(),
        }
    }

    /// Gives the wait behind a failed attempt, in whole seconds, rounded up.
    ///
    /// The part of it that is left to chance follows from the run and the attempt, so that the
    /// guard can work it out too, and so that many runs that failed together come back apart.
    pub fn wait(&self, run: &RunId, attempt: u32) -> TimeDelta {
        let grown = self.backoff_coefficient.powi(attempt.saturating_sub(1).min(64) as i32);
        let whole = self.initial_interval.num_seconds() as f64 * grown;
        let whole = whole.min(self.maximum_interval.num_seconds() as f64);
        let seconds = whole * (1.0 - self.jitter) + whole * self.jitter * chance(run, attempt);
        TimeDelta::seconds(seconds.ceil() as i64)
    }
}

/// Gives a number from 0 to 1 that looks random and is always the same for an attempt.
fn chance(run: &RunId, attempt: u32) -> f64 {
    let hex = Digest::of(format!("{run}\n{attempt}\n").as_bytes()).hex();
    let number = u32::from_str_radix(&hex[..8], 16).expect("eight hex digits fit");
    f64::from(number) / f64::from(u32::MAX)
}

/// The word for a run that took longer than it may.
pub const TIMED_OUT: &str = "timeout";

/// What a command left when it ended without success.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'o> {
    /// Its exit code; none if a signal ended it.
    pub exit_code: Option<i32>,
    /// Whether it was stopped because it took too long.
    pub timed_out: bool,
    /// The end of its output.
    pub output: &'o str,
}

/// One rule that tells failures apart, compiled.
#[derive(Debug)]
pub(super) struct FailureRule {
    class: FailureClass,
    reason: String,
    exit_codes: Vec<i32>,
    output: Vec<Pattern>,
}

/// A regular expression, compiled when it is first asked.
#[derive(Debug)]
struct Pattern {
    text: String,
    regex: OnceLock<Regex>,
}

/// An expression that is none, and what is wrong with it.
pub(super) struct PatternFault {
    /// The rule's place in the policy's list.
    pub(super) rule: usize,
    /// The expression's place in the rule's.
    pub(super) nth: usize,
    /// What is wrong.
    pub(super) fault: String,
}

/// Gives the expressions that are none.
pub(super) fn faults(model: &[model::FailureRule]) -> Vec<PatternFault> {
    let mut faults = Vec::new();
    for (index, rule) in model.iter().enumerate() {
        for (nth, text) in rule.output.iter().enumerate() {
            let fault = pattern(text).err();
            faults.extend(fault.map(|fault| PatternFault { rule: index, nth, fault }));
        }
    }
    faults
}

/// Takes rules whose expressions are known to be some.
pub(super) fn rules(model: Vec<model::FailureRule>) -> Vec<FailureRule> {
    let patterns = |texts: Vec<String>| {
        let patterns = texts.into_iter();
        patterns.map(|text| Pattern { text, regex: OnceLock::new() }).collect()
    };
    let rules = model.into_iter().map(|rule| {
        let model::FailureRule { class, reason, exit_codes, output } = rule;
        FailureRule { class, reason, exit_codes, output: patterns(output) }
    });
    rules.collect()
}

impl Pattern {
    fn fits(&self, output: &str) -> bool {
        let compile = || pattern(&self.text).expect("a policy with problems is never compiled");
        self.regex.get_or_init(compile).is_match(output.as_bytes())
    }
}

impl FailureRule {
    fn fits(&self, ending: &Ending<'_>) -> bool {
        let code = ending.exit_code.is_some_and(|code| self.exit_codes.contains(&code));
        let told = self.output.iter().any(|pattern| pattern.fits(ending.output));
        (self.exit_codes.is_empty() || code) && (self.output.is_empty() || told)
    }
}

/// Compiles a regular expression that is matched line by line. It reads bytes, not letters of all
/// the world, whose tables would cost every guard more than the rest of the policy; `(?u)` asks for
/// them.
fn pattern(text: &str) -> Result<Regex, String> {
    let mut builder = regex::bytes::RegexBuilder::new(text);
    let compiled = builder.multi_line(true).unicode(false).size_limit(1 << 20).build();
    compiled.map_err(|error| error.to_string())
}

/// Gives a failure its class and reason: by the first rule that fits; else what took too long is
/// transient, and everything else is not.
pub(super) fn classify(rules: &[FailureRule], ending: &Ending<'_>) -> Failure {
    let told = rules.iter().find(|rule| rule.fits(ending));
    let (class, reason) = match (told, ending) {
        (Some(rule), _) => (rule.class, rule.reason.clone()),
        (None, Ending { timed_out: true, .. }) => (FailureClass::Transient, TIMED_OUT.into()),
        (None, Ending { exit_code: None, .. }) => (FailureClass::Transient, "signal".into()),
        (None, Ending { exit_code: Some(_), .. }) => {
            (FailureClass::Deterministic, "exit_code".into())
        }
    };
    Failure { class, reason, message: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn retry(jitter: f64) -> Retry {
        Retry {
            maximum_attempts: 5,
            pause_after: None,
            initial_interval: TimeDelta::seconds(15),
            backoff_coefficient: 2.0,
            maximum_interval: TimeDelta::seconds(300),
            jitter,
        }
    }

    fn run() -> RunId {
        "r0123456789".parse().expect("an id")
    }

    /// Requirement R001-15: each wait is twice the one before, up to the longest.
    #[test]
    fn waits_grow_up_to_the_longest() {
        let waits = (1..=7).map(|attempt| retry(0.0).wait(&run(), attempt).num_seconds());
        assert_eq!(waits.collect::<Vec<_>>(), [15, 30, 60, 120, 240, 300, 300]);
        assert_eq!(retry(0.0).wait(&run(), u32::MAX).num_seconds(), 300);
    }

    #[test]
    fn chance_shortens_a_wait_by_its_part_and_is_always_the_same() {
        for attempt in 1..=20 {
            let whole = retry(0.0).wait(&run(), attempt).num_seconds();
            let wait = retry(0.2).wait(&run(), attempt).num_seconds();
            assert!((whole * 8 / 10..=whole).contains(&wait), "{attempt}: {wait} of {whole}");
            assert_eq!(wait, retry(0.2).wait(&run(), attempt).num_seconds());
        }
    }

    fn ending(exit_code: Option<i32>, output: &str) -> Ending<'_> {
        Ending { exit_code, timed_out: false, output }
    }

    #[test]
    fn the_first_rule_that_fits_gives_the_class() {
        let rule = |class, reason: &str, exit_codes: &[i32], output: &[&str]| model::FailureRule {
            class,
            reason: reason.into(),
            exit_codes: exit_codes.to_vec(),
            output: output.iter().map(|text| (*text).to_owned()).collect(),
        };
        let rules = rules(vec![
            rule(FailureClass::Spec, "usage", &[64], &[]),
            rule(FailureClass::Transient, "network", &[], &["^curl: .*reset$"]),
            rule(FailureClass::Policy, "limit", &[1, 2], &["over the limit"]),
        ]);
        let told = |ending: &Ending<'_>| classify(&rules, ending).reason;
        assert_eq!(told(&ending(Some(64), "")), "usage");
        assert_eq!(told(&ending(Some(1), "one\ncurl: connection reset\nthree")), "network");
        assert_eq!(told(&ending(Some(2), "over the limit")), "limit");
        assert_eq!(told(&ending(Some(3), "over the limit")), "exit_code");
        assert_eq!(told(&ending(None, "")), "signal");
        assert_eq!(told(&Ending { timed_out: true, ..ending(None, "") }), "timeout");
    }

    #[test]
    fn an_expression_that_is_none_is_told_with_its_place() {
        let rule = |output: &[&str]| model::FailureRule {
            class: FailureClass::Transient,
            reason: "r".into(),
            exit_codes: Vec::new(),
            output: output.iter().map(|text| (*text).to_owned()).collect(),
        };
        let faults = faults(&[rule(&["fine"]), rule(&["fine", "(?i)refused", "["])]);
        let places: Vec<(usize, usize)> = faults.iter().map(|f| (f.rule, f.nth)).collect();
        assert_eq!(places, [(1, 2)]);
    }
}
