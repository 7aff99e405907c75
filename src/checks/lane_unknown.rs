//! A run works in its stage's lane, and its agent belongs there.
//!
//! From R001-4.

use super::{Check, Group, Objection, Run as Runs};
use crate::diagnostic::Severity;
use crate::record::kind::{Run, RunStatus};
use crate::record::{Payload, did_you_mean};
use crate::source::LaneName;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "lane-unknown",
    group: Group::Lanes,
    title: "A run works in its stage's lane, and its agent belongs there",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Runs::EachStep(run),
};

const EXPLAIN: &str = "\
The lane that a run names decides which files its branch may change. It must be one of the policy's,
the one that the policy gives the stage, and one in which the agent works. `orch run start` fills it
in.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy, lane: E}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy, lane: B}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Some(policy), Payload::Run(run)) = (step.policy, &step.record.payload) else {
        return Vec::new();
    };
    if !policy.lanes.contains_key(&run.lane) {
        let message = format!("the policy knows no lane `{}`", run.lane);
        let near = did_you_mean(run.lane.as_str(), policy.lanes.keys().map(|lane| lane.as_str()));
        let help = near.map_or(HELP.to_owned(), |near| format!("did you mean `{near}`?"));
        return vec![Objection::new(step.field("lane"), message, help)];
    }
    if let Some(lane) = due_lane(step, run).filter(|lane| **lane != run.lane) {
        let message = format!("stage `{}` is done in lane {lane}, not in {}", run.stage, run.lane);
        return vec![Objection::new(step.field("lane"), message, HELP)];
    }
    // Who takes back what went live is judged by a check of its own.
    if step.task_id().is_none() {
        return Vec::new();
    }
    let agent = policy.agents.get(&run.agent);
    if step.begun().is_some() && agent.is_some_and(|agent| !agent.lanes.contains(&run.lane)) {
        let message = format!("`{}` does not work in lane {}", run.agent, run.lane);
        return vec![Objection::new(step.field("agent"), message, HELP_AGENT)];
    }
    Vec::new()
}

/// What follows a run belongs to the lane that it was begun in, whatever the policy says by now.
fn due_lane<'w>(step: &Step<'w>, run: &Run) -> Option<&'w LaneName> {
    let begun = step.before.and_then(|state| state.run(&run.run_id));
    match (run.status, begun) {
        (RunStatus::InProgress, _) | (_, None) => step.stage(&run.stage).map(|stage| &stage.lane),
        (_, Some(begun)) => Some(&begun.lane),
    }
}

const HELP: &str = "start the run with `orch run start`, which takes the lane from the policy";
const HELP_AGENT: &str =
    "assign the stage to an agent of the lane: `orch task assign TASK --to AGENT`";

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn run_says(said: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {said}
"
        ))
    }

    #[test]
    fn a_lane_that_is_not_there_is_underlined() {
        let findings = run_says("{lane: Z}");
        findings.expect(&["lane-unknown"]);
        assert_eq!(findings.underlined(0), "Z");
    }

    /// An assignment can't carry an agent out of its lanes.
    #[test]
    fn an_assigned_agent_must_work_in_the_lane() {
        let assigned = |agent: &str| {
            story(&format!(
                "
- done: {{until: strategy}}
- assignment: {{agent: {agent}, reason: person}}
- propose: feature/strat-001-strategy
- run: {{}}
"
            ))
        };
        assigned("ml_engineer").expect(&[]);
        let findings = assigned("quant_engineer");
        findings.expect(&["lane-unknown"]);
        assert_eq!(findings.underlined(0), "quant_engineer");
    }

    /// A failed run explains changes in its lane as well, so it can't name another one.
    #[test]
    fn a_failure_stays_in_its_lane() {
        story(
            "
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {}
- run: {lane: E, status: failed, failure: {class: transient, reason: network}}
",
        )
        .expect(&["lane-unknown"]);
    }
}
