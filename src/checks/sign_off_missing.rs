//! What was paused or halted goes on only with a person's own sign-off.
//!
//! From R001-17, R003-14, R000-48.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::Severity;
use crate::policy::Policy;
use crate::record::kind::{Decision, Resume};
use crate::record::{Payload, did_you_mean};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "sign-off-missing",
    group: Group::Authority,
    title: "What was paused or halted goes on only with a person's own sign-off",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
A pause and a halt are there so that a person looks, and a dispute so that one decides. A resume
therefore names a person as its approver, is written by that very person, and says in `sign_off`
what they looked at: `orch resume TASK --sign-off S`, `orch unhalt HALT --sign-off S`. A halt that
names an incident, or that does not end by itself, is lifted in the name of an incident that is on
the record: `orch incident open --trigger T` opens one, and `orch unhalt HALT --sign-off S
--incident INCIDENT` names it.

```yaml bad
- done: {until: strategy}
- pause: {cause: person, reason: The data looks odd}
- propose: feature/strat-001-strategy
- resume: {approver: strategy_developer, sign_off: It looks fine again}
```

```yaml good
- done: {until: strategy}
- pause: {cause: person, reason: The data looks odd}
- propose: feature/strat-001-strategy
- resume: {approver: founder, sign_off: I compared it with the exchange}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    match (step.policy, &step.record.payload) {
        (Some(policy), Payload::Resume(resume)) => of_resume(world, policy, step, resume),
        // One that lets guarded files change has a check of its own.
        (Some(policy), Payload::Decision(decision)) if decision.changes.is_empty() => {
            of_decision(policy, step, decision)
        }
        _ => Vec::new(),
    }
}

/// A decision is a person's, written by one of those who made it (attack 95).
fn of_decision(policy: &Policy, step: &Step<'_>, decision: &Decision) -> Vec<Objection> {
    let actor = &step.record.entry.actor;
    let makers = decision.decision_makers.iter().enumerate();
    let (place, message) = match makers.into_iter().find(|(_, name)| !policy.is_person(name)) {
        Some((index, name)) => (
            step.field(&format!("decision_makers.{index}")),
            format!("`{name}` is no person, and only people decide"),
        ),
        None if !decision.decision_makers.contains(actor) => {
            (step.envelope("actor"), format!("`{actor}` writes down a decision that others made"))
        }
        None => return Vec::new(),
    };
    let help = format!("ask {}: `orch decide`", people(policy));
    vec![Objection::new(place, message, help)]
}

fn people(policy: &Policy) -> String {
    let people = policy.agents_who(|agent| agent.human);
    people.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" or ")
}

fn of_resume(world: &World, policy: &Policy, step: &Step<'_>, resume: &Resume) -> Vec<Objection> {
    let (approver, actor) = (&resume.approver, &step.record.entry.actor);
    let (field, message) = if !policy.is_person(approver) {
        ("approver", format!("`{approver}` is no person, and only a person signs off"))
    } else if actor != approver {
        ("approver", format!("`{actor}` signs off in the name of `{approver}`"))
    } else if resume.sign_off.trim().is_empty() {
        ("sign_off", "this sign-off says nothing".to_owned())
    } else {
        return without_incident(world, step, resume).into_iter().collect();
    };
    let command = match step.task_id() {
        Some(task) => format!("orch resume {task} --sign-off S"),
        None => unhalt(step),
    };
    let help = format!("ask {}: `{command}`", people(policy));
    vec![Objection::new(step.field(field), message, help)]
}

fn unhalt(step: &Step<'_>) -> String {
    let id = step.ledger.home.id().map_or("HALT", |id| id.as_str());
    format!("orch unhalt {id} --sign-off S")
}

/// Why it was halted is looked into on the record (R003-13, R003-14).
fn without_incident(world: &World, step: &Step<'_>, resume: &Resume) -> Option<Objection> {
    let Payload::Halt(halt) = &step.ledger.records.first()?.payload else { return None };
    if halt.incident.is_none() && halt.until.is_some() {
        return None;
    }
    let known = &world.survey.known_incidents;
    let (place, message, near) = match &resume.incident {
        Some(incident) if known.contains(incident) => return None,
        Some(incident) => {
            let near = did_you_mean(incident.as_str(), known.iter().map(|id| id.as_str()));
            (step.field("incident"), format!("there is no incident `{incident}`"), near)
        }
        None => (step.heading(), "this lifts a halt and names no incident".to_owned(), None),
    };
    let incident = halt.incident.as_ref().filter(|id| known.contains(*id)).map(|id| id.as_str());
    let help = match near.or(incident) {
        Some(incident) => format!("name it: `{} --incident {incident}`", unhalt(step)),
        None => format!(
            "open one: `orch incident open --trigger T`, then `{} --incident INCIDENT`",
            unhalt(step)
        ),
    };
    Some(Objection::new(place, message, help))
}

#[cfg(test)]
mod tests {
    use crate::testing::{Findings, story};

    fn resumed(said: &str) -> Findings {
        story(&format!(
            "
- done: {{until: strategy}}
- pause: {{cause: repeated_failures, reason: five in a row}}
- propose: feature/strat-001-strategy
- resume: {said}
"
        ))
    }

    /// Attack 104: neither an agent's word, nor one in a person's name, nor none.
    #[test]
    fn a_person_signs_off_in_words() {
        resumed("{approver: founder, sign_off: I looked}").expect(&[]);
        for said in [
            "{approver: orchestrator, sign_off: I looked}",
            "{approver: founder, sign_off: I looked, entry: {actor: orchestrator}}",
            "{approver: founder, sign_off: ' '}",
        ] {
            resumed(said).expect(&["sign-off-missing"]);
        }
        let findings = resumed("{approver: orchestrator, sign_off: I looked}");
        assert_eq!(findings.underlined(0), "orchestrator");
    }

    /// Attack 95: an agent's decision is none, whoever it says has made it.
    #[test]
    fn only_people_decide() {
        let decided = |said: &str| story(&format!("- propose: main\n- decision: {{{said}}}\n"));
        decided("").expect(&[]);
        for said in [
            "decision_makers: [orchestrator], entry: {actor: orchestrator}",
            "decision_makers: [founder, orchestrator]",
            "entry: {actor: orchestrator}",
        ] {
            decided(said).expect(&["sign-off-missing"]);
        }
    }

    /// A halt is lifted by the same rule.
    #[test]
    fn a_halt_is_lifted_by_a_person_too() {
        let findings = story(
            "
- propose: main
- write:
    .orch/halts/halt-001/0001-halt.yaml: |
      halt: {topic: risk.kill_switch, scope: all, reason: drawdown}
      entry: {sequence: 1, recorded_at: 2026-11-21T09:00:00Z, actor: orchestrator}
    .orch/halts/halt-001/0002-resume.yaml: |
      resume: {approver: orchestrator, sign_off: it passed}
      entry: {sequence: 2, recorded_at: 2026-11-21T09:30:00Z, actor: orchestrator}
",
        );
        let names: Vec<&str> =
            findings.report.findings.iter().map(|finding| finding.check).collect();
        assert!(names.contains(&"sign-off-missing"), "{names:?}");
    }

    /// R003-13, R003-14: why it was halted is looked into on the record.
    #[test]
    fn a_halt_is_lifted_in_the_name_of_an_incident() {
        let lifted = |halt: &str, resume: &str| {
            story(&format!(
                "- incident: {{}}\n- halt: {halt}\n- propose: main\n- resume: {{in: \
                 halts/halt-001{resume}}}\n"
            ))
        };
        lifted("{incident: inc-001}", ", incident: inc-001").expect(&[]);
        let none = lifted("{incident: inc-001}", "");
        none.expect(&["sign-off-missing"]);
        assert!(none.report.findings[0].help.contains("--incident inc-001"));
        let unknown = lifted("{}", ", incident: inc-002");
        unknown.expect(&["sign-off-missing"]);
        assert_eq!(unknown.underlined(0), "inc-002");
        lifted("{until: '2026-11-23T00:00:00Z'}", "").expect(&[]);
    }
}
