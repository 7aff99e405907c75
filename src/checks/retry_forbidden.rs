//! What would fail again is not tried again.
//!
//! From R001-15, R001-16.

use super::again::again;
use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::kind::FailureClass;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "retry-forbidden",
    group: Group::Retry,
    title: "What would fail again is not tried again",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A failure that may pass by itself is retried; one that would come again is not: a class whose
`maximum_attempts` is 1 in the policy's `retry`. Such a run begins anew once something has changed:
files of its lane, for `spec` the task itself (`orch task update`), for `policy` the policy; or once
a person has looked and resumed the task. The failed entry holds what the lane was then.

```yaml bad
- done: {until: backtest}
- run: {}
- run: {status: failed, failure: {class: deterministic, reason: division_by_zero}}
- propose: feature/strat-001-backtest
- run: {}
```

```yaml good
- done: {until: backtest}
- on: feature/strat-001-backtest
- run: {}
- run: {status: failed, failure: {class: deterministic, reason: division_by_zero}}
- propose: feature/strat-001-backtest
- write: {research/reports/notes.json: '{\"divisor\": 1}'}
- run: {}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let Some(again) = again(step) else { return Vec::new() };
    if again.retry.maximum_attempts > 1 || again.has_changed(world, step) {
        return Vec::new();
    }
    let task = &again.state.task.task_id;
    let failure = &again.failed.failure;
    let message = format!(
        "stage `{}` failed for {} ({}), which is not retried",
        again.run.stage,
        in_words(failure.class),
        failure.reason
    );
    let objection =
        Objection::new(step.field("run_id"), message, help(failure.class, task.as_str()));
    let told = step.earlier().find(|record| record.sequence() == again.failed.sequence);
    vec![told.into_iter().fold(objection, |objection, record| {
        let place = Place::at(record.repo_path().clone(), record.field("failure.class"));
        objection.related(place, "how it failed")
    })]
}

fn in_words(class: FailureClass) -> &'static str {
    match class {
        FailureClass::Transient => "a passing reason",
        FailureClass::Deterministic => "a reason that would come again",
        FailureClass::Spec => "a fault of the task's description",
        FailureClass::Policy => "a rule that forbids it",
    }
}

fn help(class: FailureClass, task: &str) -> String {
    let change = match class {
        FailureClass::Spec => format!("change the task: `orch task update {task} --help`"),
        FailureClass::Policy => "have the rule changed: `orch escalate --help`".to_owned(),
        FailureClass::Transient | FailureClass::Deterministic => {
            "mend it in the lane and stage that: `git add FILE`".to_owned()
        }
    };
    format!("{change}; then `orch run retry {task}`")
}

#[cfg(test)]
mod tests {
    use crate::testing::{Findings, story};

    fn again_after(class: &str, between: &str) -> Findings {
        story(&format!(
            "
- done: {{until: backtest}}
- on: feature/strat-001-backtest
- run: {{}}
- run: {{status: failed, failure: {{class: {class}, reason: r}}}}
- propose: feature/strat-001-backtest
{between}
- run: {{}}
"
        ))
    }

    /// Attack 103: neither of these three is tried again as it was.
    #[test]
    fn only_what_may_pass_is_tried_again() {
        for class in ["deterministic", "spec"] {
            let findings = again_after(class, "");
            findings.expect(&["retry-forbidden"]);
            assert_eq!(findings.report.findings[0].related.len(), 1);
        }
        again_after("transient", "").expect(&[]);
    }

    /// R001-16: the error says what to change, and a change of it opens the way.
    #[test]
    fn what_was_at_fault_has_changed() {
        let update = "- update: {title: Another}\n";
        again_after("spec", update).expect(&[]);
        again_after("deterministic", update).expect(&["retry-forbidden"]);
        let help = again_after("spec", "").report.findings[0].help.clone();
        assert!(help.contains("orch task update strat-001"), "{help}");
    }

    /// Files of another lane change nothing for this one.
    #[test]
    fn another_lane_does_not_count() {
        let elsewhere = "- write: {README.md: about}\n";
        again_after("deterministic", elsewhere).expect(&["retry-forbidden"]);
        let removed_and_back =
            "- write: {research/reports/x.json: '1'}\n- remove: {research/reports/x.json: ''}\n";
        again_after("deterministic", removed_and_back).expect(&["retry-forbidden"]);
    }

    /// A failure that does not say what its lane held can't show that anything changed.
    #[test]
    fn what_was_left_out_proves_nothing() {
        story(
            "
- done: {until: backtest}
- on: feature/strat-001-backtest
- run: {}
- run: {status: failed, failure: {class: deterministic, reason: r}, lane_state: ~}
- propose: feature/strat-001-backtest
- write: {research/reports/x.json: '1'}
- run: {}
",
        )
        .expect(&["retry-forbidden"]);
    }

    /// R001-17: a person's sign-off counts as having looked.
    #[test]
    fn a_person_may_let_it_begin_anew() {
        again_after(
            "deterministic",
            "- pause: {cause: person, reason: x}\n- resume: {approver: founder, sign_off: Try it}\n",
        )
        .expect(&[]);
    }
}
