//! What a rollback may do, and what it may not.

use crate::testing::{Findings, story};

const LIVE: &str = "- done: {until: end}\n- close: {outcome: completed, reason: Live}\n";
const OPEN: &str = "- incident: {tasks: [strat-001]}\n";
const PROPOSE: &str = "- propose: feature/inc-001-rollback\n";
const RUN: &str = "- run: {in: incidents/inc-001}\n";

#[track_caller]
fn refused(text: &str) -> Findings {
    let told = story(text);
    assert!(!told.of("emergency-unjustified").is_empty(), "{text}{:#?}", told.report);
    told
}

/// R000-51: a closed task that is live is taken back, while a halt stands.
#[test]
fn a_closed_task_is_taken_back_even_while_halted() {
    let gone = "- remove: {deploy/paper/sma.json: ~}\n- handoff: {in: incidents/inc-001}\n";
    story(&format!("{LIVE}{OPEN}- halt: {{incident: inc-001}}\n{PROPOSE}{RUN}{gone}")).expect(&[]);
}

/// Emergency opens the lane for what was there before, never for anything new.
#[test]
fn a_file_only_goes_back() {
    let forged = "- write: {deploy/paper/sma.json: '{\"trades\": 1}'}\n";
    let told = refused(&format!("{LIVE}{OPEN}{PROPOSE}{RUN}{forged}"));
    told.expect(&["emergency-unjustified"]);
    let new = "- write: {deploy/paper/other.json: '{}'}\n";
    refused(&format!("{LIVE}{OPEN}{PROPOSE}{RUN}{new}")).expect(&["emergency-unjustified"]);
    let foreign = "- write: {strategies/sma.py: other}\n";
    story(&format!("{LIVE}{OPEN}{PROPOSE}{RUN}{foreign}")).expect(&["lane-violation"]);
}

/// The change may land in several commits: what the run opened before stays as narrow.
#[test]
fn a_later_commit_is_held_to_the_same() {
    let on = "- on: feature/inc-001-rollback\n";
    let begun = format!("{LIVE}{OPEN}{on}{RUN}{PROPOSE}");
    story(&format!("{begun}- remove: {{deploy/paper/sma.json: ~}}\n")).expect(&[]);
    let forged = "- write: {deploy/paper/sma.json: forged}\n";
    refused(&format!("{begun}{forged}")).expect(&["emergency-unjustified"]);
}

#[test]
fn another_tasks_live_file_stays() {
    let begun = "- done: {until: deploy_live}\n- close: {outcome: abandoned, reason: Enough}\n";
    let other = format!("{begun}{OPEN}{PROPOSE}{RUN}- remove: {{deploy/paper/sma.json: ~}}\n");
    story(&other).expect(&[]);
    let open = "- done: {until: deploy_live}\n- task: {task_id: strat-002}\n";
    let about = "- incident: {tasks: [strat-002]}\n";
    let run = "- run: {in: incidents/inc-001, task_id: strat-002}\n";
    let told =
        story(&format!("{open}{about}{PROPOSE}{run}- remove: {{deploy/paper/sma.json: ~}}\n"));
    assert_eq!(told.of("handoff-stale").len(), 1, "{:#?}", told.report.findings);
}

/// The incident is open, names the task, and nobody else does it.
#[test]
fn who_what_and_for_which_incident() {
    let said = |incident: &str, run: &str| {
        format!("{LIVE}- incident: {incident}\n{PROPOSE}- run: {{in: incidents/inc-001{run}}}\n")
    };
    let about = "{tasks: [strat-001]}";
    story(&said(about, "")).expect(&[]);
    assert_eq!(refused(&said("{}", "")).underlined(0), "strat-001");
    assert_eq!(refused(&said(about, ", stage: deploy_live")).underlined(0), "deploy_live");
    assert_eq!(refused(&said(about, ", agent: ml_engineer")).underlined(0), "ml_engineer");
    refused(&said(about, ", lane: B"));
    assert_eq!(refused(&said(about, ", run_id: r0123456789")).underlined(0), "r0123456789");
}

#[test]
fn a_closed_incident_takes_nothing_back() {
    let done = "- incident_step: {}\n- postmortem: {}\n- close: {in: incidents/inc-001}\n";
    refused(&format!("{LIVE}{OPEN}{done}{PROPOSE}{RUN}"));
}

#[test]
fn a_handoff_ends_a_rollback_by_whom_it_was_done() {
    let handoff = |said: &str| {
        format!("{LIVE}{OPEN}{PROPOSE}{RUN}- handoff: {{in: incidents/inc-001{said}}}\n")
    };
    story(&handoff("")).expect(&[]);
    refused(&handoff(", run_id: r0123456789"));
    refused(&handoff(", from: quant_engineer"));
    let digest = format!("sha256:{}", "0".repeat(64));
    let artifact =
        format!("{{name: paper_results, path: deploy/paper/sma.json, checksum: '{digest}'}}");
    refused(&handoff(&format!(", artifacts: [{artifact}]")));
}

/// In a task's own ledger there is no such stage, and the help says where it belongs.
#[test]
fn a_rollback_outside_of_an_incident() {
    let told = story(
        "
- done: {until: deploy_live}
- propose: feature/strat-001-rollback
- run: {stage: rollback, run_id: r1, agent: deployment_agent, lane: E}
",
    );
    let found = told.of("stage-skipped");
    assert!(found[0].help.contains("--incident"), "{:#?}", told.report.findings);
}

/// A task whose work is live is rolled back by an incident before it is closed so.
#[test]
fn closed_as_rolled_back() {
    let live = "- done: {until: deploy_live}\n";
    let close = "- propose: main\n- close: {outcome: rolled_back, reason: Harm}\n";
    story(&format!("{live}{close}")).expect(&["stage-skipped"]);
    let back = format!(
        "{OPEN}{RUN}- remove: {{deploy/paper/sma.json: ~}}\n- handoff: {{in: incidents/inc-001}}\n"
    );
    story(&format!("{live}{back}{close}")).expect(&[]);
    story(&format!("- done: {{until: backtest}}\n{close}")).expect(&[]);
    story(&format!("{live}{back}- occasion: verification\n")).expect(&[]);
}

/// A branch carries one run at a time, of an incident as of a task.
#[test]
fn a_rollback_has_a_branch_of_its_own() {
    let other = "- task: {task_id: strat-002}\n- on: feature/inc-001-rollback\n";
    let run = "- run: {task: strat-002}\n";
    let told = story(&format!("{LIVE}{OPEN}{other}{run}{PROPOSE}{RUN}"));
    assert_eq!(told.of("branch-reused").len(), 1, "{:#?}", told.report.findings);
}
