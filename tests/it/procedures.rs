//! Procedures, from what starts them to their incident's close, through the real binary, real commits and
//! real hooks.

use crate::support::{Said, Team, TestRepo, write_script};

/// A team with a template and changes of its policy, each from and to.
fn team(template: &str, person: &str, changes: &[(&str, &str)]) -> Team {
    let team = Team::over(TestRepo::new());
    team.orch(person, &["init", "--template", template, "--hooks"]);
    for (from, to) in changes {
        team.edit(".orch/policy.yaml", from, to);
    }
    team.repo.git(&["add", ".orch/policy.yaml"]);
    team.commit("Begin with orch");
    team
}

/// A hedge fund's team, on a branch for an incident.
fn hedge(changes: &[(&str, &str)]) -> Team {
    let team = team("hedge", "sponsor", changes);
    team.repo.git(&["switch", "--quiet", "-c", "orch/inc-001"]);
    team
}

/// Starts a procedure as `inc-001`, and commits what was written.
fn start(team: &Team, agent: &str, procedure: &str, more: &[&str]) -> Said {
    let base = ["procedure", "start", procedure, "inc-001", "--trigger", "It happened"];
    let said = team.try_orch(agent, &[&base[..], more].concat());
    team.commit("Start the procedure");
    said
}

/// Takes a step by hand, with evidence.
fn take(team: &Team, agent: &str, step: &str) {
    let base = ["incident", "step", "inc-001", "--step", step, "--outcome", "Done"];
    team.orch(agent, &[&base[..], &["--evidence", "seen"]].concat());
    team.commit("Take a step");
}

/// Pays what every incident owes and closes it; all of it must be committable, and verify.
fn close(team: &Team, boss: &str) {
    let state = team.json(boss, &["incident", "show", "inc-001"]);
    assert_eq!(state["open_steps"], serde_json::json!([]), "{state:#}");
    team.orch(boss, &["incident", "report", "inc-001", "--summary", "It happened"]);
    let learn = ["incident", "postmortem", "inc-001", "--summary", "It happened"];
    team.orch(boss, &[&learn[..], &["--root-cause", "R", "--action", "A test"]].concat());
    team.orch(boss, &["incident", "close", "inc-001", "--reason", "Over"]);
    team.commit("Close the incident");
    team.verify().passed();
    team.guard(&["--base", "main"]).passed();
}

/// A program that fails until it has been called `times` times; it counts its calls in `name`.
fn flaky(team: &Team, name: &str, times: u32) -> String {
    let (file, count) = (team.repo.root().join(name), team.repo.root().join(format!("{name}.n")));
    let text = format!(
        "#!/bin/sh\nn=$(cat '{0}' 2>/dev/null || echo 0); n=$((n+1)); echo $n > '{0}'\necho \"call $n \
         of $ORCH_INCIDENT $ORCH_STEP by $ORCH_AGENT\"\n[ $n -ge {times} ]\n",
        count.display()
    );
    write_script(&file, &text);
    file.display().to_string()
}

fn calls(team: &Team, name: &str) -> String {
    let file = team.repo.root().join(format!("{name}.n"));
    std::fs::read_to_string(file).unwrap_or_default().trim().to_owned()
}

/// The hedge template's retried step, with another program in its place and no waiting.
fn retried(program: &str) -> (String, String) {
    let from = "command: [orch, health, --component, data_sources, --component, keys, --component, \
         agents, --component, portfolio], retry: {maximum_attempts: 3, initial_interval: 30s}}\n      - {step: degrade";
    let to = format!(
        "command: [\"{program}\"], retry: {{maximum_attempts: 3, initial_interval: 0s}}}}\n      - {{step: degrade"
    );
    (from.to_owned(), to)
}

/// R003-7: the component is told, the check is tried again, and the third try succeeds: nothing is degraded.
#[test]
fn a_health_failure_that_passes_at_the_third_try() {
    let sandbox = hedge(&[]);
    let program = flaky(&sandbox, "probe", 3);
    let (from, to) = retried(&program);
    let team = hedge(&[(&from, &to)]);
    let said = start(&team, "ops", "health_failure", &[]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(said.out.contains("call 3 of inc-001 retry by ops"), "{said:#?}");
    let state = team.json("ops", &["incident", "show", "inc-001"]);
    assert_eq!(state["done"], serde_json::json!(["identify", "retry"]), "{state:#}");
    assert_eq!(state["not_needed"], serde_json::json!(["degrade"]), "{state:#}");
    let told = team.read(".orch/incidents/inc-001/0002-incident_step.yaml");
    assert!(told.contains("output sha256:") && told.contains("agents_responsive"), "{told}");
    let entry = team.read(".orch/incidents/inc-001/0003-incident_step.yaml");
    assert!(
        entry.contains("attempts: 3") && entry.contains("exit code 0, at attempt 3"),
        "{entry}"
    );
    assert!(team.repo.git(&["ls-files", ".orch/halts"]).is_empty());

    // What is recorded is not run again, and what is not needed can't be taken.
    team.orch("ops", &["procedure", "walk", "inc-001"]);
    assert_eq!(calls(&sandbox, "probe"), "3");
    let degrade = ["incident", "step", "inc-001", "--step", "degrade", "--outcome", "x"];
    assert!(team.try_orch("ops", &degrade).err.contains("stage-skipped"));
    take(&team, "ops", "root_cause");
    close(&team, "director");
}

/// R003-7, R003-12: a check that fails for good degrades the day: the window is halted until its end, in
/// the time zone of the schedule, and the cause is written down.
#[test]
fn a_health_failure_that_degrades_the_day() {
    let sandbox = hedge(&[]);
    let program = flaky(&sandbox, "probe", 99);
    let (from, to) = retried(&program);
    let team = hedge(&[(&from, &to)]);
    let said = start(&team, "ops", "health_failure", &[]);
    assert_eq!((said.code, calls(&sandbox, "probe").as_str()), (0, "3"), "{said:#?}");
    let state = team.json("ops", &["incident", "show", "inc-001"]);
    assert_eq!(state["done"], serde_json::json!(["identify", "degrade"]), "{state:#}");
    assert_eq!(state["failed"], serde_json::json!(["retry"]), "{state:#}");
    let halt =
        team.repo.git(&["ls-files", ".orch/halts/*-halt.yaml", ".orch/halts/**/*-halt.yaml"]);
    let halt = team.read(halt.lines().next().expect("the day is halted"));
    assert!(halt.contains("scope: schedule:execution_window"), "{halt}");
    assert!(halt.contains("incident: inc-001") && halt.contains("until: "), "{halt}");
    // Midnight in New York is at four or five in UTC.
    assert!(halt.contains("T04:00:00Z") || halt.contains("T05:00:00Z"), "{halt}");
    take(&team, "ops", "root_cause");
    close(&team, "director");
}

/// R003-8: quarantine, backup source, and the analysts are told: each a step of its owner, and none out of
/// turn.
#[test]
fn data_that_is_not_to_be_trusted() {
    let team = hedge(&[]);
    let said = start(&team, "data", "data_quality", &[]);
    assert!(
        said.code == 0 && said.out.contains("incident step inc-001 --step quarantine"),
        "{said:#?}"
    );
    let early = ["incident", "step", "inc-001", "--step", "notify_quant", "--outcome", "x"];
    assert!(team.try_orch("data", &early).err.contains("stage-skipped"));
    for step in ["quarantine", "backup_source", "notify_quant"] {
        take(&team, "data", step);
    }
    close(&team, "director");
}

/// R003-9, R003-15: orders are stopped at once by the walk itself; what is another's waits for them; a
/// person lets it go on.
#[test]
fn a_limit_that_was_broken() {
    let team = hedge(&[]);
    let dry = ["procedure", "start", "risk_breach", "inc-001", "--trigger", "x", "--dry-run"];
    team.orch("risk", &dry);
    assert!(team.repo.git(&["ls-files", ".orch/incidents"]).is_empty());
    let said = start(&team, "risk", "risk_breach", &[]);
    assert!(said.out.contains("halted all") && said.out.contains("(execution)"), "{said:#?}");
    let next = team.orch("execution", &["next"]);
    assert!(next.contains("--step cancel_orders"), "{next}");
    take(&team, "execution", "cancel_orders");
    take(&team, "director", "compile_report");
    let resume = ["incident", "step", "inc-001", "--step", "approve_resume", "--outcome", "Go on"];
    assert!(team.try_orch("director", &resume).err.contains("agent-unknown"));
    let halt = team.repo.git(&["ls-files", ".orch/halts"]);
    let halt = halt.split('/').nth(2).expect("a halt stands").to_owned();
    team.orch("safety_officer", &["unhalt", &halt, "--sign-off", "Flat and understood"]);
    take(&team, "safety_officer", "approve_resume");
    close(&team, "director");
}

/// R003-1, R003-10: a veto blocks, is annotated, the owner is told, and the director documents the remedy.
#[test]
fn a_veto() {
    let team = hedge(&[]);
    start(&team, "compliance", "compliance_veto", &[]);
    for step in ["block", "annotate", "inform"] {
        take(&team, "compliance", step);
    }
    take(&team, "director", "remedy");
    close(&team, "director");
}

/// R003-11: another venue is tried; if that keeps failing, everything is halted and flagged.
#[test]
fn orders_that_fail() {
    let owned = "owner: execution, command: [\"true\"], retry: {maximum_attempts: 3, initial_interval: 15s}";
    let broken = "owner: execution, command: [\"false\"], retry: {maximum_attempts: 3, initial_interval: 0s}";
    let team = hedge(&[(owned, broken)]);
    let said = start(&team, "execution", "execution_failure", &[]);
    assert!(said.code == 0 && said.out.contains("halted all"), "{said:#?}");
    take(&team, "execution", "record");
    close(&team, "director");
}

/// R003-12 to R003-14: all agents at rest, a person's review, a person's sign-off.
#[test]
fn a_kill_switch_is_reset_by_a_person() {
    let team = hedge(&[]);
    let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "all", "--reason", "Drawdown"];
    team.orch("risk", &[&halt[..], &["--id", "drawdown"]].concat());
    team.commit("Halt everything");
    let listed = team.json("ops", &["incident", "list"]);
    assert_eq!(listed[0]["id"], "inc-drawdown", "{listed:#}");
    let step = |agent: &str, name: &str| {
        let base = ["incident", "step", "inc-drawdown", "--step", name, "--outcome", "Done"];
        team.try_orch(agent, &[&base[..], &["--evidence", "seen"]].concat())
    };
    assert_eq!(step("ops", "confirm_safe").code, 0);
    assert!(step("director", "review").err.contains("agent-unknown"));
    assert_eq!(step("safety_officer", "review").code, 0);
    let lift = ["unhalt", "drawdown", "--sign-off", "Cause found, positions flat"];
    assert!(team.try_orch("director", &lift).err.contains("sign-off-missing"));
    team.orch("sponsor", &lift);
    assert_eq!(step("sponsor", "reset").code, 0);
    team.commit("Reset the kill switch");
    team.verify().passed();
}

/// R000-58: the last action is read, the data is checked, the run that rests is ended; the agent takes it up
/// again.
#[test]
fn a_task_that_does_not_move() {
    let at_once = ("initial_interval: 15s", "initial_interval: 0s");
    let team = team("strategy", "founder", &[at_once]);
    let none = ["procedure", "start", "stalled_task", "--trigger", "Nothing for a day"];
    assert!(team.try_orch("orchestrator", &none).fault().contains("--task ID"));
    team.begin_strategy(&[]);
    team.commit("Begin the strategy");
    let said = start(&team, "orchestrator", "stalled_task", &["--task", "strat-001"]);
    assert_eq!(said.code, 0, "{said:#?}");
    let state = team.json("orchestrator", &["incident", "show", "inc-001"]);
    assert_eq!(state["open_steps"], serde_json::json!(["restart"]), "{state:#}");
    assert_eq!(state["not_needed"], serde_json::json!(["mend_data", "decide"]), "{state:#}");
    team.orch("strategy_developer", &["run", "retry", "strat-001"]);
    take(&team, "orchestrator", "restart");
    close(&team, "orchestrator");
}

/// R000-58: where no run rests, nobody knows what blocks it, and the founder decides.
#[test]
fn a_task_that_nobody_understands_is_the_founders() {
    let team = team("strategy", "founder", &[]);
    team.open("strat-001", "new_strategy", &[]);
    team.commit("Open the strategy");
    let said = start(&team, "orchestrator", "stalled_task", &["--task", "strat-001"]);
    assert!(said.code == 0 && said.out.contains("(founder)"), "{said:#?}");
    let show = team.orch("orchestrator", &["incident", "show", "inc-001"]);
    assert!(show.contains("failed: end_run, so decide"), "{show}");
    take(&team, "founder", "decide");
    take(&team, "orchestrator", "restart");
    close(&team, "orchestrator");
}

/// R000-59: checksums are verified; what differs goes back to its source.
#[test]
fn a_handoff_that_was_corrupted() {
    let team = team("strategy", "founder", &[]);
    team.hand_over_strategy(&[]);
    team.repo.write(crate::support::CODE, "plot(close)\n");
    team.smuggle("Change what was handed over, past the hooks");
    let begin = ["procedure", "start", "corrupted_handoff", "inc-001", "--trigger", "Unreadable"];
    let said = team.try_orch("orchestrator", &[&begin[..], &["--task", "strat-001"]].concat());
    assert_eq!(said.code, 0, "{said:#?}");
    let state = team.json("orchestrator", &["incident", "show", "inc-001"]);
    assert_eq!(state["done"], serde_json::json!(["regenerate"]), "{state:#}");
    let story = team.orch("orchestrator", &["status", "strat-001"]);
    assert!(story.contains("rejected handoff"), "{story}");
    for step in ["check_format", "document"] {
        let base = ["incident", "step", "inc-001", "--step", step, "--outcome", "Done"];
        team.orch("orchestrator", &[&base[..], &["--evidence", "seen"]].concat());
    }
    team.commit("Take back what was corrupted");
    let state = team.json("orchestrator", &["incident", "show", "inc-001"]);
    assert_eq!(state["open_steps"], serde_json::json!([]), "{state:#}");
}

/// R003-7: a walk that is killed loses nothing that was taken, and runs nothing twice that was recorded; a
/// step that failed, and that none stands in for, is taken again.
#[test]
fn a_walk_that_is_cut_off_goes_on() {
    let sandbox = hedge(&[]);
    let (first, second) = (flaky(&sandbox, "first", 1), flaky(&sandbox, "second", 2));
    let steps = "- {step: record, description: Write down what was done, owner: execution}";
    let more = format!(
        "- {{step: one, owner: ops, command: [\"{first}\"]}}\n      - {{step: two, owner: ops, command: \
         [\"{second}\"]}}\n      {steps}"
    );
    let team = hedge(&[(steps, &more)]);
    start(&team, "execution", "execution_failure", &[]);
    assert_eq!(calls(&sandbox, "first"), "", "a step of another's waits for them");
    let said = team.try_orch("ops", &["procedure", "walk", "inc-001"]);
    assert!(said.code == 1 && said.err.contains("`orch procedure walk inc-001`"), "{said:#?}");
    assert_eq!((calls(&sandbox, "first"), calls(&sandbox, "second")), ("1".into(), "1".into()));
    let listed = team.orch("ops", &["incident", "list"]);
    assert!(listed.contains("orch procedure walk inc-001"), "{listed}");
    let next = team.orch("ops", &["next"]);
    assert!(next.contains("orch procedure walk inc-001"), "{next}");
    team.orch("ops", &["procedure", "walk", "inc-001"]);
    assert_eq!((calls(&sandbox, "first"), calls(&sandbox, "second")), ("1".into(), "2".into()));
    take(&team, "execution", "record");
    close(&team, "director");
}

/// What an operator mistypes is told with the nearest word, and what can't be so is refused.
#[test]
fn what_is_mistyped_is_told() {
    let team = hedge(&[]);
    let begin = ["procedure", "start", "kil_switch", "--trigger", "x"];
    assert!(team.try_orch("ops", &begin).fault().contains("did you mean `kill_switch`?"));
    assert!(
        team.try_orch("ops", &["procedure", "show", "veto"]).fault().contains("compliance_veto")
    );
    let halt = ["halt", "--topic", "risk.kill_switch", "--reason", "x", "--scope"];
    let wrong = team.try_orch("ops", &[&halt[..], &["schedule:execution_windw"]].concat());
    assert!(wrong.err.contains("did you mean `schedule:execution_window`?"), "{wrong:#?}");
    let wrong = team.try_orch("ops", &[&halt[..], &["all", "--until", "noon"]].concat());
    assert!(wrong.code == 2 && wrong.err.contains("end-of-day"), "{wrong:#?}");
    let list = team.json("ops", &["procedure", "list"]);
    assert_eq!(list.as_array().map(Vec::len), Some(9));
    let mut all = list.as_array().unwrap().iter();
    let stop = all.find(|known| known["name"] == "emergency_stop").unwrap();
    let starts = stop["started_by"].to_string();
    assert!(
        starts.contains("alert security_anomaly") && starts.contains("job kill_switch_drill"),
        "{list:#}"
    );

    // Only what has a command can fail, whoever says so.
    start(&team, "ops", "kill_switch", &[]);
    let failed = ["incident", "step", "inc-001", "--step", "confirm_safe", "--outcome", "x"];
    let said = team.try_orch("ops", &[&failed[..], &["--evidence", "e", "--failed"]].concat());
    assert!(said.checks().contains(&"record-invalid"), "{said:#?}");
}

/// R003-7: who is killed leaves the command it started; nobody runs it a second time while it lives, and the
/// step is taken once that is over. Of two who walk at once, one does.
#[test]
fn a_walk_that_is_killed_leaves_nothing_half_done() {
    let sandbox = TestRepo::new();
    let (script, pid) = (sandbox.root().join("slow"), sandbox.root().join("pid"));
    let text = "#!/bin/sh\nif [ -e PID.done ]; then exit 0; fi\necho $$ > PID.new; mv PID.new PID; exec sleep 60\n";
    write_script(&script, &text.replace("PID", &pid.display().to_string()));
    let owned = "owner: execution, command: [\"true\"], retry: {maximum_attempts: 3, initial_interval: 15s}";
    let slow = format!("owner: execution, command: [\"{}\"]", script.display());
    let team = hedge(&[(owned, &slow)]);
    start(&team, "execution", "execution_failure", &["--no-run"]);
    let walk = ["procedure", "walk", "inc-001"];
    let mut walker = team.command("execution", "s", &walk);
    let mut walker = walker.stdout(std::process::Stdio::null()).spawn().unwrap();
    let begun = std::time::Instant::now();
    while !pid.exists() {
        assert!(begun.elapsed().as_secs() < 60, "the step never began");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(team.try_orch("execution", &walk).denied().contains("are being taken"));
    walker.kill().unwrap();
    walker.wait().unwrap();
    assert!(team.try_orch("execution", &walk).denied().contains("are being taken"));
    let child = std::fs::read_to_string(&pid).unwrap();
    std::fs::write(pid.with_extension("done"), "").unwrap();
    let killed = std::process::Command::new("kill").arg(child.trim()).status();
    assert!(killed.unwrap().success());
    let again = || team.try_orch("execution", &walk);
    while again().code != 0 {
        assert!(begun.elapsed().as_secs() < 60, "the step is never free again");
    }
    let state = team.json("execution", &["incident", "show", "inc-001"]);
    assert_eq!(state["done"], serde_json::json!(["alternate"]), "{state:#}");
    assert_eq!(team.repo.git(&["ls-files", ".orch/incidents"]).lines().count(), 2);
}

/// R003-7, R003-21: a job of the schedule that failed for good starts its procedure, which takes its own
/// steps.
#[test]
fn a_job_that_fails_starts_its_procedure() {
    let sandbox = TestRepo::new();
    let program = sandbox.root().join("probe");
    write_script(&program, "#!/bin/sh\nexit 1\n");
    let (from, to) = retried(&program.display().to_string());
    let job = "portfolio], retry: {maximum_attempts: 3, initial_interval: 30s}, on_failure";
    let failing = "no_such_part], on_failure";
    let team = hedge(&[(&from, &to), (job, failing)]);
    let said = team.try_orch("ops", &["schedule", "run-once", "health_checks"]);
    assert!(said.code == 1 && said.err.contains("health_failure was started"), "{said:#?}");
    let listed = team.json("ops", &["incident", "list"]);
    assert_eq!(listed[0]["done"], serde_json::json!(["identify", "degrade"]), "{listed:#}");
    team.commit("What was done about it");
    let refused = team.try_orch("execution", &["schedule", "run-once", "execution_window"]);
    assert!(refused.denied().contains("Degraded"), "{refused:#?}");
}

/// An incident's file may have been written by anyone: no command is run but the policy's own.
#[test]
fn a_command_that_nobody_agreed_to_is_not_run() {
    let team = hedge(&[]);
    let begin =
        ["procedure", "start", "execution_failure", "inc-001", "--trigger", "x", "--no-run"];
    team.orch("execution", &begin);
    let file = ".orch/incidents/inc-001/0001-incident.yaml";
    team.edit(file, "- \"true\"", "- touch\n          - forged");
    team.repo.git(&["add", file]);
    for dry in [&[][..], &["--dry-run"]] {
        let walk = [&["procedure", "walk", "inc-001"], dry].concat();
        let said = team.try_orch("execution", &walk);
        assert!(said.denied().contains("the policy has no step `alternate`"), "{said:#?}");
        assert!(!said.out.contains("would run"), "{said:#?}");
    }
    assert!(!team.repo.path().join("forged").exists());
    team.guard(&[]).refused_by("record-invalid");
}

/// R003-12: starting an emergency stop halts everything at once; what is left is for others.
#[test]
fn an_emergency_stop_stops_everything() {
    let team = hedge(&[]);
    start(&team, "risk", "emergency_stop", &[]);
    let refused = team.try_orch("execution", &["schedule", "run-once", "execution_window"]);
    assert!(refused.denied().contains("Everything stops"), "{refused:#?}");
    let state = team.json("risk", &["incident", "show", "inc-001"]);
    assert_eq!(state["done"], serde_json::json!(["pull"]), "{state:#}");
}
