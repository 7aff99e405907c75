//! The story: R000-1 to 7, 22 to 26 and 34 to 51, in the order in which a team would live them.

use super::play::{Actor, Play};
use super::trouble;
use crate::cli::Stop;

const fn actor(name: &'static str, session: &'static str) -> Actor {
    Actor { name, session }
}

pub(super) const COORDINATOR: Actor = actor("orchestrator", "session-coordination");
const DATA: Actor = actor("data_engineer", "session-data");
pub(super) const DEVELOPER: Actor = actor("strategy_developer", "session-development");
pub(super) const QUANT: Actor = actor("quant_engineer", "session-backtest");
pub(super) const AUDITOR: Actor = actor("independent_auditor", "session-audit");
pub(super) const DEPLOYER: Actor = actor("deployment_agent", "session-deployment");
pub(super) const FOUNDER: Actor = actor("founder", "session-founder");

/// Plays every act.
pub(super) fn all(play: &mut Play) -> Result<(), Stop> {
    beginning(play)?;
    data(play)?;
    idea(play)?;
    handover(play)?;
    backtest(play)?;
    failed_audit(play)?;
    trouble::dispute(play)?;
    mended(play)?;
    passed_audit(play)?;
    paper(play)?;
    live(play)?;
    trouble::emergency(play)?;
    end(play)
}

fn beginning(play: &mut Play) -> Result<(), Stop> {
    play.act("A team agrees on a policy");
    play.orch(FOUNDER, &["init", "--template", "strategy", "--hooks"])?;
    play.tell(
        "  They shorten the first wait before a retry to a second, so that you need not wait.",
    );
    let policy = play.read(".orch/policy.yaml")?;
    let policy = policy.replace("initial_interval: 15s", "initial_interval: 1s");
    play.write(".orch/policy.yaml", &policy)?;
    play.git(&["add", ".orch/policy.yaml"])?;
    play.commit(FOUNDER, "Begin with orch")
}

fn data(play: &mut Play) -> Result<(), Stop> {
    play.act("Data is fetched and validated, for strategies to build on");
    play.orch(
        COORDINATOR,
        &["task", "open", "data-001", "--workflow", "data_refresh", "--title", "BTC hourly"],
    )?;
    play.orch(DATA, &["run", "start", "data-001"])?;
    play.write("data/manifests/btcusdt_1h.json", "{\"rows\": 8760, \"gaps\": 0}\n")?;
    play.orch(DATA, &["handoff", "create", "data-001"])?;
    play.commit(DATA, "Validate a year of hourly data")?;
    play.orch(COORDINATOR, &["gate", "data-001"])?;
    play.commit(COORDINATOR, "Pass the data gate")?;
    play.merge(COORDINATOR, "feature/data-001-validate")?;
    play.orch(
        COORDINATOR,
        &["task", "close", "data-001", "--outcome", "completed", "--reason", "Validated"],
    )?;
    play.commit(COORDINATOR, "Close data-001")
}

fn idea(play: &mut Play) -> Result<(), Stop> {
    play.act("A strategy is opened and developed, in its own lane and branch");
    play.orch(
        COORDINATOR,
        &[
            "task",
            "open",
            "strat-001",
            "--workflow",
            "new_strategy",
            "--title",
            "Moving average",
            "--version",
            "1.0",
            "--depends-on",
            "data-001",
        ],
    )?;
    play.commit(COORDINATOR, "Open strat-001")?;
    play.tell("  Someone is in a hurry and wants to go live at once.");
    play.orch_refused(
        "a skipped stage",
        "stage-skipped",
        DEPLOYER,
        &["run", "start", "strat-001", "--stage", "deploy_live"],
    )?;
    play.tell("  Someone works on a branch that nobody can place.");
    play.git(&["switch", "--quiet", "--create", "quick-fix"])?;
    play.write("README.md", "Strategies\n")?;
    play.commit_refused("a bad branch name", "branch-name", DEVELOPER)?;
    play.git(&["switch", "--quiet", "main"])?;
    play.orch(DEVELOPER, &["run", "start", "strat-001"])?;
    play.commit(DEVELOPER, "Start on the strategy")?;
    play.tell("  The developer reaches into the deployment lane.");
    play.write("deploy/live/config.json", "{\"leverage\": 10}\n")?;
    play.commit_refused("a foreign lane", "lane-violation", DEVELOPER)
}

fn handover(play: &mut Play) -> Result<(), Stop> {
    play.act("The developer hands over to the quant");
    play.write("strategies/pine_v6/new_strategy.pine", "plot(ta.sma(close[0], 20))\n")?;
    play.write("docs/strategies/new_strategy.md", "# Moving average\n")?;
    play.orch(
        DEVELOPER,
        &[
            "handoff",
            "create",
            "strat-001",
            "--message",
            "Strategy ready for backtesting",
            "--next-step",
            "Run full backtest",
            "--next-step",
            "Walk-forward validation",
            "--next-step",
            "Generate performance report",
        ],
    )?;
    play.commit(DEVELOPER, "Hand over the strategy")?;
    play.tell("  One byte of the sealed strategy changes under its receiver.");
    play.write("strategies/pine_v6/new_strategy.pine", "plot(ta.sma(close[0], 21))\n")?;
    play.commit_refused("a changed artifact", "handoff-stale", DEVELOPER)?;
    play.tell("  Someone mends the landed record instead, so that the two agree.");
    let record = record_of(play, "handoff")?;
    let text = play.read(&record)?.replace("to: quant_engineer", "to: deployment_agent");
    play.write(&record, &text)?;
    play.commit_refused("an edited record", "record-modified", DEVELOPER)?;
    play.tell("  The developer declares the gate passed.");
    play.orch_refused(
        "a gate by nobody's coordinator",
        "gate-unauthorized",
        DEVELOPER,
        &["gate", "strat-001"],
    )?;
    play.orch(COORDINATOR, &["gate", "strat-001"])?;
    play.commit(COORDINATOR, "Pass the strategy gate")?;
    play.merge(COORDINATOR, "feature/strat-001-strategy")
}

fn backtest(play: &mut Play) -> Result<(), Stop> {
    trouble::night_run(play)?;
    play.act("The quant hands over the backtest; the gate reads its numbers");
    play.write("research/reports/new_strategy.json", "{\"trades\": 42, \"max_drawdown\": 0.12}\n")?;
    play.orch(QUANT, &["handoff", "create", "strat-001"])?;
    play.commit(QUANT, "Report the backtest")?;
    play.orch(COORDINATOR, &["gate", "strat-001"])?;
    play.commit(COORDINATOR, "Pass the backtest gate")?;
    play.merge(COORDINATOR, "feature/strat-001-backtest")
}

fn failed_audit(play: &mut Play) -> Result<(), Stop> {
    play.act("The audit: independent, or not at all");
    play.tell("  The developer would audit their own work.");
    play.orch_refused("a self-audit", "self-audit", DEVELOPER, &["run", "start", "strat-001"])?;
    play.orch(AUDITOR, &["run", "start", "strat-001"])?;
    play.commit(AUDITOR, "Start the audit")?;
    play.tell("  The auditor works in the very context that wrote the strategy.");
    let shared = actor("independent_auditor", DEVELOPER.session);
    play.orch_refused(
        "an audit from the developer's session",
        "audit-session-shared",
        shared,
        &pass_report(),
    )?;
    play.tell("  The auditor leaves out a test.");
    play.orch_refused(
        "an incomplete audit",
        "audit-incomplete",
        AUDITOR,
        &["audit", "report", "strat-001", "--verdict", "PASS", "--test", "full_audit=PASS"],
    )?;
    play.tell("  The honest verdict is FAIL: it uses the close of the bar it trades on.");
    play.orch(AUDITOR, &[
        "audit", "report", "strat-001", "--verdict", "FAIL", "--test", "anti_bias=FAIL",
        "--test", "full_audit=PASS", "--issue",
        "critical:lookahead:strategies/pine_v6/new_strategy.pine:1:uses the close of the bar it trades on:use close[1]",
    ])?;
    play.commit(AUDITOR, "Fail the audit")?;
    play.merge(COORDINATOR, "feature/strat-001-audit")?;
    play.tell("  Someone deploys all the same.");
    play.orch_refused(
        "a deployment after a FAIL",
        "gatekeeper-missing",
        DEPLOYER,
        &["run", "start", "strat-001", "--stage", "deploy_paper"],
    )
}

fn mended(play: &mut Play) -> Result<(), Stop> {
    play.act("The developer mends it, worst issue first");
    play.orch(DEVELOPER, &["run", "start", "strat-001"])?;
    play.write("strategies/pine_v6/new_strategy.pine", "plot(ta.sma(close[1], 20))\n")?;
    play.tell("  The developer hands over and says nothing of the critical issue.");
    play.orch_refused(
        "an unanswered critical issue",
        "audit-contradictory",
        DEVELOPER,
        &["handoff", "create", "strat-001"],
    )?;
    play.orch(DEVELOPER, &["handoff", "create", "strat-001", "--resolves", "issue-001"])?;
    play.commit(DEVELOPER, "Trade on the bar before")?;
    play.orch(COORDINATOR, &["gate", "strat-001"])?;
    play.commit(COORDINATOR, "Pass the strategy gate")?;
    play.merge(COORDINATOR, "feature/strat-001-strategy-2")?;
    play.orch(QUANT, &["run", "start", "strat-001"])?;
    play.write("research/reports/new_strategy.json", "{\"trades\": 40, \"max_drawdown\": 0.15}\n")?;
    play.orch(QUANT, &["handoff", "create", "strat-001"])?;
    play.commit(QUANT, "Report the backtest again")?;
    play.orch(COORDINATOR, &["gate", "strat-001"])?;
    play.commit(COORDINATOR, "Pass the backtest gate")?;
    play.merge(COORDINATOR, "feature/strat-001-backtest-2")
}

fn passed_audit(play: &mut Play) -> Result<(), Stop> {
    play.act("The second audit passes");
    play.orch(AUDITOR, &["run", "start", "strat-001"])?;
    play.orch(AUDITOR, &pass_report())?;
    play.commit(AUDITOR, "Pass the audit")?;
    play.orch(COORDINATOR, &["gate", "strat-001"])?;
    play.commit(COORDINATOR, "Pass the audit gate")?;
    play.merge(COORDINATOR, "feature/strat-001-audit-2")
}

fn pass_report() -> [&'static str; 9] {
    [
        "audit",
        "report",
        "strat-001",
        "--verdict",
        "PASS",
        "--test",
        "anti_bias=PASS",
        "--test",
        "full_audit=PASS",
    ]
}

fn paper(play: &mut Play) -> Result<(), Stop> {
    play.act("On paper first");
    play.tell("  The strategy is changed past the hook, after its audit.");
    play.git(&["switch", "--quiet", "--create", "feature/strat-001-hotfix"])?;
    play.write("strategies/pine_v6/new_strategy.pine", "plot(ta.sma(close[1], 5))\n")?;
    play.git(&["add", "--all"])?;
    play.git(&["commit", "--quiet", "--no-verify", "-m", "A small thing"])?;
    play.orch_refused(
        "an audit of an older version",
        "audit-outdated",
        DEPLOYER,
        &["run", "start", "strat-001", "--no-branch"],
    )?;
    play.tell("  And what the hook was not asked, CI is.");
    play.orch_refused(
        "a commit past the hook",
        "handoff-stale",
        DEPLOYER,
        &["guard", "--base", "main"],
    )?;
    play.git(&["switch", "--quiet", "main"])?;
    play.git(&["branch", "--quiet", "-D", "feature/strat-001-hotfix"])?;
    play.orch(DEPLOYER, &["run", "start", "strat-001"])?;
    play.tell("  The same deployment, as it would be judged in 31 days.");
    let later = in_31_days();
    play.orch_refused("an expired audit", "audit-expired", DEPLOYER, &["guard", "--at", &later])?;
    play.write("deploy/paper/new_strategy.json", "{\"days\": 20, \"pnl\": 0.8}\n")?;
    play.orch(DEPLOYER, &["handoff", "create", "strat-001"])?;
    play.commit(DEPLOYER, "Trade on paper")?;
    play.orch(COORDINATOR, &["gate", "strat-001"])?;
    play.commit(COORDINATOR, "Pass the paper gate")?;
    play.merge(COORDINATOR, "feature/strat-001-deploy_paper")
}

fn in_31_days() -> String {
    let now = crate::source::Moment::new(chrono::Utc::now());
    now.plus(chrono::TimeDelta::days(31)).to_string()
}

fn live(play: &mut Play) -> Result<(), Stop> {
    play.act("Live, with the founder's word");
    play.tell("  The deployment agent does not wait for it, or speaks it for the founder.");
    play.orch_refused(
        "going live unapproved",
        "approval-missing",
        DEPLOYER,
        &["run", "start", "strat-001"],
    )?;
    play.orch_refused(
        "an approval by an agent",
        "approval-missing",
        DEPLOYER,
        &["approve", "strat-001", "--stage", "deploy_live", "--statement", "Looks fine"],
    )?;
    play.orch(
        FOUNDER,
        &[
            "approve",
            "strat-001",
            "--stage",
            "deploy_live",
            "--statement",
            "Paper results are as the backtest said",
        ],
    )?;
    play.orch(DEPLOYER, &["run", "start", "strat-001"])?;
    play.write(trouble::LIVE, "{\"leverage\": 1}\n")?;
    play.orch(DEPLOYER, &["handoff", "create", "strat-001", "--message", "Live since today"])?;
    play.commit(DEPLOYER, "Go live")?;
    play.orch(COORDINATOR, &["gate", "strat-001"])?;
    play.commit(COORDINATOR, "Pass the last gate")?;
    play.merge(COORDINATOR, "feature/strat-001-deploy_live")?;
    play.orch(
        COORDINATOR,
        &["task", "close", "strat-001", "--outcome", "completed", "--reason", "Live"],
    )?;
    play.commit(COORDINATOR, "Close strat-001")
}

fn end(play: &mut Play) -> Result<(), Stop> {
    play.act("Anyone can check all of it, at any time");
    let verified = play.orch(COORDINATOR, &["verify"])?;
    play.tell(&format!("  {}", verified.trim_end()));
    let story = play.orch(COORDINATOR, &["status", "strat-001"])?;
    play.tell(&story);
    Ok(())
}

/// The path of the strategy's last landed record of a kind.
fn record_of(play: &Play, kind: &str) -> Result<String, Stop> {
    let listed = play.git(&["ls-files", &format!(".orch/tasks/*/strat-001/*-{kind}.yaml")])?;
    let last = listed.lines().last().map(str::to_owned);
    last.ok_or_else(|| Stop::fault(format!("there is no {kind}"), "run the demo again"))
}
