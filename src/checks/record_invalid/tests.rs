//! What can be read, and what makes sense.

use super::*;
use crate::testing::story;

#[test]
fn the_day_itself_is_underlined() {
    for day in ["2026-02-30", "2026-2-3", "soon", "2026-02-28T00:00:00Z"] {
        let findings = story(&format!("- propose: orch/x\n- task: {{deadline: '{day}'}}\n"));
        findings.expect(&["record-invalid"]);
        assert_eq!(findings.underlined(0).trim_matches('"'), day);
    }
}

#[test]
fn a_title_says_something() {
    story("- propose: orch/x\n- task: {title: '  '}\n").expect(&["record-invalid"]);
}

/// Requirement R001-13: a run that failed says why, and only such a run.
#[test]
fn a_failed_run_says_why() {
    let start = "- done: {until: strategy}\n- propose: feature/strat-001-strategy\n";
    let findings = story(&format!("{start}- run: {{attempt: 0}}\n"));
    assert_eq!(findings.of("record-invalid").len(), 1);
    let failure = "failure: {class: transient, reason: network}";
    let findings = story(&format!("{start}- run: {{{failure}}}\n"));
    assert_eq!(findings.of("record-invalid").len(), 1);
    let findings = story(&format!("{start}- run: {{}}\n- run: {{status: failed}}\n"));
    assert_eq!(findings.of("record-invalid").len(), 1);
    let findings = story(&format!("{start}- run: {{}}\n- run: {{status: failed, {failure}}}\n"));
    assert!(findings.of("record-invalid").is_empty());
}

/// Requirements R000-43 and R000-46.
#[test]
fn an_issue_has_an_id_and_a_location() {
    for id in ["issue-001", "issue-1000"] {
        assert!(is_issue_id(id), "{id}");
    }
    for id in ["", "issue-", "issue-1", "issue-00x", "ISSUE-001", "001"] {
        assert!(!is_issue_id(id), "{id}");
    }
    for location in ["general", "src/a.py:12", "src/a.py", "a:1"] {
        assert!(is_location(location), "{location}");
    }
    for location in ["", "src/a.py:0", "src/a.py:x", "../a.py:1", "/a.py"] {
        assert!(!is_location(location), "{location}");
    }
}

#[test]
fn issues_are_told_apart_by_their_ids() {
    let issue = "severity: major, category: other, description: d, remediation: r";
    let findings = story(&format!(
        "
- done: {{until: audit}}
- propose: feature/strat-001-audit
- run: {{stage: audit}}
- audit_report:
    verdict: FAIL
    issues:
      - {{id: issue-001, location: general, {issue}}}
      - {{id: issue-001, location: 'x.py:y', {issue}}}
"
    ));
    assert_eq!(findings.of("record-invalid").len(), 2, "{:#?}", findings.report.findings);
}

/// Attack 106: a kill switch that names nothing must not look as if it were pulled.
#[test]
fn a_halt_has_a_scope_that_exists() {
    let halt = |scope: &str| {
        let text = format!(
            "
- task: {{}}
- propose: main
- write:
    .orch/halts/halt-001/0001-halt.yaml: |
      halt: {{topic: risk.kill_switch, scope: '{scope}', reason: losses}}
      entry: {{sequence: 1, recorded_at: '2026-11-21T10:00:00Z', actor: orchestrator}}
"
        );
        story(&text)
    };
    for scope in ["all", "lane:B", "stage:audit", "workflow:new_strategy", "task:strat-001"] {
        halt(scope).expect(&[]);
    }
    for scope in
        ["everything", "lane:Z", "stage:audlt", "lane:", "agent:founder", "ALL", "task:strat-009"]
    {
        let findings = halt(scope);
        findings.expect(&["record-invalid"]);
        assert!(findings.underlined(0).contains(scope), "{scope}");
    }
    assert!(halt("stage:audlt").report.findings[0].help.contains("`stage:audit`"));
}

/// Attacks 83, 84, 110: what can't be read is refused where it stands.
#[test]
fn what_can_t_be_read_is_refused_where_it_stands() {
    let task = |line: &str| {
        let text = format!(
            "
- propose: orch/x
- write:
    .orch/tasks/2026-11/strat-001/0001-task.yaml: |
      task:
        task_id: strat-001
        title: A strategy
        workflow: new_strategy
        requestor: orchestrator
        {line}
      entry: {{sequence: 1, recorded_at: '2026-11-21T10:00:00Z', actor: orchestrator}}
"
        );
        story(&text)
    };
    task("priority: high").expect(&[]);
    for line in ["prioritty: high", "priority: highest", "title: again", "deadline: 7"] {
        let findings = task(line);
        findings.expect(&["record-invalid"]);
        assert_eq!(findings.of("record-invalid").len(), 1, "{line}");
        assert!(line.contains(findings.underlined(0)), "{line}");
    }
}

/// Requirements R000-48 and R000-49: both positions, the report in dispute, and a day at most.
#[test]
fn an_escalation_has_both_sides() {
    let two = "positions: [{agent: independent_auditor, statement: a}, {agent: strategy_developer, statement: b}]";
    let one = "positions: [{agent: strategy_developer, statement: b}]";
    let told = |said: &str| {
        story(&format!(
            "- done: {until}\n- propose: main\n- escalation: {{trigger: t, {said}}}\n",
            until = "{until: deploy_paper}"
        ))
    };
    told(&format!("level: 1, {two}")).expect(&[]);
    told(&format!("level: 2, about: 9, {two}")).expect(&[]);
    told(&format!("level: 3, {one}")).expect(&[]);
    for said in [
        format!("level: 4, {two}"),
        format!("level: 1, {one}"),
        format!("level: 2, {two}"),
        format!("level: 2, about: 5, {two}"),
        format!("level: 1, about: 99, {two}"),
        format!("level: 1, {two}, due_at: '2026-12-21T10:00:00Z'"),
        "level: 1, positions: [{agent: founder, statement: a}, {agent: founder, statement: b}]"
            .into(),
        "level: 3, positions: [{agent: founder, statement: ' '}]".into(),
    ] {
        told(&said).expect(&["record-invalid"]);
    }
}

/// Requirement R000-50: what a decision settles is there, and an overturned finding has its price.
#[test]
fn a_decision_settles_what_is_there() {
    let told = |said: &str| {
        story(&format!(
            "
- done: {{until: deploy_paper}}
- escalation:
    level: 2
    about: 9
    trigger: t
    positions: [{{agent: independent_auditor, statement: a}}, {{agent: strategy_developer, statement: b}}]
- propose: main
- decision: {{{said}}}
"
        ))
    };
    told("resolves: [strat-001/11], finding: upheld").expect(&[]);
    told("resolves: [strat-001/11], finding: overturned, consequences: [The audit is reviewed]")
        .expect(&[]);
    for said in [
        "resolves: [strat-001/11]",
        "resolves: [strat-001/3]",
        "resolves: [strat-001/99]",
        "resolves: [strat-009/1]",
        "resolves: [strat-001]",
        "resolves: [strat-001/3], finding: upheld",
        "finding: upheld",
        "resolves: [strat-001/11], finding: overturned",
        "task_id: strat-009",
    ] {
        told(said).expect(&["record-invalid"]);
    }
}
