//! When things go wrong: R000-48 to 51, R001-15 to 17 and R003-12 to 15, as people live them who run
//! agents at night.

use super::acts::{AUDITOR, COORDINATOR, DEPLOYER, DEVELOPER, FOUNDER, QUANT};
use super::play::Play;
use crate::cli::Stop;

/// The backtest's command fails in three ways before it comes through.
pub(super) fn night_run(play: &mut Play) -> Result<(), Stop> {
    play.act("At night: what may pass is tried again, what would come again is not");
    play.orch(QUANT, &["run", "start", "strat-001"])?;
    play.tell("  The command is not permitted: the task pauses by itself, for a person.");
    let denied = ["run", "exec", "strat-001", "--", "sh", "-c", "echo no quota left; exit 77"];
    play.orch_fails(QUANT, &denied)?;
    play.commit(QUANT, "Fail for a rule that forbids it")?;
    play.orch_refused(
        "a resume by an agent",
        "sign-off-missing",
        COORDINATOR,
        &["resume", "strat-001", "--sign-off", "Looks fine"],
    )?;
    play.orch(FOUNDER, &["resume", "strat-001", "--sign-off", "The quota is raised"])?;
    play.commit(FOUNDER, "Resume the task")?;
    play.tell("  Then it divides by zero, which it would do again.");
    let broken = ["run", "exec", "strat-001", "--", "sh", "-c", "echo division by zero; exit 1"];
    play.orch_fails(QUANT, &broken)?;
    play.commit(QUANT, "Fail for a bug")?;
    play.orch_refused(
        "the same attempt once more",
        "retry-forbidden",
        QUANT,
        &["run", "retry", "strat-001"],
    )?;
    play.tell("  It is mended in its lane. Now the line drops once, and the second attempt waits.");
    play.write("research/reports/features/costs.json", "{\"points\": 7}\n")?;
    play.git(&["add", "research"])?;
    let once = "test -f .git/seen || { touch .git/seen; echo connection reset; exit 1; }";
    let said = play.orch(QUANT, &["run", "exec", "strat-001", "--", "sh", "-c", once])?;
    for line in said.lines().filter(|line| !line.starts_with("wrote")) {
        play.tell(&format!("    {line}"));
    }
    play.commit(QUANT, "Come through at the second attempt")
}

/// The developer disputes what the auditor found.
pub(super) fn dispute(play: &mut Play) -> Result<(), Stop> {
    play.act("The finding is disputed, and a person decides");
    play.orch(
        COORDINATOR,
        &[
            "escalate",
            "strat-001",
            "--level",
            "2",
            "--trigger",
            "Is it lookahead?",
            "--position",
            "independent_auditor: It trades on the bar that it reads",
            "--position",
            "strategy_developer: The order goes out at the next open",
            "--evidence",
            "independent_auditor: strategies/pine_v6/new_strategy.pine:1",
        ],
    )?;
    play.commit(COORDINATOR, "Escalate the dispute")?;
    play.orch_refused(
        "work on a task in dispute",
        "task-blocked",
        DEVELOPER,
        &["run", "start", "strat-001"],
    )?;
    let entry = play.last_entry("strat-001", "escalation")?;
    play.orch(
        FOUNDER,
        &[
            "decide",
            "--resolves",
            &entry,
            "--finding",
            "upheld",
            "--title",
            "It is lookahead",
            "--context",
            "Both were heard",
            "--decision",
            "The strategy is mended, without blame",
        ],
    )?;
    play.commit(FOUNDER, "Uphold the finding")
}

/// What is live does harm: an incident, the kill switch, a rollback, and the way back.
pub(super) fn emergency(play: &mut Play) -> Result<(), Stop> {
    play.act("What is live does harm: the kill switch");
    play.orch(
        FOUNDER,
        &[
            "incident",
            "open",
            "inc-001",
            "--procedure",
            "live_emergency",
            "--task",
            "strat-001",
            "--trigger",
            "Drawdown of 31 %",
        ],
    )?;
    play.orch(
        FOUNDER,
        &[
            "halt",
            "--id",
            "drawdown",
            "--topic",
            "risk.kill_switch",
            "--scope",
            "workflow:new_strategy",
            "--reason",
            "Drawdown over the limit",
            "--metrics",
            "drawdown=0.31",
            "--incident",
            "inc-001",
        ],
    )?;
    play.commit(FOUNDER, "Halt all strategies")?;
    let open = ["task", "open", "strat-002", "--workflow", "new_strategy", "--title", "Next idea"];
    play.orch(COORDINATOR, &open)?;
    play.commit(COORDINATOR, "Open strat-002")?;
    play.orch_refused(
        "work under a halt",
        "halt-standing",
        DEVELOPER,
        &["run", "start", "strat-002"],
    )?;
    play.tell("  Someone deletes the halt.");
    play.git(&["rm", "--quiet", "-r", ".orch/halts"])?;
    play.commit_refused("a halt that is deleted", "record-modified", DEVELOPER)?;
    rollback(play)?;
    aftermath(play)
}

fn rollback(play: &mut Play) -> Result<(), Stop> {
    play.act("An emergency opens the rollback, and nothing else");
    let start = ["run", "start", "strat-001", "--stage", "rollback", "--incident", "inc-001"];
    play.orch(DEPLOYER, &start)?;
    play.commit(DEPLOYER, "Begin the rollback")?;
    let branch = play.git(&["branch", "--show-current"])?.trim().to_owned();
    play.tell("  Someone would use it to deploy what no audit has seen.");
    play.write(LIVE, "{\"leverage\": 1, \"untested\": true}\n")?;
    play.commit_refused("an emergency for something new", "emergency-unjustified", DEPLOYER)?;
    play.git(&["rm", "--quiet", LIVE])?;
    let done = ["handoff", "create", "strat-001", "--incident", "inc-001"];
    play.orch(DEPLOYER, &[&done[..], &["--message", "Nothing is live any more"]].concat())?;
    play.commit(DEPLOYER, "Take back what is live")?;
    play.merge(COORDINATOR, &branch)
}

/// What is live.
pub(super) const LIVE: &str = "deploy/live/new_strategy.json";

fn aftermath(play: &mut Play) -> Result<(), Stop> {
    play.act("The incident is walked to its end, and a person lifts the halt");
    let step = |name: &'static str, outcome: &'static str| {
        ["incident", "step", "inc-001", "--step", name, "--outcome", outcome]
    };
    let shown = ["--evidence", LIVE];
    play.orch(COORDINATOR, &[&step("rollback", "Taken back")[..], &shown].concat())?;
    play.orch_refused(
        "a step out of its order",
        "stage-skipped",
        COORDINATOR,
        &step("review_audits", "Nothing to see"),
    )?;
    play.orch(COORDINATOR, &step("confirm_safe", "No open order is left"))?;
    play.orch(COORDINATOR, &step("review_audits", "The audit had no test of gaps"))?;
    let report =
        ["incident", "report", "inc-001", "--summary", "A gap in the night took the stops"];
    play.orch(FOUNDER, &report)?;
    let learnt = ["--root-cause", "No stop holds over a gap", "--action", "Test gaps in the audit"];
    let postmortem = ["incident", "postmortem", "inc-001", "--summary", "31 % in one night"];
    play.orch(FOUNDER, &[&postmortem[..], &learnt].concat())?;
    play.orch(FOUNDER, &["incident", "close", "inc-001", "--reason", "Nothing is live"])?;
    play.commit(FOUNDER, "Close the incident")?;
    let lift = ["unhalt", "drawdown", "--sign-off", "Reviewed with the numbers"];
    play.orch_refused("a halt lifted by an agent", "sign-off-missing", AUDITOR, &lift)?;
    play.orch(FOUNDER, &lift)?;
    play.commit(FOUNDER, "Lift the halt")?;
    play.orch(DEVELOPER, &["run", "start", "strat-002"])?;
    play.commit(DEVELOPER, "Begin the next idea")?;
    play.git(&["switch", "--quiet", "main"])?;
    Ok(())
}
