//! Whole lives of a task, judged from an empty ledger: what is honest passes without a word.

use super::story;

const ISSUES: &str = "
    issues:
      - {id: issue-001, severity: critical, category: lookahead, description: Sees tomorrow,
         location: 'strategies/sma.py:1', remediation: Shift the signal}
";

#[test]
fn an_honest_life_passes_from_the_first_entry_to_the_last() {
    let findings =
        story("- data: {}\n- propose: feature/strat-001-strategy\n- done: {until: end}\n");
    assert_eq!(findings.report.findings, []);
    assert!(findings.report.examined.records >= 18, "{:?}", findings.report.examined);
}

/// R000-6 and R000-47: a failed audit returns the task, the handoff answers, and all is done anew.
#[test]
fn a_task_returns_from_a_failed_audit_and_comes_through() {
    story(&format!(
        "
- data: {{}}
- propose: feature/strat-001-strategy
- done: {{until: audit}}
- run: {{}}
- audit_report:
    verdict: FAIL{ISSUES}
- failure_response: {{}}
- run: {{}}
- write: {{strategies/sma.py: mended}}
- handoff: {{resolves: [issue-001]}}
- gate: {{}}
- run: {{}}
- write: {{research/reports/sma.json: {{trades: 40, max_drawdown: 0.15}}}}
- handoff: {{}}
- gate: {{}}
- run: {{}}
- audit_report: {{}}
- gate: {{}}
- run: {{}}
- write: {{deploy/paper/sma.json: {{pnl: 1}}}}
- handoff: {{}}
- gate: {{}}
- approval: {{}}
- run: {{}}
- handoff: {{}}
- gate: {{}}
- close: {{outcome: completed, reason: live}}
"
    ))
    .expect(&[]);
}

/// R001-12: a gate that fails leads back, and the second try counts.
#[test]
fn a_task_returns_from_a_failed_gate_and_comes_through() {
    story(
        "
- data: {}
- propose: feature/strat-001-strategy
- done: {until: backtest}
- run: {}
- write: {research/reports/sma.json: {trades: 12, max_drawdown: 0.1}}
- handoff: {}
- gate: {}
- run: {}
- write: {strategies/sma.py: trades more}
- handoff: {}
- gate: {}
- run: {}
- write: {research/reports/sma.json: {trades: 60, max_drawdown: 0.1}}
- handoff: {}
- gate: {}
- run: {}
- audit_report: {}
",
    )
    .expect(&[]);
}

/// An audit that expired while the paper stage took its time is called back and done again; the
/// work itself is not.
#[test]
fn an_expired_audit_can_be_renewed() {
    story(
        "
- done: {until: deploy_live}
- wait: 31d
- propose: feature/strat-001-audit-2
- rejection: {handoff: 9, reason: format, message: It has expired}
- run: {stage: audit}
- audit_report: {}
- gate: {}
- run: {stage: deploy_paper}
- handoff: {}
- gate: {}
- approval: {}
- run: {stage: deploy_live}
- handoff: {}
- gate: {}
",
    )
    .expect(&[]);
}

/// Hard case 2: what has landed is replayed by its entries, and never rots.
#[test]
fn a_landed_life_is_replayed_without_a_word() {
    let told = "
- done: {until: end}
- close: {outcome: completed, reason: live}
- wait: 400d
- write: {data/manifests/btc.json: {rows: 2000}}
- occasion: verification
";
    story(told).expect(&[]);
}

/// A history that was forged before the guard stood there is still seen for what it is.
#[test]
fn a_landed_forgery_is_found() {
    let check = |forgery: &str, check: &str| {
        let told = story(&format!("{forgery}- occasion: verification\n"));
        let mut found = told.report.findings.iter();
        assert!(found.any(|found| found.check == check), "{check}: {:#?}", told.report.findings);
    };
    check("- done: {until: audit}\n- run: {stage: deploy_live, run_id: r1}\n", "stage-skipped");
    check("- done: {until: backtest}\n- run: {}\n- run: {run_id: r1}\n", "stage-already-active");
    check(
        "- done: {until: audit}\n- run: {}\n- audit_report: {}\n- run: {stage: deploy_paper}\n",
        "gate-missing",
    );
    let audited = "- done: {until: audit}\n- run: {}\n- audit_report:";
    let relied_on = "- gate: {}\n- run: {}\n";
    check(&format!("{audited} {{auditor: quant_engineer}}\n{relied_on}"), "self-audit");
    check(&format!("{audited} {{entry: {{session: null}}}}\n{relied_on}"), "audit-session-shared");
}
