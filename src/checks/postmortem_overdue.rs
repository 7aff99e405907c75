//! What was learnt from an incident is written down in time.
//!
//! From R000-51.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "postmortem-overdue",
    group: Group::Governance,
    title: "What was learnt from an incident is written down in time",
    mandatory: false,
    severity: Severity::Warning,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
An emergency lets people act first, so it owes what was left out: its post-mortem, within
`escalation.postmortem_due` of the policy, a day if that does not say otherwise. The debt shows
until it is paid: `orch incident postmortem INCIDENT --summary S --root-cause R --action A`.

```yaml bad
- incident: {}
- incident_step: {step: report, outcome: A stop was lost}
- wait: 25h
- propose: orch/x
```

```yaml good
- incident: {}
- incident_step: {step: report, outcome: A stop was lost}
- postmortem: {}
- wait: 25h
- propose: orch/x
```
";

fn run(world: &World) -> Vec<Objection> {
    let within = world.policy.escalation.postmortem_due;
    let owing = world.survey.incidents.iter().filter(|incident| {
        incident.state.postmortem_at.is_none() && world.at.since(incident.state.opened_at) > within
    });
    let objections = owing.map(|incident| {
        let (id, due) = (&incident.id, incident.state.opened_at.plus(within));
        let message = format!("the post-mortem of `{id}` was due by {due}");
        let help = format!(
            "pay it: `orch incident postmortem {id} --summary S --root-cause R --action A`"
        );
        Objection::new(Place::file(incident.path.clone()), message, help)
    });
    objections.collect()
}

#[cfg(test)]
mod tests {
    use crate::diagnostic::Severity;
    use crate::testing::story;

    /// R000-51: on time, nothing is said; later, a warning that refuses nothing.
    #[test]
    fn the_debt_shows_when_it_is_due() {
        let after = |time: &str| {
            let report = "- incident_step: {step: report, outcome: A stop was lost}\n";
            story(&format!("- incident: {{}}\n{report}- wait: {time}\n- propose: orch/x\n"))
        };
        after("23h").expect(&[]);
        let late = after("25h");
        late.expect(&["postmortem-overdue"]);
        assert_eq!(late.report.findings[0].severity, Severity::Warning);
        assert!(!late.report.refused());
    }
}
