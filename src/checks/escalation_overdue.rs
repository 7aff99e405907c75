//! What was escalated is decided in time.
//!
//! From R000-48, R000-49.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::ledger::Escalated;
use crate::record::Home;
use crate::source::TaskId;
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "escalation-overdue",
    group: Group::Governance,
    title: "What was escalated is decided in time",
    mandatory: false,
    severity: Severity::Warning,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A conflict of agents and a dispute of an audit wait for a person, and the task waits with them. The
decision is due within `decision_due` of the policy's `escalation`, a day if it says nothing. One
that is overdue is told by every guard, until somebody decides: `orch decide --resolves
TASK/SEQUENCE`.

```yaml bad
- done: {until: backtest}
- escalation:
    level: 1
    trigger: Two views of the costs
    positions:
      - {agent: quant_engineer, statement: Ten points}
      - {agent: strategy_developer, statement: Five points}
- wait: 25h
- propose: orch/other
- write: {README.md: about}
```

```yaml good
- done: {until: backtest}
- escalation:
    level: 1
    trigger: Two views of the costs
    positions:
      - {agent: quant_engineer, statement: Ten points}
      - {agent: strategy_developer, statement: Five points}
- decision: {title: Costs, resolves: [strat-001/5]}
- wait: 25h
- propose: orch/other
- write: {README.md: about}
```
";

fn run(world: &World) -> Vec<Objection> {
    let touched = world.ledgers.values().filter_map(|ledger| ledger.state());
    let touched = touched.filter(|state| state.closed.is_none()).flat_map(|state| {
        state.escalations.iter().map(|escalated| (&state.task.task_id, escalated))
    });
    let elsewhere = |task: &TaskId| !world.ledgers.contains_key(&Home::Task(task.clone()));
    let others = world.survey.escalations.iter().filter(|(task, _)| elsewhere(task));
    let others = others.map(|(task, escalated)| (task, escalated));
    let overdue = touched.chain(others).filter(|(task, escalated)| {
        let name = ((*task).clone(), escalated.sequence);
        world.at > escalated.escalation.due_at && !world.settled.contains_key(&name)
    });
    overdue.map(|(task, escalated)| objection(task, escalated)).collect()
}

fn objection(task: &TaskId, escalated: &Escalated) -> Objection {
    let due = escalated.escalation.due_at;
    let message = format!(
        "`{task}` waits for a decision that was due at {due}: {}",
        escalated.escalation.trigger
    );
    let help = format!("a person decides: `{}`", escalated.deciding(task));
    Objection::new(Place::file(escalated.path.clone()), message, help).task(task)
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const DISPUTE: &str = "
- done: {until: backtest}
- escalation:
    level: 1
    trigger: Two views of the costs
    positions:
      - {agent: quant_engineer, statement: Ten points}
      - {agent: strategy_developer, statement: Five points}
";

    /// Requirement R000-48: a day, and not a minute less.
    #[test]
    fn a_day_is_given() {
        let after = |wait: &str| {
            story(&format!(
                "{DISPUTE}- wait: {wait}\n- propose: orch/x\n- write: {{README.md: about}}\n"
            ))
        };
        after("24h").expect(&[]);
        let findings = after("86401s");
        findings.expect(&["escalation-overdue"]);
        assert!(findings.report.findings[0].help.contains("strat-001/5"));
        assert!(!findings.report.refused(), "it is told, and refuses nobody else's work");
    }

    /// The decision itself pays the debt; a closed task owes none.
    #[test]
    fn it_is_told_until_it_is_decided() {
        let late = format!("{DISPUTE}- wait: 25h\n- propose: main\n");
        story(&format!("{late}- decision: {{resolves: [strat-001/5]}}\n")).expect(&[]);
        story(&format!("{late}- decision: {{}}\n")).expect(&["escalation-overdue"]);
        let closed = "- close: {outcome: abandoned, reason: no}\n";
        story(&format!("{late}{closed}")).expect(&[]);
    }
}
