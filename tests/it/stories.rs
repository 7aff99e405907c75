//! The workflows that the templates bring, each from its first entry to its last, through the real program,
//! with real hooks and real commits.

use crate::support::{CODE, DOCUMENT, REPORT, Team, TestRepo};

/// Begins with a template and the hooks, committed on `main` by a person.
fn begin(template: &str, person: &str) -> Team {
    let team = Team::over(TestRepo::new());
    team.orch(person, &["init", "--template", template, "--hooks"]);
    team.commit("Begin with orch");
    team
}

/// Gives who said what in a task's ledger, in order: `run strategy_developer strategy` and so on.
fn told(team: &Team, task: &str) -> Vec<String> {
    let listed = team.repo.git(&["ls-files", &format!(".orch/tasks/*/{task}/*.yaml")]);
    let told = listed.lines().map(|path| {
        let text = team.read(path);
        let field = |name: &str| {
            let line =
                text.lines().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix(": "));
            line.unwrap_or("-").to_owned()
        };
        let kind = path.rsplit_once('-').unwrap().1.trim_end_matches(".yaml").to_owned();
        format!("{kind} {} {}", field("actor"), field("stage"))
    });
    told.collect()
}

/// Takes a stage from its run to its merged gate: who does it, who directs, and what it writes.
fn stage(team: &Team, task: &str, (agent, coordinator): (&str, &str), files: &[(&str, &str)]) {
    team.orch(agent, &["run", "start", task]);
    for (path, text) in files {
        team.repo.write(path, text);
    }
    team.orch(agent, &["handoff", "create", task]);
    team.commit("Hand over");
    pass(team, task, coordinator);
}

/// Takes an audit from its run to its merged gate.
fn audit(team: &Team, task: &str, (auditor, coordinator): (&str, &str), tests: &[&str]) {
    team.orch(auditor, &["run", "start", task]);
    let mut report = vec!["audit", "report", task, "--verdict", "PASS"];
    let passed: Vec<String> = tests.iter().map(|test| format!("{test}=PASS")).collect();
    report.extend(passed.iter().flat_map(|test| ["--test", test]));
    team.orch(auditor, &report);
    team.commit("Report the audit");
    pass(team, task, coordinator);
}

fn pass(team: &Team, task: &str, coordinator: &str) {
    team.orch(coordinator, &["gate", task]);
    team.commit("Pass the gate");
    let branch = team.repo.git(&["branch", "--show-current"]);
    team.merge(branch.trim());
}

fn close(team: &Team, task: &str, coordinator: &str) {
    team.orch(coordinator, &["task", "close", task, "--outcome", "completed", "--reason", "Done"]);
    team.commit("Close the task");
    team.verify().passed();
}

/// Asserts that a stage can't begin yet, and that these checks say why.
fn too_early(team: &Team, agent: &str, task: &str, stage: &str, checks: &[&str]) {
    let said = team.try_orch(agent, &["run", "start", task, "--stage", stage]);
    assert_eq!(said.code, 1, "{said:#?}");
    for check in checks {
        assert!(said.checks().contains(check), "{check} is missing: {said:#?}");
    }
}

/// R000-1 to R000-5, R000-7, R000-13, R000-24 to R000-26, R000-35, R000-36, R000-38, R002-42: strategy developer,
/// quant engineer, auditor, deployment agent, in this order; each leaves what it owes; paper comes before
/// live, and nothing is deployed past the auditor.
#[test]
fn a_strategy_goes_from_idea_to_live() {
    let team = begin("strategy", "founder");
    team.land_data();
    team.open("strat-001", "new_strategy", &["--depends-on", "data-001", "--version", "1.0"]);
    let both = ("strategy_developer", "orchestrator");
    too_early(&team, "deployment_agent", "strat-001", "deploy_paper", &["stage-skipped"]);
    team.orch(both.0, &["run", "start", "strat-001"]);
    assert_eq!(team.repo.git(&["branch", "--show-current"]), "feature/strat-001-strategy");
    for (path, text) in [
        (CODE, "plot(ta.sma(close[1], 20))\n"),
        (DOCUMENT, "# Moving average\n"),
        ("docs/strategies/hypotheses/new_strategy.md", "Prices revert.\n"),
        ("strategies/tests/new_strategy.json", "{\"trades\": 3}\n"),
    ] {
        team.repo.write(path, text);
    }
    let create = ["handoff", "create", "strat-001", "--message", "Ready", "--to"];
    let astray = team.try_orch(both.0, &[&create[..], &["deployment_agent"]].concat());
    assert!(astray.checks().contains(&"handoff-misdirected"), "{astray:#?}");
    let said = team.orch(both.0, &[&create[..], &["quant_engineer"]].concat());
    assert!(said.contains("quant_engineer"), "{said}");
    team.commit("Hand over the strategy");
    let handoff = team.read(&team.record("strat-001", "handoff"));
    for name in ["strategy_code", "documentation", "hypothesis", "initial_test"] {
        assert!(handoff.contains(&format!("- name: {name}\n")), "{handoff}");
    }
    pass(&team, "strat-001", both.1);
    too_early(&team, "independent_auditor", "strat-001", "audit", &["evidence-missing"]);
    let quant = ("quant_engineer", "orchestrator");
    let results = [
        (REPORT, "{\"trades\": 42, \"max_drawdown\": 0.12}\n"),
        ("research/reports/features/new_strategy.json", "{\"count\": 12}\n"),
        ("research/reports/walk_forward/new_strategy.json", "{\"folds\": 5}\n"),
    ];
    stage(&team, "strat-001", quant, &results);
    too_early(&team, "deployment_agent", "strat-001", "deploy_paper", &["gatekeeper-missing"]);
    let auditor = ("independent_auditor", "orchestrator");
    audit(&team, "strat-001", auditor, &["anti_bias", "full_audit"]);
    let report = team.read(&team.record("strat-001", "audit_report"));
    for name in ["backtest_results", "documentation"] {
        assert!(report.contains(&format!("name: {name}\n")), "{name}: {report}");
    }
    too_early(&team, "deployment_agent", "strat-001", "deploy_live", &["evidence-missing"]);
    team.deploy_on_paper();
    let approve = ["approve", "strat-001", "--stage", "deploy_live", "--statement", "As tested"];
    team.orch("founder", &approve);
    stage(&team, "strat-001", ("deployment_agent", "orchestrator"), &[]);
    close(&team, "strat-001", "orchestrator");
    let order = told(&team, "strat-001");
    let runs: Vec<&str> = order.iter().filter_map(|said| said.strip_prefix("run ")).collect();
    assert_eq!(
        runs,
        [
            "strategy_developer strategy",
            "quant_engineer backtest",
            "independent_auditor audit",
            "deployment_agent deploy_paper",
            "deployment_agent deploy_live",
        ]
    );
}

/// R000-8 to R000-11, R000-20: data engineer, ML engineer, auditor; the model comes with its card and its metrics
/// out of sample, and the audit validates, calibrates and looks for drift.
#[test]
fn a_model_goes_from_data_to_deployment() {
    let team = begin("model", "founder");
    team.open("model-001", "model", &[]);
    team.commit("Open the model");
    let card = ("models/cards/churn.md", "# Churn\n");
    let weights = ("models/artifacts/churn.bin", "weights\n");
    let data = [
        ("data/training/churn.json", "{\"rows\": 9000}\n"),
        ("data/features/churn.json", "{\"columns\": 12}\n"),
    ];
    stage(&team, "model-001", ("data_engineer", "orchestrator"), &data);
    team.orch("ml_engineer", &["run", "start", "model-001"]);
    for (path, text) in [card, weights] {
        team.repo.write(path, text);
    }
    let early = team.try_orch("ml_engineer", &["handoff", "create", "model-001"]);
    assert!(early.fault().contains("oos_metrics"), "{early:#?}");
    team.repo.write("models/metrics/churn.json", "{\"samples\": 4000, \"auc\": 0.71}\n");
    team.orch("ml_engineer", &["handoff", "create", "model-001"]);
    team.commit("Hand over the model");
    pass(&team, "model-001", "orchestrator");
    too_early(&team, "deployment_agent", "model-001", "deploy", &["gatekeeper-missing"]);
    let own = ["run", "start", "model-001", "--stage", "audit"];
    assert!(team.try_orch("ml_engineer", &own).checks().contains(&"self-audit"));
    let auditor = ("independent_auditor", "orchestrator");
    audit(&team, "model-001", auditor, &["validation", "calibration", "drift"]);
    let release = [("deploy/models/churn.json", "{\"model\": \"churn\"}\n")];
    stage(&team, "model-001", ("deployment_agent", "orchestrator"), &release);
    close(&team, "model-001", "orchestrator");
}

/// The smallest workflow: code, an independent review, and a release that a person approved.
#[test]
fn a_change_goes_from_code_to_release() {
    let team = begin("team", "owner");
    team.orch(
        "coordinator",
        &["task", "open", "fix-001", "--workflow", "change", "--title", "A fix"],
    );
    team.commit("Open the fix");
    stage(&team, "fix-001", ("developer", "coordinator"), &[("src/main.py", "print(1)\n")]);
    audit(&team, "fix-001", ("reviewer", "coordinator"), &["correctness", "security"]);
    too_early(&team, "releaser", "fix-001", "release", &["approval-missing"]);
    let covers = team.read(&team.record("fix-001", "audit_report"));
    assert!(covers.contains("name: code"), "{covers}");
    let approve = ["approve", "fix-001", "--stage", "release", "--statement", "Read and tried"];
    team.orch("owner", &approve);
    team.commit("Approve the release");
    let notes = [("releases/1.0.1.md", "# 1.0.1\n")];
    stage(&team, "fix-001", ("releaser", "coordinator"), &notes);
    close(&team, "fix-001", "coordinator");
}

/// R000-39 to R000-42, R000-44, R000-45: an audit is asked for with its paths, its urgency and its day; a
/// failed one answers with issues, each with its severity and category, and with what to do next.
#[test]
fn an_audit_is_asked_for_and_answered() {
    let team = begin("strategy", "founder");
    team.land_data();
    team.hand_over_strategy(&["--depends-on", "data-001", "--version", "1.0"]);
    team.pass("strat-001", "strategy");
    team.backtest();
    let ask = ["audit", "request", "strat-001", "--priority", "urgent", "--deadline"];
    let slip = team.try_orch("orchestrator", &[&ask[..], &["tomorrow"]].concat());
    assert_eq!(slip.code, 1, "{slip:#?}");
    team.orch("orchestrator", &[&ask[..], &["2030-01-31"]].concat());
    let request = team.read(&team.record("strat-001", "audit_request"));
    for line in [
        "name: Moving average",
        "version: \"1.0\"",
        &format!("strategy_code: {CODE}"),
        &format!("backtest_results: {REPORT}"),
        &format!("documentation: {DOCUMENT}"),
        "requestor: orchestrator",
        "priority: urgent",
        "deadline: \"2030-01-31\"",
    ] {
        assert!(request.contains(line), "{line}: {request}");
    }
    team.commit("Ask for the audit");
    team.orch("independent_auditor", &["run", "start", "strat-001"]);
    let report = ["audit", "report", "strat-001", "--verdict", "FAIL", "--test", "anti_bias=FAIL"];
    let bad = team.try_orch(
        "independent_auditor",
        &[&report[..], &["--issue", "grave:lookahead:general:x:y"]].concat(),
    );
    assert!(bad.code != 0 && bad.err.contains("critical"), "{bad:#?}");
    let issues: Vec<String> =
        [("critical", "lookahead"), ("major", "leakage"), ("minor", "overfitting")]
            .iter()
            .chain(&[("minor", "documentation"), ("minor", "other")])
            .map(|(severity, category)| {
                format!("{severity}:{category}:general:It is there:Mend it")
            })
            .collect();
    let issues: Vec<&str> = issues.iter().flat_map(|issue| ["--issue", issue.as_str()]).collect();
    team.orch("independent_auditor", &[&report[..], &issues].concat());
    team.commit("Report what was found");
    let response = team.read(&team.record("strat-001", "failure_response"));
    for line in
        ["task_id: strat-001", "verdict: FAIL", "id: issue-005", "category: other", "next_steps:"]
    {
        assert!(response.contains(line), "{line}: {response}");
    }
    too_early(&team, "deployment_agent", "strat-001", "deploy_paper", &["gatekeeper-missing"]);
}

/// R003-42, R003-43: a policy that asks for it has each change of how people work told in its changelog,
/// and the versions of its runbooks kept by the decision.
#[test]
fn a_change_of_the_process_is_told_and_kept() {
    const RUNBOOK: &str = "docs/runbooks/operations.md";
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge", "--hooks"]);
    let process = format!("process: {{changelog: CHANGELOG.md, runbooks: [{RUNBOOK}]}}\n");
    let policy = team.read(".orch/policy.yaml");
    team.repo.write(".orch/policy.yaml", format!("{policy}{process}"));
    team.repo.write(RUNBOOK, "Reconcile at ten.\n");
    team.repo.git(&["add", "--all"]);
    team.commit("Begin with orch");
    team.repo.git(&["switch", "--quiet", "-c", "orch/reconcile-earlier"]);
    team.repo.write(RUNBOOK, "Reconcile at nine.\n");
    team.repo.git(&["add", "--all"]);
    team.git_refused(&["commit", "-m", "Reconcile earlier"], "process-change-untold");
    let decide = ["decide", "--title", "Earlier", "--context", "Late", "--decision", "At nine"];
    team.orch("sponsor", &[&decide[..], &["--changes", RUNBOOK, "--dry-run"]].concat());
    team.repo.write("CHANGELOG.md", "Reconciliation is at nine.\n");
    team.repo.git(&["add", "CHANGELOG.md"]);
    team.orch("sponsor", &[&decide[..], &["--changes", RUNBOOK]].concat());
    team.commit("Reconcile earlier");
    let decision = team.repo.git(&["ls-files", ".orch/decisions"]);
    let decision = team.read(decision.trim());
    let kept =
        format!("  runbooks:\n    - path: {RUNBOOK}\n      checksum: {}\n", team.digest(RUNBOOK));
    assert!(decision.contains(&kept), "{decision}");
    let log = team.orch("sponsor", &["log", "--decisions"]);
    assert!(log.contains(&format!("- Runbook: `{RUNBOOK}`, {}", team.digest(RUNBOOK))), "{log}");
    team.guard(&["--base", "main"]).passed();
}

/// An approval from before there was anything to see opens nothing: it covers what a person saw.
#[test]
fn what_nobody_saw_is_not_approved() {
    let team = begin("team", "owner");
    let open = ["task", "open", "fix-001", "--workflow", "change", "--title", "A fix"];
    team.orch("coordinator", &open);
    let approve = ["approve", "fix-001", "--stage", "release", "--statement", "Unseen"];
    let said = team.orch("owner", &approve);
    assert!(said.contains("covers none"), "{said}");
    team.commit("Open the fix");
    stage(&team, "fix-001", ("developer", "coordinator"), &[("src/main.py", "print(1)\n")]);
    audit(&team, "fix-001", ("reviewer", "coordinator"), &["correctness", "security"]);
    too_early(&team, "releaser", "fix-001", "release", &["approval-missing"]);
    team.orch("owner", &approve);
    team.commit("Approve what is there");
    let approval = team.read(&team.record("fix-001", "approval"));
    assert!(approval.contains("name: audit_pass"), "{approval}");
    team.orch("releaser", &["run", "start", "fix-001"]);
}

/// A repository with a remote and branches of its own begins with orch: the first push passes its hook, and a
/// branch from before takes the policy in by a merge.
#[test]
fn a_repository_with_a_past_begins() {
    let team = Team::over(TestRepo::new());
    team.repo.write("src/old.py", "print(0)\n");
    team.smuggle("Before orch");
    team.repo.git(&["branch", "fix/before"]);
    let remote = team.repo.root().join("remote.git");
    team.repo.git(&["init", "--quiet", "--bare", remote.to_str().unwrap()]);
    let url = format!("file://{}", remote.display());
    team.repo.git(&["remote", "add", "origin", &url]);
    team.repo.git(&["push", "--quiet", "origin", "main"]);
    team.orch("owner", &["init", "--template", "team", "--hooks"]);
    team.commit("Begin with orch");
    let pushed = team.try_git(&["push", "origin", "main"]);
    assert_eq!(pushed.code, 0, "{pushed:#?}");
    team.repo.git(&["switch", "--quiet", "fix/before"]);
    let merged = team.try_git(&["merge", "--no-ff", "-m", "Take orch in", "main"]);
    assert_eq!(merged.code, 0, "{merged:#?}");
}
