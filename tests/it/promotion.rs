//! The hedge template: a backtest is promoted to live, and none that should not be.

use crate::support::{Said, Team, TestRepo};

const TASK: &str = "promo-001";
/// The folder that a run of the backtest wrote.
const RUN: &str = "storage/backtests/bt-20240131-01";

/// What a backtest's `result.json` says.
fn result(trades: usize, navs: &[f64]) -> String {
    let series = navs
        .iter()
        .enumerate()
        .map(|(day, nav)| format!("{{\"date\": \"2024-01-{:02}\", \"nav\": {nav}}}", day + 2));
    let (first, last) = (navs[0], navs[navs.len() - 1]);
    format!(
        "{{\"run_id\": \"bt-20240131-01\", \"config\": {{\"symbols\": [\"SPY\", \"QQQ\"], \"start\": \
         \"2024-01-02\", \"end\": \"2024-01-31\", \"initial_cash\": {first}}}, \"final_nav\": {last}, \
         \"return_pct\": {}, \"trades\": {trades}, \"nav_series\": [{}], \"fills\": []}}\n",
        (last / first - 1.0) * 100.0,
        series.collect::<Vec<_>>().join(", ")
    )
}

const GOOD: [f64; 4] = [1_000_000.0, 1_010_000.0, 995_000.0, 1_030_000.0];
const WEIGHTS: &str = "{\"weights\": {\"carry\": 0.4, \"trend\": 0.6}}\n";

struct Fund {
    team: Team,
}

impl Fund {
    /// A fund whose deployment has two plug-ins, with one promotion open.
    fn begin() -> Self {
        let team = Team::over(TestRepo::new());
        team.orch("sponsor", &["init", "--template", "hedge", "--hooks"]);
        team.repo.write("deploy/plugins.json", "{\"enabled\": [\"carry\", \"trend\"]}\n");
        team.repo.git(&["add", "deploy/plugins.json"]);
        team.commit("Begin with orch");
        let open = ["task", "open", TASK, "--workflow", "promotion", "--title", "Carry and trend"];
        team.orch("director", &open);
        team.commit("Open the promotion");
        Fund { team }
    }

    /// Runs the backtest's stage up to its gate; gives what the gate said.
    fn backtest(&self, result: &str, plugins: &str) -> Said {
        let Fund { team } = self;
        team.orch("quant", &["run", "start", TASK]);
        team.repo.write(&format!("{RUN}/result.json"), result);
        team.repo.write(&format!("{RUN}/portfolio.json"), "{\"positions\": []}\n");
        team.repo.write(&format!("{RUN}/audit.jsonl"), "{\"event\": \"begin\"}\n");
        team.repo.write(&format!("{RUN}/weights.json"), WEIGHTS);
        team.repo.write("strategies/plugins.json", plugins);
        team.orch("quant", &["handoff", "create", TASK]);
        team.commit("Hand over the backtest");
        team.try_orch("director", &["gate", TASK])
    }

    fn land(&self, message: &str) {
        self.team.commit(message);
        let branch = self.team.repo.git(&["branch", "--show-current"]);
        self.team.merge(branch.trim());
    }

    fn pass(&self) {
        self.team.orch("director", &["gate", TASK]);
        self.land("Pass the gate");
    }

    /// Takes a good backtest past risk and compliance, with its two approvals.
    fn reviewed() -> Self {
        let fund = Fund::begin();
        let passed = fund.backtest(&result(42, &GOOD), PLUGINS);
        assert_eq!(passed.code, 0, "{passed:#?}");
        fund.land("Pass the gate");
        let Fund { team } = &fund;
        team.orch("risk", &["run", "start", TASK]);
        team.repo.write("risk/reviews/promo-001.json", "{\"verdict\": \"approve\"}\n");
        team.orch("risk", &["handoff", "create", TASK]);
        team.commit("Review the risk");
        fund.pass();
        team.orch("compliance", &["run", "start", TASK]);
        let report = ["audit", "report", TASK, "--verdict", "PASS"];
        let tests = ["--test", "mandates=PASS", "--test", "concentration=PASS"];
        team.orch("compliance", &[&report[..], &tests].concat());
        team.commit("Report the compliance review");
        fund.pass();
        fund
    }

    fn approve(&self, person: &str) {
        let statement = "Weights seen in the report";
        let approve = ["approve", TASK, "--stage", "go_live", "--statement", statement];
        self.team.orch(person, &approve);
        self.land("Approve");
    }
}

const PLUGINS: &str = "{\"enabled\": [\"carry\", \"trend\"]}\n";

/// R003-28, R003-29, R003-37 to R003-41: the run's folder is sealed with the request, risk and compliance
/// judge, two people approve what the gates observed, and what goes live is what was approved.
#[test]
fn a_backtest_is_promoted_to_live() {
    let fund = Fund::reviewed();
    let team = &fund.team;
    let sealed = team.read(&team.record(TASK, "handoff"));
    let first = team.repo.git(&["ls-files", &format!(".orch/tasks/*/{TASK}/*-handoff.yaml")]);
    let first = team.read(first.lines().next().unwrap());
    for file in ["result.json", "portfolio.json", "audit.jsonl", "weights.json"] {
        assert!(first.contains(&format!("{RUN}/{file}")), "{file}: {first}");
    }
    assert!(sealed.contains("risk/reviews"), "{sealed}");

    fund.approve("sponsor");
    let early = team.try_orch("execution", &["run", "start", TASK]);
    assert!(early.checks().contains(&"approval-missing"), "one of two is not enough: {early:#?}");
    fund.approve("safety_officer");
    team.orch("execution", &["run", "start", TASK]);
    team.repo.write("deploy/live/weights.json", WEIGHTS);
    team.orch("execution", &["handoff", "create", TASK]);
    team.commit("Go live");
    fund.pass();
    let gate = team.read(&team.record(TASK, "gate"));
    assert!(gate.contains(r#"weights.weights = {"carry":0.4,"trend":0.6}"#), "{gate}");
    let close = ["task", "close", TASK, "--outcome", "completed", "--reason", "Live"];
    team.orch("director", &close);
    team.commit("Close the promotion");
    team.verify().passed();
}

/// R003-39: too few trades, a loss, or a fall of more than a tenth send it back; return and drawdown are
/// worked out from the values, whatever the file says of itself.
#[test]
fn a_backtest_below_its_thresholds_is_rejected() {
    for (said, condition) in [
        (result(29, &GOOD), "result.trades >= 30"),
        (result(42, &[1_000_000.0, 990_000.0]), "double(result.final_nav) >"),
        (result(42, &GOOD).replace("\"return_pct\": ", "\"return_pct\": 5"), "result.return_pct"),
        (result(42, &GOOD).replace("2024-01-04", "2024-01-03"), "exists_one"),
        (result(42, &GOOD).replace("2024-01-05", "2024-02-05"), "a.date <= result.config.end"),
        (result(42, &GOOD).replace("\"final_nav\": ", "\"final_nav\": 9"), "result.final_nav"),
        (result(42, &[1_000_000.0]).replace("\"nav\": 1000000", "\"nav\": 1"), "size() >= 2"),
        (
            result(42, &GOOD).replace("\"trades\": 42", "\"trades\": 1, \"trades\": 42"),
            "each key once",
        ),
        (result(42, &[1_000_000.0, 1_200_000.0, 1_079_000.0]), "result.nav_series.all"),
        (result(42, &GOOD).replace("\"trades\": 42", "\"trades\": \"42\""), "result.trades"),
        (result(42, &GOOD).replace("2024-01-31", "2024-01-01"), "result.config.start"),
    ] {
        let fund = Fund::begin();
        let judged = fund.backtest(&said, PLUGINS);
        assert_eq!(judged.code, 1, "{condition}: {judged:#?}");
        let told = format!("{}{}", judged.out, judged.err);
        assert!(told.contains(condition), "{condition}: {judged:#?}");
        fund.land("Fail the gate");
        let next = fund.team.try_orch("risk", &["run", "start", TASK, "--stage", "review"]);
        assert_ne!(next.code, 0, "{condition}: {next:#?}");
    }
}

/// R003-37: what was tested with other plug-ins than those that are deployed is not promoted.
#[test]
fn a_backtest_of_other_plug_ins_is_rejected() {
    let fund = Fund::begin();
    let judged = fund.backtest(&result(42, &GOOD), "{\"enabled\": [\"carry\"]}\n");
    assert_eq!(judged.code, 1, "{judged:#?}");
    let both = r#"plugins.enabled = ["carry"], deployment.enabled = ["carry","trend"]"#;
    assert!(judged.out.contains(both), "{judged:#?}");
}

/// R003-40: weights that differ from those that were approved don't pass the gate behind going live.
#[test]
fn other_weights_than_the_approved_do_not_go_live() {
    let fund = Fund::reviewed();
    fund.approve("sponsor");
    fund.approve("safety_officer");
    fund.team.orch("execution", &["run", "start", TASK]);
    fund.team.repo.write("deploy/live/weights.json", "{\"weights\": {\"carry\": 1.0}}\n");
    fund.team.orch("execution", &["handoff", "create", TASK]);
    fund.team.commit("Go live");
    let judged = fund.team.try_orch("director", &["gate", TASK]);
    assert_eq!(judged.code, 1, "{judged:#?}");
    assert!(judged.out.contains(r#"live_weights.weights = {"carry":1.0}"#), "{judged:#?}");
}
