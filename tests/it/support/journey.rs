//! How a strategy travels, told once for all stories that begin in the middle of it.

use super::Team;

/// The strategy's code.
pub(crate) const CODE: &str = "strategies/pine_v6/new_strategy.pine";
/// Its documentation.
pub(crate) const DOCUMENT: &str = "docs/strategies/new_strategy.md";
/// Its backtest.
pub(crate) const REPORT: &str = "research/reports/new_strategy.json";
/// The data it was tested with.
const MANIFEST: &str = "data/manifests/btcusdt_1h.json";

impl Team {
    /// Opens a task, staged on the current branch.
    pub(crate) fn open(&self, id: &str, workflow: &str, more: &[&str]) {
        let arguments = ["task", "open", id, "--workflow", workflow, "--title", "Moving average"];
        self.orch("orchestrator", &[&arguments, more].concat());
    }

    /// Gives a team whose ledger of `strat-001` parted: a run began on the task's branch, which is checked out, while
    /// the task was assigned on main.
    pub(crate) fn parted() -> Self {
        let team = Team::new();
        team.open("strat-001", "new_strategy", &[]);
        team.commit("Open strat-001");
        team.orch("strategy_developer", &["run", "start", "strat-001"]);
        team.commit("Start");
        team.repo.git(&["switch", "--quiet", "main"]);
        team.orch("orchestrator", &["task", "assign", "strat-001", "--to", "strategy_developer"]);
        team.commit("Assign");
        team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
        team
    }

    /// Lands the data that strategies build on: task `data-001`, validated, gated and closed.
    pub(crate) fn land_data(&self) {
        self.open("data-001", "data_refresh", &[]);
        self.orch("data_engineer", &["run", "start", "data-001"]);
        self.repo.write(MANIFEST, "{\"rows\": 8760}\n");
        self.orch("data_engineer", &["handoff", "create", "data-001"]);
        self.commit("Validate the data");
        self.orch("orchestrator", &["gate", "data-001"]);
        self.commit("Pass the data gate");
        self.merge("feature/data-001-validate");
        let close = ["task", "close", "data-001", "--outcome", "completed", "--reason", "Valid"];
        self.orch("orchestrator", &close);
        self.commit("Close data-001");
    }

    /// Opens `strat-001` and begins its first stage, on its branch; nothing is committed.
    pub(crate) fn begin_strategy(&self, more: &[&str]) {
        self.open("strat-001", "new_strategy", more);
        self.orch("strategy_developer", &["run", "start", "strat-001"]);
    }

    /// Writes the files of the first stage.
    pub(crate) fn write_strategy(&self) {
        self.repo.write(CODE, "plot(ta.sma(close[1], 20))\n");
        self.repo.write(DOCUMENT, "# Moving average\n");
    }

    /// Takes `strat-001` to a committed handoff of its first stage, on its branch.
    pub(crate) fn hand_over_strategy(&self, more: &[&str]) {
        self.begin_strategy(more);
        self.write_strategy();
        let message = ["--message", "Strategy ready for backtesting"];
        let create = ["handoff", "create", "strat-001"];
        self.orch("strategy_developer", &[&create[..], &message].concat());
        self.commit("Hand over the strategy");
    }

    /// Begins with a strategy that is written, on a branch whose run is committed.
    pub(crate) fn written() -> Self {
        let team = Team::new();
        team.begin_strategy(&[]);
        team.commit("Begin the strategy");
        team.write_strategy();
        team
    }

    /// Begins with a handoff of `strat-001` that is staged, on a branch whose run is committed.
    pub(crate) fn sealed() -> Self {
        let team = Team::written();
        team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
        team
    }

    /// Passes the gate behind a stage and merges the stage's branch into `main`.
    pub(crate) fn pass(&self, task: &str, stage: &str) {
        self.orch("orchestrator", &["gate", task]);
        self.commit("Pass the gate");
        self.merge(&format!("feature/{task}-{stage}"));
    }

    /// Takes `strat-001` from an idea to live and closes it, every step merged into `main`.
    pub(crate) fn finish_strategy(&self) {
        self.land_data();
        self.hand_over_strategy(&["--depends-on", "data-001", "--version", "1.0"]);
        self.pass("strat-001", "strategy");
        self.backtest();
        self.orch("independent_auditor", &["run", "start", "strat-001"]);
        self.report_audit();
        self.deploy_on_paper();
        let approve =
            ["approve", "strat-001", "--stage", "deploy_live", "--statement", "As tested"];
        self.orch("founder", &approve);
        self.orch("deployment_agent", &["run", "start", "strat-001"]);
        self.orch("deployment_agent", &["handoff", "create", "strat-001"]);
        self.commit("Go live");
        self.pass("strat-001", "deploy_live");
        let close = ["task", "close", "strat-001", "--outcome", "completed", "--reason", "Live"];
        self.orch("orchestrator", &close);
        self.commit("Close strat-001");
    }

    /// Backtests `strat-001` and merges the stage's branch into `main`.
    pub(crate) fn backtest(&self) {
        self.orch("quant_engineer", &["run", "start", "strat-001"]);
        self.repo.write(REPORT, "{\"trades\": 42, \"max_drawdown\": 0.12}\n");
        self.orch("quant_engineer", &["handoff", "create", "strat-001"]);
        self.commit("Report the backtest");
        self.pass("strat-001", "backtest");
    }

    /// Reports the begun audit of `strat-001` as passed, and merges its branch into `main`.
    pub(crate) fn report_audit(&self) {
        let report = ["audit", "report", "strat-001", "--verdict", "PASS"];
        let tests = ["--test", "anti_bias=PASS", "--test", "full_audit=PASS"];
        self.orch("independent_auditor", &[&report[..], &tests].concat());
        self.commit("Pass the audit");
        self.pass("strat-001", "audit");
    }

    /// Deploys `strat-001` on paper and merges the stage's branch into `main`.
    pub(crate) fn deploy_on_paper(&self) {
        self.orch("deployment_agent", &["run", "start", "strat-001"]);
        self.repo.write("deploy/paper/new_strategy.json", "{\"days\": 20}\n");
        self.orch("deployment_agent", &["handoff", "create", "strat-001"]);
        self.commit("Trade on paper");
        self.pass("strat-001", "deploy_paper");
    }
}
