//! Halts, incidents and rollbacks through the real binary, real commits and real hooks.

use crate::support::Team;

/// Gives what one command printed that must have been refused or failed.
fn refused(team: &Team, agent: &str, arguments: &[&str]) -> String {
    let said = team.try_orch(agent, arguments);
    assert_eq!(said.code, 1, "{arguments:?}: {said:#?}");
    assert!(said.err.contains("help: "), "{said:#?}");
    said.err
}

const HALT: [&str; 9] = [
    "halt",
    "--topic",
    "risk.kill_switch",
    "--scope",
    "all",
    "--reason",
    "Drawdown over limit",
    "--id",
    "drawdown",
];

/// Who may halt and yet not commit to the protected branch is told one way, and it leads there.
#[test]
fn a_halt_is_told_one_way_to_land() {
    let team = Team::new();
    let said = team.orch("strategy_developer", &HALT);
    assert!(said.contains("next: git switch -c orch/drawdown, git commit"), "{said}");
    assert!(!said.contains("push `main`"), "{said}");
    team.git_refused(&["commit", "-m", "Halt everything"], "branch-protected");
    team.repo.git(&["switch", "--quiet", "-c", "orch/drawdown"]);
    team.commit("Halt everything");
    team.merge("orch/drawdown");
    let team = Team::new();
    let said = team.orch("founder", &HALT);
    assert!(said.contains("next: git commit, then push `main`"), "{said}");
    assert!(!said.contains("a branch of its own"), "{said}");
    team.commit("Halt everything");
}

/// R003-12 to R003-15: a halt stops every branch at once, here and in a clone after a fetch, and
/// only a person lifts it.
#[test]
fn a_halt_stops_everything_until_a_person_lifts_it() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open the strategy");
    team.repo.git(&["branch", "orch/elsewhere"]);
    let clone = team.clone_to("clone");
    team.orch("founder", &HALT);
    team.commit("Halt everything");
    assert!(team.orch("founder", &HALT).contains("stands already"));
    let snapshot = team.read(".orch/halts/drawdown/snapshot.json");
    assert!(snapshot.contains("strat-001"), "{snapshot}");

    // A branch that has not seen the halt is stopped all the same.
    team.repo.git(&["switch", "--quiet", "orch/elsewhere"]);
    let start = ["run", "start", "strat-001", "--no-branch"];
    assert!(refused(&team, "strategy_developer", &start).contains("halt-standing"));
    let board = team.orch("founder", &["status"]);
    assert!(board.contains("HALT drawdown") && board.contains("orch unhalt drawdown"), "{board}");
    clone.repo.git(&["fetch", "--quiet"]);
    let start = ["run", "start", "strat-001"];
    assert!(refused(&clone, "strategy_developer", &start).contains("halt-standing"));
    team.repo.git(&["switch", "--quiet", "main"]);

    let lift = ["unhalt", "drawdown", "--sign-off", "Positions are flat"];
    assert!(refused(&team, "orchestrator", &lift).contains("sign-off-missing"));
    let near = team.try_orch("founder", &["unhalt", "drawdwn", "--sign-off", "x"]);
    assert!(near.fault().contains("did you mean `drawdown`?"));
    team.orch("founder", &lift);
    // What is only staged lifts nothing yet (attack 106).
    assert!(refused(&team, "strategy_developer", &start).contains("halt-standing"));
    team.commit("Lift the halt");
    assert!(team.orch("founder", &lift).contains("lifted already"));
    team.repo.git(&["switch", "--quiet", "orch/elsewhere"]);
    team.repo.git(&["merge", "--quiet", "main"]);
    team.orch("strategy_developer", &start);
    assert!(team.verify().errors.is_empty());
}

/// Attack 106: in a range, what lifts a halt does not help the commits beside it, and a snapshot
/// is as immutable as its halt.
#[test]
fn the_change_that_lifts_a_halt_can_t_use_it() {
    let team = Team::new();
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open the strategy");
    team.orch("founder", &HALT);
    let snapshot = ".orch/halts/drawdown/snapshot.json";
    team.repo.git(&["rm", "--quiet", "--cached", snapshot]);
    team.guard(&[]).refused_by("checksum-mismatch");
    let whole = team.read(snapshot);
    team.edit(snapshot, "strat-001", "strat-009");
    team.repo.git(&["add", "--all"]);
    team.guard(&[]).refused_by("checksum-mismatch");
    team.repo.write(snapshot, whole);
    team.repo.git(&["add", "--all"]);
    team.commit("Halt everything");
    team.repo.git(&["switch", "--quiet", "-c", "feature/strat-001-strategy"]);
    team.orch("founder", &["unhalt", "drawdown", "--sign-off", "Flat"]);
    team.commit("Lift the halt");
    // What only this branch lifts stands where work arrives: nothing is run on the strength of it.
    let start = team.try_orch("strategy_developer", &["run", "start", "strat-001"]);
    assert_eq!((start.code, start.checks()), (1, vec!["halt-standing"]), "{start:#?}");
    let order = ["run", "exec", "strat-001", "--", "touch", "sent"];
    let order = team.try_orch("strategy_developer", &order);
    assert_eq!(order.checks(), ["halt-standing"], "{order:#?}");
    assert!(!team.repo.path().join("sent").exists());
    team.merge("feature/strat-001-strategy");
    team.repo.git(&["switch", "--quiet", "feature/strat-001-strategy"]);
    team.orch("strategy_developer", &["run", "start", "strat-001", "--dry-run"]);
    team.repo.git(&["switch", "--quiet", "main"]);
    team.repo.git(&["reset", "--quiet", "--hard", "HEAD^"]);

    team.repo.git(&["switch", "--quiet", "-c", "orch/forge", "main"]);
    team.edit(".orch/halts/drawdown/snapshot.json", "strat-001", "strat-009");
    team.repo.git(&["add", "--all"]);
    team.guard(&[]).refused_by("record-modified");
    team.repo.git(&["reset", "--quiet", "--hard"]);
    team.repo.git(&["rm", "--quiet", "-r", ".orch/halts"]);
    team.guard(&[]).refused_by("record-modified");
    team.repo.git(&["reset", "--quiet", "--hard"]);
    team.repo.write(".orch/halts/other/snapshot.json", "{}");
    team.repo.git(&["add", "--all"]);
    team.guard(&[]).refused_by("record-misplaced");
}

/// R003-7, R000-51: from the policy's procedure to the end, each step in its turn, debts paid.
#[test]
fn an_incident_from_procedure_to_close() {
    let team = Team::new();
    team.repo.git(&["switch", "--quiet", "-c", "orch/inc-001"]);
    let open = ["incident", "open", "inc-001", "--trigger", "Orders without a stop"];
    let near = team.try_orch("founder", &[&open[..], &["--procedure", "kill_swich"]].concat());
    assert!(near.fault().contains("did you mean `kill_switch`?"));
    team.orch("founder", &[&open[..], &["--procedure", "kill_switch"]].concat());
    team.commit("Open the incident");
    let step = |agent: &str, name: &str, more: &[&str]| {
        let base = ["incident", "step", "inc-001", "--step", name, "--outcome", "Done"];
        team.try_orch(agent, &[&base[..], more].concat())
    };
    assert!(step("founder", "review", &[]).err.contains("stage-skipped"));
    assert!(step("founder", "confirm_safe", &[]).err.contains("record-invalid"));
    assert_eq!(step("quant_engineer", "confirm_safe", &["--evidence", "log"]).code, 0);
    let again = step("quant_engineer", "confirm_safe", &["--evidence", "log"]);
    assert!(again.code == 0 && again.out.contains("already"), "{again:#?}");
    assert!(step("orchestrator", "review", &[]).err.contains("agent-unknown"));
    assert_eq!(step("founder", "review", &[]).code, 0);
    let close = ["incident", "close", "inc-001", "--reason", "Nothing is live"];
    assert!(refused(&team, "founder", &close).contains("written report"));
    team.repo.write("incidents/2026-11-21.md", "# A stop was lost\n");
    team.repo.git(&["add", "--all"]);
    let report = ["incident", "report", "inc-001", "--summary", "A stop was lost"];
    team.orch("founder", &report);
    team.commit("Report the incident");
    let show = team.json("founder", &["incident", "show", "inc-001"]);
    assert_eq!(show["debts"][0]["what"], "post-mortem", "{show:#}");

    let overdue = team.guard(&["--at", "2030-01-01T00:00:00Z"]);
    overdue.passed();
    assert_eq!(overdue.json["findings"][0]["check"], "postmortem-overdue", "{overdue:#?}");
    let learn = ["incident", "postmortem", "inc-001", "--summary", "A stop was lost"];
    let learn = [&learn[..], &["--root-cause", "No test", "--action", "Test reconnects"]].concat();
    team.orch("quant_engineer", &learn);
    assert!(refused(&team, "quant_engineer", &close).contains("agent-unknown"));
    team.orch("founder", &close);
    team.commit("Close the incident");
    assert!(team.guard(&["--at", "2030-01-01T00:00:00Z"]).json["findings"][0].is_null());
    assert!(team.orch("founder", &["incident", "list"]).contains("no open incidents"));
}

/// R000-51: what a closed task put live is taken back through real commits and hooks, and nothing
/// new gets in that way.
#[test]
fn a_closed_task_is_rolled_back() {
    let team = Team::new();
    team.finish_strategy();
    let live = team.repo.git(&["ls-files", "deploy"]);
    let live = live.lines().next().expect("something is live").to_owned();
    let sealed = team.read(&live);
    team.repo.write(&live, "{\"days\": 0}\n");
    team.smuggle("Break what is live, past the hooks");
    let procedure = ["--procedure", "live_emergency", "--task", "strat-001"];
    let open = ["incident", "open", "inc-001", "--trigger", "Orders without a stop"];
    let told = team.orch("founder", &[&open[..], &procedure].concat());
    assert!(
        told.contains("orch run start strat-001 --stage rollback --incident inc-001"),
        "{told}"
    );
    team.commit("Open the incident");
    let start = ["run", "start", "strat-001", "--stage", "rollback", "--incident", "inc-001"];
    assert!(refused(&team, "ml_engineer", &start).contains("emergency-unjustified"));
    team.orch("deployment_agent", &start);
    team.commit("Begin the rollback");
    let fail = ["run", "fail", "strat-001", "--incident", "inc-001", "--class", "transient"];
    team.orch("deployment_agent", &[&fail[..], &["--reason", "network"]].concat());
    team.orch("deployment_agent", &start);
    team.commit("Begin the rollback again");
    let listed = team.json("founder", &["incident", "list"]);
    assert!(listed[0]["next"]["command"].as_str().unwrap().contains("--incident inc-001"));
    team.repo.write(&live, "{\"untested\": true}\n");
    team.repo.git(&["add", "--all"]);
    team.git_refused(&["commit", "-m", "Sneak in"], "emergency-unjustified");
    let handoff = ["handoff", "create", "strat-001", "--incident", "inc-001"];
    let said = team.try_orch("deployment_agent", &handoff);
    assert!(said.denied().contains("git restore --source=REV"), "{said:#?}");

    // What was sealed comes back under the name that it had.
    team.repo.write(&live, sealed);
    let said = team.orch("deployment_agent", &handoff);
    assert!(said.contains(&format!("seals {live} as paper_results")), "{said}");
    team.commit("Roll back");
    team.guard(&["--base", "main"]).passed();
    team.merge("feature/inc-001-rollback");

    // Another rollback is another run, on another branch, and may delete.
    team.orch("deployment_agent", &start);
    let branch = team.repo.git(&["branch", "--show-current"]);
    assert_eq!(branch, "feature/inc-001-rollback-3");
    team.repo.git(&["rm", "--quiet", &live]);
    team.orch("deployment_agent", &handoff);
    team.commit("Take it off");
    team.guard(&["--base", "main"]).passed();
    team.merge(&branch);
    let board = team.orch("founder", &["status"]);
    assert!(board.contains("INCIDENT inc-001"), "{board}");
    let again = team.orch("deployment_agent", &handoff);
    assert!(again.contains("rolled back already"), "{again}");
    team.verify().passed();
}
