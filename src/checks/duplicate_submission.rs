//! The same submission is recorded once.
//!
//! From R000-31, R001-18, R001-19.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::ledger::RunStanding;
use crate::record::kind::{self, Gate, Handoff, RunStatus};
use crate::record::{Home, Payload, Record};
use crate::source::RepoPath;
use crate::world::{Step, World};

pub(super) static CHECK: Check = Check {
    name: "duplicate-submission",
    group: Group::Records,
    title: "The same submission is recorded once",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::World(run),
};

const EXPLAIN: &str = "\
A task's id is used once, over all months and without regard to case, and so are those of incidents
and of halts. A run is known by task, stage and run id: the same work submitted twice has the same
id, so a second run, handoff or gate of it must not be recorded, or one result would be promoted
twice. The commands notice by themselves: they say so, write nothing and exit 0.

```yaml bad
- task: {}
- propose: orch/open-tasks
- task: {task_id: STRAT-001}
```

```yaml good
- task: {}
- propose: orch/open-tasks
- task: {task_id: strat-002}
```
";

fn run(world: &World) -> Vec<Objection> {
    let doubles = world.doubles.iter().filter_map(|(home, other)| double(world, home, other));
    let mut objections: Vec<Objection> = doubles.collect();
    for step in world.steps() {
        let again = match &step.record.payload {
            Payload::Run(run) => second_run(&step, run),
            Payload::Handoff(handoff) => second_handoff(&step, handoff),
            Payload::Gate(gate) => second_gate(&step, gate),
            _ => None,
        };
        objections.extend(
            again.map(|objection| step.task_id().into_iter().fold(objection, Objection::task)),
        );
    }
    objections
}

fn double(world: &World, home: &Home, other: &RepoPath) -> Option<Objection> {
    let (what, place, command) = match home {
        Home::Task(_) => {
            ("a task", "task_id", "open the task under another id: `orch task open ID`")
        }
        Home::Incident(_) => {
            ("an incident", "id", "open it under another: `orch incident open ID`")
        }
        Home::Halt(_) => ("a halt", "id", "pull it under another: `orch halt --id ID`"),
        Home::Decision => return None,
    };
    let first = world.ledgers.get(home)?.records.first()?;
    let message = format!("`{other}` is the ledger of {what} with this id already");
    let taken = Place::file(other.join(&format!("0001-{}.yaml", first.payload.word())));
    let place = Place::at(first.repo_path().clone(), first.field(place));
    let objection = Objection::new(place, message, command).related(taken, "the id is taken here");
    Some(match home {
        Home::Task(task) => objection.task(task),
        _ => objection,
    })
}

fn second_run(step: &Step<'_>, run: &kind::Run) -> Option<Objection> {
    let known = step.before.filter(|_| run.status == RunStatus::InProgress)?.run(&run.run_id)?;
    let message = match &known.standing {
        RunStanding::Active => "goes on already",
        RunStanding::Delivered => "has delivered already",
        RunStanding::Failed(_) | RunStanding::Overtaken => return None,
    };
    let earlier = step.ledger.records.iter().find(|record| record.sequence() == known.sequence);
    Some(again(step, format!("run `{}` {message}", run.run_id), earlier))
}

fn second_handoff(step: &Step<'_>, handoff: &Handoff) -> Option<Objection> {
    let earlier = earlier(
        step,
        |payload| matches!(payload, Payload::Handoff(known) if known.run_id == handoff.run_id),
    )?;
    let message = format!("run `{}` has handed off already", handoff.run_id);
    Some(again(step, message, Some(earlier)))
}

/// Every gate leads somewhere, and a return gives the next run another id.
fn second_gate(step: &Step<'_>, gate: &Gate) -> Option<Objection> {
    let earlier = earlier(
        step,
        |payload| matches!(payload, Payload::Gate(known) if known.run_id == gate.run_id),
    )?;
    let message = format!("run `{}` has been through its gate already", gate.run_id);
    Some(again(step, message, Some(earlier)))
}

fn earlier<'w>(step: &Step<'w>, same: impl Fn(&Payload) -> bool) -> Option<&'w Record> {
    let before = step.ledger.records.iter();
    let mut before = before.take_while(|record| record.sequence() < step.record.sequence());
    before.find(|record| same(&record.payload))
}

fn again(step: &Step<'_>, message: String, earlier: Option<&Record>) -> Objection {
    let task = step.task_id().map_or("", |task| task.as_str());
    let help = format!("remove this entry; `orch status {task}` shows how far the task got");
    let objection = Objection::new(step.field("run_id"), message, help);
    earlier.into_iter().fold(objection, |objection, record| {
        let place = Place::at(record.repo_path().clone(), record.heading());
        objection.related(place, "it is recorded here")
    })
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    const START: &str = "- done: {until: strategy}\n- propose: feature/strat-001-strategy\n";
    const FILES: &str = "- write: {strategies/sma.py: code, docs/strategies/sma.md: about}\n";

    fn spoken(rest: &str) -> Vec<String> {
        let findings = story(&format!("{START}{rest}"));
        let spoken = findings.of("duplicate-submission");
        spoken.into_iter().map(|finding| finding.message.clone()).collect()
    }

    /// Attack 86, and attack 38: case does not make another task.
    #[test]
    fn an_id_is_used_once_over_all_months() {
        let findings = story(
            "
- task: {}
- propose: orch/x
- wait: 30d
- write:
    .orch/tasks/2026-12/Strat-001/0001-task.yaml: |
      task: {task_id: Strat-001, title: T, workflow: new_strategy, requestor: orchestrator}
      entry: {sequence: 1, recorded_at: '2026-12-01T10:00:00Z', actor: orchestrator}
",
        );
        findings.expect(&["duplicate-submission"]);
        assert_eq!(findings.underlined(0), "Strat-001");
        let same = story(
            "
- task: {}
- propose: orch/x
- wait: 30d
- write:
    .orch/tasks/2026-12/strat-001/0001-task.yaml: |
      task: {task_id: strat-001, title: T, workflow: new_strategy, requestor: orchestrator}
      entry: {sequence: 1, recorded_at: '2026-12-01T10:00:00Z', actor: orchestrator}
",
        );
        same.expect(&["duplicate-submission"]);
        let landed = "
- task: {}
- wait: 30d
- write:
    .orch/tasks/2026-12/Strat-001/0001-task.yaml: |
      task: {task_id: Strat-001, title: T, workflow: new_strategy, requestor: orchestrator}
      entry: {sequence: 1, recorded_at: '2026-12-01T10:00:00Z', actor: orchestrator}
- occasion: verification
";
        story(landed).expect(&["duplicate-submission"]);
        let both_new = story("- propose: orch/x\n- task: {}\n- task: {task_id: STRAT-001}\n");
        both_new.expect(&["duplicate-submission"]);
    }

    /// Attack 38: nor another halt, nor another incident, whether it lands beside the first or is verified.
    #[test]
    fn an_id_of_a_halt_or_an_incident_is_used_once() {
        for (first, second) in [
            ("halt: {in: halts/stop-1}", "halt: {in: halts/Stop-1}"),
            ("incident: {in: incidents/inc-1}", "incident: {in: incidents/INC-1}"),
        ] {
            let landed = format!("- task: {}\n- {first}\n", "{}");
            let beside = format!("{landed}- propose: orch/x\n- {second}\n");
            let findings = story(&beside);
            assert_eq!(findings.of("duplicate-submission").len(), 1, "{beside}");
            let verified = format!("{landed}- {second}\n- occasion: verification\n");
            assert_eq!(story(&verified).of("duplicate-submission").len(), 1, "{verified}");
        }
    }

    /// Attack 87, requirement R001-18.
    #[test]
    fn a_run_is_recorded_once() {
        let twice = spoken("- run: {}\n- run: {message: ~}\n");
        assert!(twice.iter().all(|message| message.contains("goes on")) && twice.len() == 1);
        let after =
            spoken(&format!("- run: {{}}\n{FILES}- handoff: {{}}\n- run: {{stage: strategy}}\n"));
        assert!(after.len() == 1 && after[0].contains("has delivered"), "{after:?}");
    }

    /// A failed run may be tried again under its id.
    #[test]
    fn a_retry_is_no_duplicate() {
        let failure = "{status: failed, failure: {class: transient, reason: network}}";
        assert!(spoken(&format!("- run: {{}}\n- run: {failure}\n- run: {{}}\n")).is_empty());
    }

    /// Requirement R001-19.
    #[test]
    fn a_run_hands_off_once_and_has_one_gate() {
        let twice = spoken(&format!(
            "- run: {{}}\n{FILES}- handoff: {{}}\n- edit: {{strategies/sma.py: [code, better]}}\n"
        ));
        assert!(twice.is_empty(), "{twice:?}");
        let gates =
            story("- done: {until: backtest}\n- propose: main\n- gate: {stage: strategy}\n");
        assert_eq!(gates.of("duplicate-submission").len(), 1);
    }
}
