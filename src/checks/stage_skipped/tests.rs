//! Steps that are left out, and returns that nothing calls for.

use crate::testing::story;

/// Tells a story that this check must refuse, and gives what it underlines. What is out of
/// place is often wrong in other ways, too.
#[track_caller]
fn refused(text: &str) -> String {
    let told = story(text);
    let found = told.report.findings.iter().position(|found| found.check == "stage-skipped");
    told.underlined(found.unwrap_or_else(|| panic!("{text}{:#?}", told.report))).to_owned()
}

#[test]
fn a_run_is_of_the_stage_that_is_next() {
    let run = "- propose: feature/strat-001-x\n- run: {run_id: r1, stage:";
    for way in ["strategy backtest", "backtest audit", "audit deploy_live", "end audit"] {
        let (until, stage) = way.split_once(' ').expect("two stages");
        let findings = story(&format!("- done: {{until: {until}}}\n{run} {stage}}}\n"));
        assert!(findings.report.findings.iter().any(|found| found.check == "stage-skipped"));
    }
}

#[test]
fn stages_and_workflows_are_the_policys() {
    let run = "- propose: feature/strat-001-x\n- run: {stage: backtets}\n";
    assert_eq!(refused(&format!("- done: {{until: backtest}}\n{run}")), "backtets");
    let open = "- propose: feature/strat-001-x\n- task: {workflow: new_stratgy}\n";
    assert_eq!(refused(open), "new_stratgy");
}

/// R001-11: a handoff, a report and a gate each complete the one before them.
#[test]
fn nothing_is_handed_off_reported_or_judged_without_a_run() {
    let ready = "- done: {until: audit}\n- propose: feature/strat-001-x\n";
    assert_eq!(refused(&format!("{ready}- audit_report: {{}}\n")), "audit_report");
    let ready = "- done: {until: backtest}\n- propose: feature/strat-001-x\n";
    let handoff = "- handoff: {stage: backtest, artifacts: []}\n";
    assert_eq!(refused(&format!("{ready}{handoff}")), "backtest");
    let gate = "- gate: {stage: backtest, returns_to: null, verdict: pass, next_stage: audit}";
    assert_eq!(refused(&format!("{ready}{gate}\n")), "backtest");
}

#[test]
fn an_audit_ends_with_a_report_and_nothing_else_does() {
    let audit = "- done: {until: audit}\n- propose: feature/strat-001-audit\n- run: {}\n";
    let handoff = "- handoff: {from: independent_auditor, artifacts: []}\n";
    assert_eq!(refused(&format!("{audit}{handoff}")), "audit");
    let work = "- done: {until: backtest}\n- propose: feature/strat-001-x\n- run: {}\n";
    let report = "- audit_report: {entry: {session: fresh}}\n";
    assert_eq!(refused(&format!("{work}{report}")), "audit_report");
}

/// R000-6: a gate leads where the workflow says, not to where it is convenient.
#[test]
fn a_gate_leads_where_the_workflow_says() {
    let gated = |trades: u32, gate: &str| {
        format!(
            "
- done: {{until: backtest}}
- propose: feature/strat-001-backtest
- run: {{}}
- write: {{research/reports/sma.json: {{trades: {trades}, max_drawdown: 0.1}}}}
- handoff: {{}}
- gate: {{{gate}}}
"
        )
    };
    story(&gated(12, "")).expect(&[]);
    assert_eq!(refused(&gated(12, "returns_to: audit")), "audit");
    assert_eq!(refused(&gated(42, "next_stage: null")), "backtest");
    let last = "- done: {until: deploy_live}\n- approval: {}\n- propose: feature/strat-001-x\n";
    let gate = "- run: {}\n- handoff: {}\n- gate: {next_stage: audit}\n";
    assert_eq!(refused(&format!("{last}{gate}")), "audit");
}

#[test]
fn only_a_failed_audit_is_responded_to() {
    let issue = "{id: issue-001, severity: major, category: other, description: d, \
                     location: general, remediation: r}";
    let audited = |report: &str, response: &str| {
        format!(
            "
- done: {{until: audit}}
- propose: feature/strat-001-audit
- run: {{}}
- audit_report: {{{report}}}
- failure_response: {{{response}}}
"
        )
    };
    let failed = format!("verdict: FAIL, issues: [{issue}]");
    story(&audited(&failed, "")).expect(&[]);
    assert_eq!(refused(&audited("", "issues: []")), "FAIL");
    assert_eq!(refused(&audited(&failed, "returns_to: backtest")), "backtest");
}

/// A failure of a stage that never ran would make the task ready for it.
#[test]
fn only_what_goes_on_can_fail() {
    let failed = "status: failed, failure: {class: transient, reason: network}";
    let ready = "- done: {until: backtest}\n- propose: feature/strat-001-x\n";
    let run = format!("- run: {{stage: deploy_live, run_id: r0000000001, {failed}}}\n");
    assert_eq!(refused(&format!("{ready}{run}")), "r0000000001");
    story(&format!("{ready}- run: {{}}\n- run: {{{failed}}}\n")).expect(&[]);
}

/// A rejection returns the task; of what is already replaced it would lead it forward. An
/// audit that passed can be called back, such as one that has expired; a FAIL can't.
#[test]
fn only_what_stands_can_be_rejected() {
    let reject = |handoff: u32| {
        format!(
            "- propose: feature/strat-001-x\n- rejection: {{handoff: {handoff}, reason: format}}\n"
        )
    };
    let returned = "- done: {until: audit}\n- rejection: {handoff: 3, reason: mismatch}\n";
    assert_eq!(refused(&format!("{returned}{}", reject(6))), "6");
    story(&format!("- done: {{until: audit}}\n{}", reject(6))).expect(&[]);
    let failed = "- done: {until: audit}\n- run: {}\n- audit_report: {verdict: FAIL}\n";
    assert_eq!(refused(&format!("{failed}{}", reject(9))), "9");
    story(&format!("- done: {{until: deploy_paper}}\n{}", reject(9))).expect(&[]);
}

#[test]
fn nothing_follows_the_end() {
    let closed = "- task: {}\n- close: {outcome: abandoned, reason: x}\n- propose: main\n";
    assert_eq!(refused(&format!("{closed}- run: {{stage: strategy}}\n")), "run");
    assert_eq!(refused(&format!("{closed}- block: {{reason: x}}\n")), "block");
}

#[test]
fn only_what_is_finished_is_completed() {
    let close = "- propose: main\n- close: {outcome: completed, reason: done}\n";
    assert_eq!(refused(&format!("- done: {{until: deploy_live}}\n{close}")), "completed");
    story(&format!("- done: {{until: end}}\n{close}")).expect(&[]);
}

/// R003-7, R000-51: a procedure's steps in their order, each once, and an end that owes nothing.
#[test]
fn an_incident_follows_its_procedure() {
    let open = "- incident: {procedure: kill_switch}\n- propose: main\n";
    let safe = "- incident_step: {step: confirm_safe, outcome: At rest, evidence: [log]}\n";
    let review = "- incident_step: {step: review, outcome: Fine, entry: {actor: founder}}\n";
    let report = "- incident_step: {}\n";
    let learnt = "- postmortem: {}\n";
    let close = "- close: {in: incidents/inc-001}\n";
    story(&format!("{open}{report}{safe}{review}{learnt}{close}")).expect(&[]);
    assert_eq!(refused(&format!("{open}{review}")), "review");
    assert_eq!(refused(&format!("{open}{safe}{safe}")), "confirm_safe");
    assert_eq!(refused(&format!("{open}{report}{report}")), "report");
    for left_out in [safe, review, report, learnt] {
        let all = format!("{open}{safe}{review}{report}{learnt}{close}");
        refused(&all.replacen(left_out, "", 1));
    }
    refused(&format!("{open}{safe}{review}{report}{learnt}{close}{learnt}"));
}

/// A halt is lifted once, and nothing follows that.
#[test]
fn nothing_follows_a_lifted_halt() {
    let lift = "- resume: {in: halts/halt-001, incident: inc-001}\n";
    refused(&format!("- incident: {{}}\n- halt: {{}}\n- propose: main\n{lift}{lift}"));
}
