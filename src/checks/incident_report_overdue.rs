//! An incident is reported in writing in time.
//!
//! From R000-51.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::world::World;

pub(super) static CHECK: Check = Check {
    name: "incident-report-overdue",
    group: Group::Governance,
    title: "An incident is reported in writing in time",
    mandatory: false,
    severity: Severity::Warning,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
An emergency lets people act first, so it owes what was left out: its written report, within
`escalation.report_due` of the policy, an hour if that does not say otherwise. The debt shows until
it is paid: `orch incident report INCIDENT --summary S`.

```yaml bad
- incident: {}
- wait: 2h
- propose: orch/x
```

```yaml good
- incident: {}
- incident_step: {step: report, outcome: A stop was lost}
- wait: 2h
- propose: orch/x
```
";

fn run(world: &World) -> Vec<Objection> {
    let within = world.policy.escalation.report_due;
    let owing = world.survey.incidents.iter().filter(|incident| {
        incident.state.reported_at.is_none() && world.at.since(incident.state.opened_at) > within
    });
    let objections = owing.map(|incident| {
        let (id, due) = (&incident.id, incident.state.opened_at.plus(within));
        let message = format!("the written report of `{id}` was due by {due}");
        let help = format!("pay it: `orch incident report {id} --summary S`");
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
            let report = "";
            story(&format!("- incident: {{}}\n{report}- wait: {time}\n- propose: orch/x\n"))
        };
        after("59m").expect(&[]);
        let late = after("61m");
        late.expect(&["incident-report-overdue"]);
        assert_eq!(late.report.findings[0].severity, Severity::Warning);
        assert!(!late.report.refused());
    }
}
