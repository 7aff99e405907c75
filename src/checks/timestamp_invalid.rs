//! Moments on the record lie in order, and not ahead.
//!
//! From R000-16, R000-31.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::record::Payload;
use crate::source::{CLOCK_TOLERANCE, Moment};
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "timestamp-invalid",
    group: Group::Records,
    title: "Moments on the record lie in order, and not ahead",
    mandatory: false,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
The age of an audit and the wait before a retry are counted from what the entries say, so an entry
must not claim a moment that is still to come (five minutes are allowed for clocks that differ) or
one before the entry it stands behind. Order itself is the chain's, not the clock's. `orch` writes
the moment by itself; if this machine's clock is wrong, set it and write the entry anew.

```yaml bad
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {entry: {recorded_at: 2026-11-21T12:00:00Z}}
```

```yaml good
- done: {until: strategy}
- propose: feature/strat-001-strategy
- run: {entry: {recorded_at: 2026-11-21T10:06:00Z}}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    let recorded = step.record.entry.recorded_at;
    let mut objections = Vec::new();
    if recorded.since(world.at) > CLOCK_TOLERANCE {
        let message = format!("{recorded} is still to come: it is {} now", world.at);
        let help = "set this machine's clock, and write the entry anew";
        objections.push(Objection::new(step.envelope("recorded_at"), message, help));
    }
    objections.extend(before_its_predecessor(step, recorded));
    objections.extend(said_ahead(step, recorded));
    objections
}

fn before_its_predecessor(step: &Step<'_>, recorded: Moment) -> Option<Objection> {
    let before = step.previous.filter(|_| step.record.path.sequence.is_some())?;
    if recorded >= before.entry.recorded_at {
        return None;
    }
    let earlier = before.entry.recorded_at;
    let message = format!("{recorded} lies before {earlier}, when the entry before it was written");
    let help = "set this machine's clock, and write the entry anew";
    let place = Place::at(before.repo_path().clone(), before.envelope_field("recorded_at"));
    let objection = Objection::new(step.envelope("recorded_at"), message, help);
    Some(objection.related(place, "this was written first"))
}

/// Attack 100: an audit of tomorrow would hold a day too long.
fn said_ahead(step: &Step<'_>, recorded: Moment) -> Option<Objection> {
    let (field, said) = match &step.record.payload {
        Payload::AuditReport(report) => ("date", report.date),
        Payload::Message(message) => ("timestamp", message.timestamp),
        _ => return None,
    };
    if said.since(recorded) <= CLOCK_TOLERANCE {
        return None;
    }
    let message = format!("{said} lies behind {recorded}, when this was recorded");
    Some(Objection::new(step.field(field), message, "give the moment at which it was done"))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn run(recorded: &str) -> crate::testing::Findings {
        story(&format!(
            "
- task: {{}}
- propose: feature/strat-001-strategy
- run: {{entry: {{recorded_at: '{recorded}'}}}}
"
        ))
    }

    /// Five minutes pass, and not a second more; the story's clock shows 10:02.
    #[test]
    fn clocks_may_differ_by_five_minutes() {
        run("2026-11-21T10:07:00Z").expect(&[]);
        run("2026-11-21T10:07:00+00:00").expect(&[]);
        let findings = run("2026-11-21T10:07:01Z");
        findings.expect(&["timestamp-invalid"]);
        assert_eq!(findings.underlined(0).trim_matches('"'), "2026-11-21T10:07:01Z");
    }

    /// Attack 101: an entry is not written before the one it stands behind.
    #[test]
    fn no_entry_is_older_than_its_predecessor() {
        run("2026-11-21T10:01:00Z").expect(&[]);
        run("2026-11-21T10:00:59Z").expect(&["timestamp-invalid"]);
    }

    /// Attack 102: a moment has an offset, and no leap second.
    #[test]
    fn a_moment_is_whole() {
        for moment in ["2026-11-21T10:02:00", "2026-11-21T10:01:60Z", "2026-11-21"] {
            assert_eq!(run(moment).of("record-invalid").len(), 1, "{moment}");
        }
    }

    /// Attack 100.
    #[test]
    fn an_audit_is_not_dated_ahead() {
        let findings = story(
            "
- done: {until: audit}
- propose: feature/strat-001-audit
- run: {stage: audit}
- audit_report: {date: 2026-12-21T10:00:00Z}
",
        );
        assert_eq!(findings.of("timestamp-invalid").len(), 1);
        assert!(findings.underlined(0).contains("2026-12-21T10:00:00Z"));
    }

    #[test]
    fn a_message_is_not_dated_ahead() {
        let message = |timestamp: &str| {
            story(&format!(
                "
- task: {{}}
- propose: orch/x
- message:
    from: orchestrator
    to: strategy_developer
    type: request
    task_id: strat-001
    payload: {{}}
    status: pending
    timestamp: {timestamp}
"
            ))
        };
        message("2026-11-21T10:02:00Z").expect(&[]);
        message("2026-11-21T11:02:00Z").expect(&["timestamp-invalid"]);
    }
}
