//! A handoff goes from the one who did the run to the one whose stage is next.
//!
//! From R000-28.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::ledger::State;
use crate::policy::ORCHESTRATOR;
use crate::record::Payload;
use crate::record::kind::Handoff;
use crate::source::AgentName;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "handoff-misdirected",
    group: Group::Flow,
    title: "A handoff goes from the one who did the run to the one whose stage is next",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A handoff is the word of the agent that did the run: `from` is that agent, and it records the entry
itself. `to` is the agent of a stage that the workflow leads to, and `orchestrator` behind the last
one. `orch handoff create` fills in both.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {to: deployment_agent}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {to: quant_engineer}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let (Payload::Handoff(handoff), Some(state)) = (&step.record.payload, step.before) else {
        return Vec::new();
    };
    [of_sender(step, state, handoff), of_receiver(step, state, handoff)]
        .into_iter()
        .flatten()
        .collect()
}

fn of_sender(step: &Step<'_>, state: &State, handoff: &Handoff) -> Option<Objection> {
    let from = &handoff.from;
    let actor = &step.record.entry.actor;
    let message = match state.active_run() {
        Some(run) if run.agent != *from => {
            format!("`{}` did this run, not `{from}`", run.agent)
        }
        _ if from != actor => format!("`{actor}` hands off in the name of `{from}`"),
        _ => return None,
    };
    let help = format!("who did the run hands it off: `orch handoff create {}`", handoff.task_id);
    Some(Objection::new(step.field("from"), message, help))
}

fn of_receiver(step: &Step<'_>, state: &State, handoff: &Handoff) -> Option<Objection> {
    let policy = step.policy?;
    let workflow = policy.workflows.get(&state.task.workflow)?;
    let stage = workflow.stage(&handoff.stage)?;
    let next = stage.next.iter().filter_map(|next| workflow.stage(next));
    let mut receivers: Vec<&str> =
        next.map(|next| policy.agent_for(&state.task, next).as_str()).collect();
    if receivers.is_empty() {
        receivers.push(ORCHESTRATOR);
    }
    let to: &AgentName = &handoff.to;
    if receivers.contains(&to.as_str()) {
        return None;
    }
    let message =
        format!("`{}` leads to `{}`, not to `{to}`", stage.name, receivers.join("` or `"));
    let help = format!("hand it to the next: `orch handoff create {}`", handoff.task_id);
    Some(Objection::new(step.field("to"), message, help))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn handed_off(handoff: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{strategies/sma.py: code, docs/strategies/sma.md: about}}
- handoff: {{{handoff}}}
"
        ))
    }

    #[test]
    fn the_sender_did_the_run_and_says_so_itself() {
        let other = handed_off("from: quant_engineer");
        other.expect(&["handoff-misdirected"]);
        assert_eq!(other.underlined(0), "quant_engineer");
        handed_off("entry: {actor: quant_engineer}").expect(&["handoff-misdirected"]);
    }

    /// R000-28: behind the last stage there is only the orchestrator.
    #[test]
    fn the_last_stage_hands_off_to_the_orchestrator() {
        let last = |to: &str| {
            story(&format!(
                "
- done: {{until: deploy_live}}
- approval: {{}}
- propose: feature/strat-001-deploy_live
- run: {{}}
- handoff: {{to: {to}}}
"
            ))
        };
        last("orchestrator").expect(&[]);
        let wrong = last("deployment_agent");
        wrong.expect(&["handoff-misdirected"]);
        assert_eq!(wrong.underlined(0), "deployment_agent");
    }

    /// An agent that took the stage over is the one who hands it off.
    #[test]
    fn an_assigned_agent_hands_off_its_own_run() {
        story(
            "
- done: {until: strategy}
- assignment: {agent: ml_engineer, reason: person}
- propose: feature/strat-001-strategy
- run: {}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {from: ml_engineer}
",
        )
        .expect(&[]);
    }
}
