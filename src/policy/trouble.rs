//! What a policy says of trouble: failures, disputes, incidents and their procedures.

use chrono::TimeDelta;

use super::failure::PatternFault;
use super::model::{self, Model};
use super::terms::{DURATION_HELP, Problems, duration, not_a_duration};

/// The stage that takes back what went live.
pub const ROLLBACK_STAGE: &str = "rollback";

/// Adds everything that is wrong with it.
pub(super) fn problems(model: &Model, patterns: &[PatternFault], problems: &mut Problems<'_>) {
    failures(model, problems);
    for PatternFault { rule, nth, fault } in patterns {
        let message = format!("`{}` is no regular expression", model.failures[*rule].output[*nth]);
        problems.at(&format!("failures.{rule}.output.{nth}"), message, fault.as_str());
    }
    for (name, text) in [
        ("decision_due", &model.escalation.decision_due),
        ("report_due", &model.escalation.report_due),
        ("postmortem_due", &model.escalation.postmortem_due),
        ("stalled_after", &model.escalation.stalled_after),
    ] {
        if duration(text).is_none_or(|time| time <= TimeDelta::zero()) {
            let field = format!("escalation.{name}");
            problems.at(&field, not_a_duration(text), DURATION_HELP);
        }
    }
    for (name, workflow) in &model.workflows {
        if let Some(rollback) = &workflow.rollback {
            rollback_problems(model, &format!("workflows.{name}.rollback"), rollback, problems);
        }
    }
}

fn failures(model: &Model, problems: &mut Problems<'_>) {
    for (index, rule) in model.failures.iter().enumerate() {
        let field = format!("failures.{index}");
        if rule.reason.trim().is_empty() {
            let message = "this rule gives no reason".to_owned();
            problems.at(&format!("{field}.reason"), message, "name it in a word");
        }
        if rule.exit_codes.is_empty() && rule.output.is_empty() {
            let help = "give it `exit_codes`, or `output` with regular expressions";
            problems.at(&field, "this rule would fit every failure".into(), help);
        }
        // The first rule that fits counts (attack 24).
        if let Some(first) = model.failures[..index].iter().position(|other| hides(other, rule)) {
            let message = format!("this rule never matches: rule {} fits first", first + 1);
            problems.at(&field, message, "put the narrower one first, or drop it");
        }
    }
}

/// Tells whether whatever fits the second rule plainly fits the first.
fn hides(first: &model::FailureRule, second: &model::FailureRule) -> bool {
    fn all<T: PartialEq>(first: &[T], second: &[T]) -> bool {
        first.is_empty() || (!second.is_empty() && second.iter().all(|one| first.contains(one)))
    }
    all(&first.exit_codes, &second.exit_codes) && all(&first.output, &second.output)
}

fn rollback_problems(
    model: &Model,
    field: &str,
    rollback: &model::Rollback,
    problems: &mut Problems<'_>,
) {
    let model::Rollback { agent, lane } = rollback;
    match model.agents.get(agent) {
        None => {
            let message = format!("there is no agent `{agent}`");
            problems.at(&format!("{field}.agent"), message, "add it to `agents`");
        }
        Some(known) if !known.lanes.contains(lane) => {
            let message = format!("`{agent}` does not work in lane `{lane}`");
            problems.at(&format!("{field}.lane"), message, "add the lane to the agent's `lanes`");
        }
        Some(_) => {}
    }
}
