//! While a halt stands, nothing moves in its scope.
//!
//! From R003-12, R003-15.

use super::{Check, Group, Objection, Run};
use crate::diagnostic::{Place, Severity};
use crate::ledger::{Standing, State};
use crate::record::Payload;
use crate::record::kind::RunStatus;
use crate::source::{LaneName, StageName};
use crate::world::{StandingHalt, Step, World};

pub(super) static CHECK: Check = Check {
    name: "halt-standing",
    group: Group::Flow,
    title: "While a halt stands, nothing moves in its scope",
    mandatory: true,
    severity: Severity::Error,
    explain: EXPLAIN,
    run: Run::EachStep(run),
};

const EXPLAIN: &str = "\
The kill switch: while a halt stands, at what was agreed or in the change itself, no run begins,
nothing is handed off, judged, reported, approved, returned or closed in its scope. What a change
did before the halt that it brings itself stays done. The change that lifts a halt can't use that at
once: it must land first. A halt that can't be read stands for everything. A person lifts it and
signs for that: `orch unhalt HALT --sign-off STATEMENT`, with `--incident INCIDENT` where the halt
does not name one. A rollback goes on while a halt stands.

```yaml bad
- done: {until: deploy_paper}
- write:
    .orch/halts/drawdown/0001-halt.yaml:
      halt: {topic: risk.kill_switch, scope: 'stage:deploy_paper', reason: Drawdown over limit}
      entry: {sequence: 1, recorded_at: '2026-11-21T10:00:00Z', actor: founder}
- propose: feature/strat-001-deploy_paper
- run: {stage: deploy_paper}
```

```yaml good
- done: {until: backtest}
- write:
    .orch/halts/drawdown/0001-halt.yaml:
      halt: {topic: risk.kill_switch, scope: 'stage:deploy_paper', reason: Drawdown over limit}
      entry: {sequence: 1, recorded_at: '2026-11-21T10:00:00Z', actor: founder}
- propose: feature/strat-001-backtest
- run: {stage: backtest}
```
";

fn run(world: &World, step: &Step<'_>) -> Vec<Objection> {
    // Today's halts say nothing about a landed history.
    let (Some(state), Some(_)) = (step.before, step.policy) else { return Vec::new() };
    let Some(stage) = moved(step, state) else { return Vec::new() };
    let lane = stage.and_then(|stage| lane(step, state, stage));
    let standing = world
        .survey
        .halts
        .iter()
        .filter(|halt| halt.stands_at(step.at) && !done_before(world, step, halt))
        .filter(|halt| halt.covers(world, state, stage, lane));
    let objections = standing.map(|halt| {
        let StandingHalt { id, scope, reason, path, .. } = halt;
        let message = format!("halt `{id}` stands for {scope}: {reason}");
        let help = format!("a person lifts it: `{}`, and that lands", halt.lifting());
        let place = match step.record.payload {
            Payload::AuditReport(_) | Payload::Rejection(_) | Payload::FailureResponse(_) => {
                step.heading()
            }
            Payload::Close(_) => step.field("outcome"),
            _ => step.field("stage"),
        };
        Objection::new(place, message, help)
            .related(Place::file(path.clone()), "the halt, with its numbers")
    });
    objections.collect()
}

/// Tells whether an entry was made before a halt that the same change brings: without the halt it would land as well.
fn done_before(world: &World, step: &Step<'_>, halt: &StandingHalt) -> bool {
    let brought = || world.changes.iter().any(|file| file.old.is_none() && file.path == halt.path);
    halt.since.is_some_and(|since| step.record.entry.recorded_at < since) && brought()
}

/// Gives the stage that an entry moves or ends, if it is known; nothing of an entry that moves
/// nothing, such as one that says that a run failed.
fn moved<'w>(step: &Step<'w>, state: &'w State) -> Option<Option<&'w StageName>> {
    match &step.record.payload {
        Payload::Run(run) if run.status == RunStatus::InProgress => Some(Some(&run.stage)),
        Payload::Handoff(handoff) => Some(Some(&handoff.stage)),
        Payload::Gate(gate) => Some(Some(&gate.stage)),
        Payload::Approval(approval) => Some(Some(&approval.stage)),
        Payload::AuditReport(_)
        | Payload::Rejection(_)
        | Payload::FailureResponse(_)
        | Payload::Close(_) => match &state.standing {
            Standing::Ready(stage) => Some(stage.as_ref()),
            Standing::Running(stage) | Standing::Delivered(stage) => Some(Some(stage)),
            Standing::Finished => Some(None),
        },
        _ => None,
    }
}

/// The lane that a run names counts; for what comes behind it, the lane of the stage's last run.
fn lane<'w>(step: &Step<'w>, state: &'w State, stage: &StageName) -> Option<&'w LaneName> {
    let begun = step.begun().map(|run| &run.lane);
    let ran = || state.runs.iter().rev().find(|run| run.stage == *stage).map(|run| &run.lane);
    begun.or_else(ran).or_else(|| step.stage(stage).map(|stage| &stage.lane))
}

#[cfg(test)]
mod tests {
    use crate::testing::story;

    fn halt(id: &str, scope: &str, more: &str) -> String {
        format!(
            "- write:
    .orch/halts/{id}/0001-halt.yaml:
      halt: {{topic: runtime.kill_switch, scope: '{scope}', reason: Stop{more}}}
      entry: {{sequence: 1, recorded_at: '2026-11-21T09:00:00Z', actor: founder}}\n"
        )
    }

    const RUN: &str = "- propose: feature/strat-001-backtest\n- run: {stage: backtest}\n";

    #[test]
    fn a_halt_stands_for_its_scope() {
        let told = |scope: &str| {
            story(&format!("- done: {{until: backtest}}\n{}{RUN}", halt("h-001", scope, "")))
        };
        for scope in [
            "all",
            "workflow:new_strategy",
            "lane:C",
            "stage:backtest",
            "task:strat-001",
            // A scope that says nothing anybody understands stands for everything.
            "strategy",
            "agent:quant_engineer",
            "",
            // One that names nothing there is, too.
            "lane:Z",
            "stage:audlt",
            "task:strat-009",
        ] {
            let findings = told(scope);
            findings.expect(&["halt-standing"]);
            assert_eq!(findings.underlined(0), "backtest", "{scope}");
        }
        for scope in
            ["workflow:model_update", "lane:B", "stage:audit", "task:data-001", "schedule:day"]
        {
            told(scope).expect(&[]);
        }
    }

    /// R003-12: no kind of transition passes; telling that a run failed is none.
    #[test]
    fn nothing_moves() {
        let stop = halt("h-001", "all", "");
        let files = "{research/reports/sma.json: {trades: 42, max_drawdown: 0.1}}";
        let ran = format!("- done: {{until: backtest}}\n- run: {{}}\n- write: {files}\n");
        let propose = "- propose: feature/strat-001-backtest\n";
        let failed =
            "- run: {stage: backtest, status: failed, failure: {class: spec, reason: x}}\n";
        story(&format!("{ran}{stop}{propose}{failed}")).expect(&[]);
        story(&format!("{ran}{stop}{propose}- handoff: {{}}\n")).expect(&["halt-standing"]);
        story(&format!("{ran}- handoff: {{}}\n{stop}{propose}- gate: {{}}\n"))
            .expect(&["halt-standing"]);
        let audit = "- done: {until: audit}\n- run: {}\n";
        story(&format!("{audit}{stop}{propose}- audit_report: {{}}\n")).expect(&["halt-standing"]);
        let back = "- done: {until: backtest}\n";
        let rejection = "- rejection: {handoff: 3, reason: mismatch}\n";
        story(&format!("{back}{stop}{propose}{rejection}")).expect(&["halt-standing"]);
        let close = "- close: {outcome: abandoned, reason: x}\n";
        story(&format!("{back}{stop}{propose}{close}")).expect(&["halt-standing"]);
        let live = "- done: {until: deploy_live}\n";
        story(&format!("{live}{stop}{propose}- approval: {{}}\n")).expect(&["halt-standing"]);
    }

    /// What a change did before the halt that it brings stays done; what it does behind it is refused, and so is all of it
    /// once the halt has landed.
    #[test]
    fn a_halt_comes_behind_what_was_done() {
        let stop = halt("h-001", "all", "").replace("T09:00", "T18:00");
        let done = "- done: {until: backtest}\n";
        story(&format!("{done}{RUN}- wait: 12h\n{stop}")).expect(&[]);
        story(&format!("{done}{stop}{RUN}")).expect(&["halt-standing"]);
        let late = RUN.replace("- run", "- wait: 12h\n- run");
        story(&format!("{done}{late}{stop}")).expect(&["halt-standing"]);
    }

    /// A halt for a degraded day ends by itself.
    #[test]
    fn a_halt_may_end_by_itself() {
        let until = |moment: &str| {
            let stop = halt("h-001", "all", &format!(", until: {moment}"));
            story(&format!("- done: {{until: backtest}}\n{stop}{RUN}"))
        };
        until("2026-11-21T09:59:59Z").expect(&[]);
        until("2026-11-22T00:00:00Z").expect(&["halt-standing"]);
    }

    /// Attack 106: the change that lifts a halt does not deploy, nor does one that brings a halt.
    #[test]
    fn a_halt_counts_on_either_side() {
        let resume = "- write:
    .orch/halts/h-001/0002-resume.yaml:
      resume: {approver: founder, sign_off: Go on}
      entry: {sequence: 2, recorded_at: '2026-11-21T09:30:00Z', actor: founder}\n";
        let stop = halt("h-001", "all", "");
        let done = "- done: {until: backtest}\n";
        story(&format!("{done}{stop}{resume}{RUN}")).expect(&[]);
        let lifted = story(&format!("{done}{stop}{RUN}{resume}"));
        assert!(lifted.report.findings.iter().any(|found| found.check == "halt-standing"));
        let brought = story(&format!("{done}{RUN}{stop}"));
        assert!(brought.report.findings.iter().any(|found| found.check == "halt-standing"));
    }

    /// Attack 106: a switch that can't be read is on.
    #[test]
    fn a_malformed_halt_stands_for_everything() {
        let broken = "- write: {.orch/halts/h-001/0001-halt.yaml: 'halt: ['}\n";
        story(&format!("- done: {{until: backtest}}\n{broken}{RUN}")).expect(&["halt-standing"]);
    }

    /// Attack 106: what would loosen a halt does not loosen it for the change that does so.
    #[test]
    fn nothing_is_gained_by_touching_the_halt() {
        let stop = "- done: {until: backtest}\n- halt: {}\n";
        let told = |deed: &str| story(&format!("{stop}{RUN}{deed}"));
        let path = ".orch/halts/halt-001/0001-halt.yaml";
        for deed in [
            format!("- remove: {{{path}: ~}}\n"),
            format!("- edit: {{{path}: ['scope: all', 'scope: stage:audit']}}\n"),
            format!("- write: {{{path}: 'halt: ['}}\n"),
            "- resume: {in: halts/halt-001}\n".to_owned(),
            "- halt: {scope: 'stage:audit'}\n".to_owned(),
        ] {
            let found = told(&deed);
            assert!(!found.of("halt-standing").is_empty(), "{deed}{:#?}", found.report.findings);
            assert!(found.report.findings.len() > 1, "{deed}{:#?}", found.report.findings);
        }
    }

    /// A branch that is merely behind the lift of a halt keeps nothing standing.
    #[test]
    fn what_landed_lifts() {
        let lift = "- incident: {}\n- resume: {in: halts/halt-001, incident: inc-001}\n";
        let run = format!("- done: {{until: backtest}}\n- halt: {{}}\n{RUN}");
        story(&format!(
            "{run}- meanwhile: [{{incident: {{}}}}, {{resume: {{in: halts/halt-001, \
                        incident: inc-001}}}}]\n"
        ))
        .expect(&[]);
        story(&format!("- done: {{until: backtest}}\n- halt: {{}}\n{lift}{RUN}")).expect(&[]);
    }
}
