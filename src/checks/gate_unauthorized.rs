//! A gate is recorded by the coordinator who evaluated it.
//!
//! From R001-3.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::record::Payload;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "gate-unauthorized",
    group: Group::Flow,
    title: "A gate is recorded by the coordinator who evaluated it",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
Nobody lets their own work through. Gates belong to the agents that the policy calls coordinators,
and each records its own: `evaluated_by` is the entry's `actor`.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
- gate: {evaluated_by: strategy_developer}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {stage: strategy}
- write: {strategies/sma.py: code, docs/strategies/sma.md: about}
- handoff: {}
- gate: {evaluated_by: orchestrator}
```
";

fn run(_: &World, step: &Step<'_>) -> Vec<Objection> {
    let Payload::Gate(gate) = &step.record.payload else { return Vec::new() };
    let actor = &step.record.entry.actor;
    let coordinates =
        step.policy.map(|policy| policy.agents.get(actor).is_some_and(|agent| agent.coordinator));
    let (place, message) = if coordinates == Some(false) {
        (step.envelope("actor"), format!("`{actor}` is no coordinator, and records no gate"))
    } else if gate.evaluated_by != *actor {
        let evaluated_by = &gate.evaluated_by;
        let message = format!("`{actor}` records a gate that `{evaluated_by}` evaluated");
        (step.field("evaluated_by"), message)
    } else {
        return Vec::new();
    };
    let task = step.task_id().map(ToString::to_string).unwrap_or_default();
    let coordinators = step.policy.map(|policy| policy.agents_who(|agent| agent.coordinator));
    let names: Vec<String> =
        coordinators.unwrap_or_default().into_iter().map(|name| format!("`{name}`")).collect();
    let help = format!("leave it to {}: `orch gate {task}`", names.join(" or "));
    vec![Objection::new(place, message, help)]
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn gated(gate: &str) -> crate::testing::Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- propose: feature/strat-001-strategy
- run: {{}}
- write: {{strategies/sma.py: code, docs/strategies/sma.md: about}}
- handoff: {{}}
- gate: {{{gate}}}
"
        ))
    }

    /// R001-3: neither in one's own name nor in the coordinator's.
    #[test]
    fn an_agent_does_not_open_its_own_gate() {
        let own = gated("evaluated_by: strategy_developer");
        own.expect(&["gate-unauthorized"]);
        assert_eq!(own.underlined(0), "strategy_developer");
        let borrowed = gated("entry: {actor: strategy_developer}");
        borrowed.expect(&["gate-unauthorized"]);
        let lent = gated("evaluated_by: strategy_developer, entry: {actor: orchestrator}");
        lent.expect(&["gate-unauthorized"]);
        assert_eq!(lent.underlined(0), "strategy_developer");
    }

    /// A person is no coordinator by being one: the policy says who is.
    #[test]
    fn a_person_is_not_a_coordinator_by_itself() {
        gated("evaluated_by: founder").expect(&["gate-unauthorized"]);
    }
}
