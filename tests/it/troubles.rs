//! When work goes wrong: failures and retries, disputes and decisions, quarantine, and what is told.

use crate::support::Team;

const FAIL: [&str; 3] = ["run", "fail", "strat-001"];

fn fail(team: &Team, class: &str, reason: &str) -> String {
    let how = ["--class", class, "--reason", reason];
    team.orch("strategy_developer", &[&FAIL[..], &how].concat())
}

/// R001-15, R001-16, R001-31, R001-39, attack 103: a transient failure is retried after its wait; a deterministic one
/// not, until its lane has changed; and the error says what to change.
#[test]
fn each_class_is_retried_as_the_policy_says() {
    let team = Team::with_policy(&[("initial_interval: 15s", "initial_interval: 2s")]);
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    let said = fail(&team, "transient", "network");
    assert!(said.contains("orch run retry strat-001"), "{said}");
    let retry = ["run", "retry", "strat-001"];
    let soon = team.try_orch("strategy_developer", &retry);
    assert_eq!((soon.code, soon.checks()), (1, vec!["retry-too-soon"]), "{soon:#?}");
    std::thread::sleep(std::time::Duration::from_millis(2100));
    team.orch("strategy_developer", &retry);
    team.commit("Try again");
    assert!(team.read(&team.record("strat-001", "run")).contains("attempt: 2"));
    fail(&team, "deterministic", "division_by_zero");
    let again = team.try_orch("strategy_developer", &retry);
    assert_eq!((again.code, again.checks()), (1, vec!["retry-forbidden"]), "{again:#?}");
    assert!(again.err.contains("mend it in the lane"), "{again:#?}");
    team.write_strategy();
    team.repo.git(&["add", "strategies"]);
    team.orch("strategy_developer", &retry);
    team.commit("Mend and try again");
    team.guard(&["--base", "main"]).passed();
}

/// R001-17, attack 104: so many failures in a row pause the task, and a person resumes it.
#[test]
fn failures_in_a_row_pause_the_task() {
    let team = Team::new();
    team.begin_strategy(&[]);
    let said = fail(&team, "policy", "not_permitted");
    assert!(said.contains("is paused"), "{said}");
    team.commit("Fail and pause");
    let next = team.orch("founder", &["next"]);
    assert!(next.contains("orch resume strat-001"), "{next}");
    let board = team.orch("", &["status"]);
    assert!(board.contains("founder lifts it: orch resume strat-001"), "{board}");
    let json = team.json("", &["status"]);
    assert_eq!(json["tasks"][0]["frozen"][0]["agent"], "founder", "{json:#}");
    let retry = ["run", "retry", "strat-001"];
    let paused = team.try_orch("strategy_developer", &retry);
    assert!(paused.checks().contains(&"task-paused"), "{paused:#?}");
    let resume = ["resume", "strat-001", "--sign-off", "Permitted now"];
    let agent = team.try_orch("orchestrator", &resume);
    assert_eq!(agent.checks(), ["sign-off-missing"], "{agent:#?}");
    team.orch("founder", &resume);
    team.orch("strategy_developer", &retry);
    team.commit("Resume and try again");
    assert!(team.read(&team.record("strat-001", "run")).contains("attempt: 1"));
}

/// R001-18: saying the same again writes nothing, says so, and is no failure.
#[test]
fn the_same_word_twice_is_one_entry() {
    let team = Team::new();
    team.begin_strategy(&[]);
    let twice = |agent: &str, arguments: &[&str]| {
        team.orch(agent, arguments);
        let before = team.records();
        let said = team.orch(agent, arguments);
        assert_eq!(team.records(), before, "{arguments:?}");
        assert!(said.contains("already") || said.contains("not blocked"), "{said}");
    };
    twice("strategy_developer", &["run", "fail", "strat-001", "--class", "spec", "--reason", "r"]);
    twice("founder", &["pause", "strat-001", "--reason", "r"]);
    team.orch("founder", &["resume", "strat-001", "--sign-off", "s"]);
    twice("founder", &["task", "block", "strat-001", "--reason", "r"]);
    twice("founder", &["task", "unblock", "strat-001", "--reason", "r"]);
    twice("founder", &["task", "assign", "strat-001", "--to", "ml_engineer"]);
    twice("founder", &["approve", "strat-001", "--stage", "deploy_live", "--statement", "s"]);
    let close = ["task", "close", "strat-001", "--outcome", "abandoned", "--reason", "r"];
    twice("founder", &close);
}

/// A failure that was committed without its pause is refused.
#[test]
fn a_pause_can_t_be_left_out() {
    let team = Team::new();
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    fail(&team, "policy", "not_permitted");
    let pause = team.record("strat-001", "pause");
    team.repo.git(&["rm", "--quiet", "--force", &pause]);
    let refused = team.git_refused(&["commit", "-m", "Fail"], "pause-owed");
    assert!(refused.err.contains("orch pause strat-001"), "{refused:#?}");
}

/// R002-26: a failure opens the task that mends it, and waits for that.
#[test]
fn a_failure_opens_its_own_task() {
    let team = Team::new();
    team.begin_strategy(&[]);
    let how =
        ["--class", "deterministic", "--reason", "bad_data", "--message", "Two days are gone"];
    let fix = ["--open-fix", "--fix-workflow", "data_refresh"];
    let said = team.orch("strategy_developer", &[&FAIL[..], &how, &fix].concat());
    assert!(said.contains("`strat-001` waits for `strat-001-fix-1`"), "{said}");
    team.commit("Fail, and open what mends it");
    let task = team.read(&team.record("strat-001-fix-1", "task"));
    assert!(task.contains("Two days are gone") && task.contains("priority: high"), "{task}");
    let next = team.orch("strategy_developer", &["next"]);
    assert!(next.contains("strat-001-fix-1"), "{next}");
    let retry = team.try_orch("strategy_developer", &["run", "retry", "strat-001"]);
    assert!(retry.checks().contains(&"dependency-open"), "{retry:#?}");
}

const BOTH: [&str; 4] = [
    "--position",
    "independent_auditor: It trades on the close that it reads",
    "--position",
    "strategy_developer: The order goes out at the next open",
];

/// A team whose audit of `strat-001` has failed for one critical issue, on `main`.
fn failed_audit() -> Team {
    let team = Team::new();
    team.land_data();
    team.hand_over_strategy(&["--depends-on", "data-001", "--version", "1.0"]);
    team.pass("strat-001", "strategy");
    team.orch("quant_engineer", &["run", "start", "strat-001"]);
    team.repo.write(crate::support::REPORT, "{\"trades\": 42, \"max_drawdown\": 0.12}\n");
    team.orch("quant_engineer", &["handoff", "create", "strat-001"]);
    team.commit("Report the backtest");
    team.pass("strat-001", "backtest");
    team.orch("independent_auditor", &["run", "start", "strat-001"]);
    let report = [
        "audit",
        "report",
        "strat-001",
        "--verdict",
        "FAIL",
        "--test",
        "anti_bias=FAIL",
        "--test",
        "full_audit=PASS",
        "--issue",
        "critical:lookahead:general:reads the close:use the open",
    ];
    team.orch("independent_auditor", &report);
    team.commit("Fail the audit");
    team.merge("feature/strat-001-audit");
    team
}

/// R000-48 to R000-50: an audit is disputed, the task waits, a person overturns the finding, and
/// still only a new report passes.
#[test]
fn a_disputed_finding_is_decided_and_audited_anew() {
    let team = failed_audit();
    let escalate = ["escalate", "strat-001", "--level", "2", "--trigger", "Disputed lookahead"];
    let escalate = [&escalate[..], &BOTH].concat();
    let said = team.orch("orchestrator", &escalate);
    assert!(said.contains("orch decide --resolves strat-001/"), "{said}");
    let again = team.orch("orchestrator", &escalate);
    assert!(again.contains("escalated already"), "{again}");
    team.commit("Escalate the dispute");
    let start = ["run", "start", "strat-001"];
    let waits = team.try_orch("strategy_developer", &start);
    assert_eq!((waits.code, waits.checks()), (1, vec!["task-blocked"]), "{waits:#?}");
    let story = team.orch("", &["status", "strat-001"]);
    assert!(story.contains("escalated it, level 2: Disputed lookahead"), "{story}");
    let entry = said.split("--resolves ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let decide = [
        "decide",
        "--resolves",
        entry,
        "--finding",
        "overturned",
        "--title",
        "Orders at the open",
        "--context",
        "Both were heard",
        "--decision",
        "It does not look ahead",
    ];
    let owed = team.try_orch("founder", &decide);
    assert_eq!((owed.code, owed.checks()), (1, vec!["record-invalid"]), "{owed:#?}");
    let decide = [&decide[..], &["--consequence", "The audit's procedure is reviewed"]].concat();
    let agent = team.try_orch("orchestrator", &decide);
    assert!(agent.denied().contains("only people decide"));
    team.orch("founder", &decide);
    let again = team.orch("founder", &decide);
    assert!(again.contains("settled already"), "{again}");
    team.commit("Overturn the finding");
    let log = team.orch("", &["log", "--decisions"]);
    assert!(log.contains("Position of independent\\_auditor: It trades on the close"), "{log}");
    assert!(log.contains("a new report is owed"), "{log}");
    let deploy = ["run", "start", "strat-001", "--stage", "deploy_paper"];
    let deploy = team.try_orch("deployment_agent", &deploy);
    assert!(deploy.checks().contains(&"gatekeeper-missing"), "{deploy:#?}");
    team.orch("strategy_developer", &start);
    team.orch("strategy_developer", &["handoff", "create", "strat-001"]);
    team.commit("Hand over as it was");
    team.guard(&["--base", "main"]).passed();
}

/// A finding that is upheld is to be answered like any other.
#[test]
fn an_upheld_finding_is_mended() {
    let team = failed_audit();
    let escalate = ["escalate", "strat-001", "--level", "2", "--trigger", "Disputed"];
    let said = team.orch("strategy_developer", &[&escalate[..], &BOTH].concat());
    let entry = said.split("--resolves ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    let decide = [
        "decide",
        "--resolves",
        entry,
        "--finding",
        "upheld",
        "--title",
        "It looks ahead",
        "--context",
        "Both were heard",
        "--decision",
        "It is mended",
    ];
    team.orch("founder", &decide);
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    let unanswered = team.try_orch("strategy_developer", &["handoff", "create", "strat-001"]);
    assert!(unanswered.checks().contains(&"audit-contradictory"), "{unanswered:#?}");
}

/// R000-48: an overdue decision is told by every guard, and refuses nobody's work.
#[test]
fn an_overdue_decision_is_told() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    let escalate = ["escalate", "strat-001", "--level", "1", "--trigger", "Costs"];
    team.orch("orchestrator", &[&escalate[..], &BOTH].concat());
    team.commit("Escalate");
    let later = orch::source::Moment::new(chrono::Utc::now()).plus(chrono::TimeDelta::hours(25));
    let judged = team.guard(&["--at", &later.to_string()]);
    judged.passed();
    assert_eq!(judged.json["findings"][0]["check"], "escalation-overdue", "{:#?}", judged.json);
    let soon = team.guard(&[]);
    assert_eq!(soon.json["findings"].as_array().map(Vec::len), Some(0), "{:#?}", soon.json);
}

/// R003-8: bad data is out of use for all that was made from it, also behind its task's close.
#[test]
fn quarantined_data_stops_what_was_made_from_it() {
    let team = Team::new();
    team.land_data();
    team.hand_over_strategy(&["--depends-on", "data-001", "--version", "1.0"]);
    team.pass("strat-001", "strategy");
    let take =
        ["task", "quarantine", "data-001", "--evidence", "validated_data", "--reason", "Twice"];
    team.orch("orchestrator", &take);
    assert!(team.orch("orchestrator", &take).contains("in quarantine already"));
    team.commit("Put the data in quarantine");
    team.verify().passed();
    let start = ["run", "start", "strat-001"];
    let stopped = team.try_orch("quant_engineer", &start);
    assert_eq!((stopped.code, stopped.checks()), (1, vec!["evidence-quarantined"]), "{stopped:#?}");
    let release = [&take[..5], &["--reason", "It was right", "--release"]].concat();
    let worker = team.try_orch("data_engineer", &release);
    assert_eq!(worker.checks(), ["agent-unknown"], "{worker:#?}");
    team.orch("orchestrator", &release);
    team.orch("quant_engineer", &start);
    team.commit("Release the data, and begin the backtest");
}

/// R001-18, hard case 10: what goes on on another branch, or is staged in another worktree, is not
/// begun again.
#[test]
fn what_goes_on_elsewhere_is_not_begun_again() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open strat-001");
    team.orch("strategy_developer", &["run", "start", "strat-001"]);
    team.commit("Begin the strategy");
    team.repo.git(&["switch", "--quiet", "main"]);
    let again = team.orch("strategy_developer", &["run", "start", "strat-001"]);
    assert!(again.contains("goes on already on branch `feature/strat-001-strategy`"), "{again}");
    assert_eq!(team.repo.git(&["status", "--porcelain"]), "");
    let next = team.orch("strategy_developer", &["next"]);
    assert!(next.contains("git switch feature/strat-001-strategy"), "{next}");
    team.open("strat-002", "new_strategy", &[]);
    team.commit("Open strat-002");
    let folder = team.repo.root().join("other").display().to_string();
    team.repo.git(&["worktree", "add", "--quiet", "-b", "feature/strat-002-strategy", &folder]);
    let other = Team::over(team.repo.beside("other"));
    other.orch("strategy_developer", &["run", "start", "strat-002"]);
    let again = team.orch("strategy_developer", &["run", "start", "strat-002"]);
    assert!(again.contains("goes on already on the worktree"), "{again}");
    let theirs = team.try_orch("ml_engineer", &["run", "start", "strat-002"]);
    assert!(theirs.denied().contains("is further on"));
    other.write_strategy();
    other.orch("strategy_developer", &["handoff", "create", "strat-002"]);
    other.commit("Hand over strat-002");
    let again = team.orch("strategy_developer", &["run", "start", "strat-002"]);
    assert!(again.contains("has delivered already"), "{again}");
}

/// R000-58: a task that rests too long says what was done last, what is in the way, what to type.
#[test]
fn a_stalled_task_says_what_to_type() {
    let team = Team::with_policy(&[("stalled_after: 24h", "stalled_after: 1s")]);
    team.begin_strategy(&[]);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    let board = team.orch("", &["status"]);
    assert!(
        board.contains("strat-001 is stalled: nothing for 0 min, since strategy_developer began")
    );
    let next = team.orch("orchestrator", &["next"]);
    assert!(next.contains("orch run fail strat-001 --class transient --reason stalled"), "{next}");
    let story = team.orch("", &["status", "strat-001"]);
    assert!(story.contains("stalled: ") && story.contains("orch run retry strat-001"), "{story}");
}

/// R000-52: what everybody did, at any commit.
#[test]
fn the_log_tells_all_ledgers_in_their_order() {
    let team = Team::new();
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    let log = team.orch("", &["log"]);
    let lines: Vec<&str> = log.lines().collect();
    assert!(lines.len() == 2 && lines[0].contains("opened it") && lines[1].contains("began"));
    assert_eq!(team.orch("", &["log", "main"]), "");
    let json = team.json("", &["log"]);
    assert_eq!(json[1]["kind"], "run");
}
