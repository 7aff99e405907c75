//! What runs at night, when nobody looks: jobs, the procedures that answer them, and what keeps others'
//! commands and names out of both, through the real binary.

use crate::support::{Said, Team, TestRepo};

/// A hedge fund's team on its main branch, with changes of its policy, each from and to.
fn hedge(changes: &[(&str, &str)]) -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge"]);
    for (from, to) in changes {
        team.edit(".orch/policy.yaml", from, to);
    }
    team.smuggle("Begin with orch");
    team
}

/// The template's retried check, with another program in its place.
const RETRIED: &str = "owner: ops, command: [orch, health, --component, data_sources, --component, keys, \
                       --component, agents, --component, portfolio], retry: {maximum_attempts: 3, \
                       initial_interval: 30s}}";
/// The template's health check.
const CHECKS: &str = "command: [orch, health, --page, --component, data_sources, --component, keys, --component, \
                      agents, --component, portfolio], retry: {maximum_attempts: 3, initial_interval: 30s}, \
                      on_failure";

fn once(team: &Team, agent: &str, job: &str, more: &[&str]) -> Said {
    team.try_orch(agent, &[&["schedule", "run-once", job], more].concat())
}

/// R003-7, R003-12: nobody is there, the check fails, and the day is degraded: the procedure's steps, which
/// are another agent's than the job, are taken.
#[test]
fn a_check_that_fails_at_night_halts_the_day() {
    for agent in ["", "data"] {
        let failing = [
            (CHECKS, "command: [\"false\"], on_failure"),
            (RETRIED, "owner: ops, command: [\"false\"]}"),
        ];
        let team = hedge(&failing);
        let said = once(&team, agent, "health_checks", &[]);
        assert!(said.code == 1 && said.err.contains("health_failure was started"), "{said:#?}");
        let halts = team.repo.git(&["ls-files", ".orch/halts"]);
        let halt = halts.lines().find(|file| file.ends_with("-halt.yaml")).expect("it is halted");
        assert!(team.read(halt).contains("scope: schedule:execution_window"), "{halt}");
    }
}

/// R003-7: a job that is a procedure takes the steps of every agent, whoever owns the job.
#[test]
fn a_job_that_is_a_procedure_takes_its_steps() {
    let drill =
        ("owners: [risk], procedure: emergency_stop}", "owners: [data], procedure: risk_breach}");
    let team = hedge(&[drill]);
    let said = once(&team, "", "kill_switch_drill", &[]);
    assert!(said.code == 0 && said.out.contains("halted all"), "{said:#?}");
}

/// Who is not known runs no job.
#[test]
fn an_unknown_agent_runs_no_job() {
    let team = hedge(&[]);
    assert!(once(&team, "nobody", "trade_pack", &[]).fault().contains("no agent `nobody`"));
    let due = ["schedule", "due", "--run", "--at", "2025-11-24T14:15:00Z"];
    assert!(team.try_orch("nobody", &due).fault().contains("no agent `nobody`"));
}

/// R003-14: what a person must do is done by that person alone: nobody runs their command in their name.
#[test]
fn a_persons_step_is_run_by_that_person_alone() {
    let of_person = "owner: sponsor, command: [sh, -c, \"echo $ORCH_AGENT > by\"]}";
    let team = hedge(&[(
        "owner: execution, command: [\"true\"], retry: {maximum_attempts: 3, initial_interval: 15s}}",
        of_person,
    )]);
    let start = ["procedure", "start", "execution_failure", "inc-001", "--trigger", "x"];
    for other in ["director", "safety_officer"] {
        let said = team.try_orch(other, &start);
        assert!(said.code == 0 && said.out.contains("(sponsor)"), "{said:#?}");
        team.orch(other, &["procedure", "walk", "inc-001"]);
        assert!(!team.repo.path().join("by").exists(), "{other} ran it");
    }
    team.orch("sponsor", &["procedure", "walk", "inc-001"]);
    assert_eq!(team.read("by"), "sponsor\n");
}

/// Incidents and halts that come within a second are as many as are told: none is lost for want of a name.
#[test]
fn what_comes_within_a_second_has_names_of_its_own() {
    let team = hedge(&[]);
    for count in 0..6 {
        let reason = format!("Reason {count}");
        team.orch("risk", &["incident", "open", "--trigger", &reason]);
        let halt = ["halt", "--topic", "risk.kill_switch", "--scope", "schedule:*"];
        team.orch("risk", &[&halt[..], &["--until", "end-of-day", "--reason", &reason]].concat());
    }
    let folders = |shelf: &str| {
        let shelf = team.repo.path().join(".orch").join(shelf);
        std::fs::read_dir(shelf).unwrap().count()
    };
    assert_eq!((folders("incidents"), folders("halts")), (6, 6));
}

/// What is still to come is not run ahead of its time, which would find it done.
#[test]
fn what_is_still_to_come_is_not_run() {
    let team = hedge(&[]);
    let ahead = ["--scheduled", "--at", "2999-06-10T13:15:00Z"];
    let said = once(&team, "", "trade_pack", &ahead);
    assert!(said.fault().contains("2999-06-10T13:15:00Z is still to come"), "{said:#?}");
    let dry = once(&team, "", "trade_pack", &[&ahead[..], &["--dry-run"]].concat());
    assert!(dry.code == 0 && dry.out.contains("would run job trade_pack"), "{dry:#?}");
    let due = ["schedule", "due", "--run", "--at", "2999-06-10T13:15:00Z"];
    assert!(team.try_orch("", &due).fault().contains("is still to come"));
    assert!(!team.repo.path().join(".git/orch/schedule/runs.jsonl").exists());
}

/// A line that was cut off when the machine went down takes no other with it: what ran does not run again;
/// and runs of one second are told apart.
#[test]
fn a_torn_list_of_runs_loses_no_run() {
    let count = (
        "owners: [director], command: [\"true\"]}\n    execution_window",
        "owners: [director], command: [sh, -c, \"echo $ORCH_RUN_ID >> ran\"]}\n    execution_window",
    );
    let team = hedge(&[count]);
    let list = team.repo.path().join(".git/orch/schedule/runs.jsonl");
    std::fs::create_dir_all(list.parent().unwrap()).unwrap();
    std::fs::write(&list, "{\"job\":\"trade_pa").unwrap();
    for day in ["2025-11-24", "2025-11-25", "2025-11-24", "2025-11-25"] {
        let at = format!("{day}T14:20:00Z");
        assert_eq!(once(&team, "", "trade_pack", &["--scheduled", "--at", &at]).code, 0);
    }
    let ran = team.read("ran");
    let names: std::collections::BTreeSet<&str> = ran.lines().collect();
    assert_eq!((ran.lines().count(), names.len()), (2, 2), "{ran}");
}

/// What a command says is not put on the record unless the step is to show it: it may be a secret.
#[test]
fn what_a_command_says_stays_on_the_machine() {
    let tells = "command: [sh, -c, \"echo hunt''er2; exit 3\"]";
    let failing = format!("{tells}, on_failure");
    let retry = format!("owner: ops, {tells}}}");
    let team = hedge(&[(CHECKS, &failing), (RETRIED, &retry)]);
    assert_eq!(once(&team, "", "health_checks", &[]).code, 1);
    let files = team.repo.git(&["ls-files", ".orch/incidents"]);
    let all: String = files.lines().map(|file| team.read(file)).collect();
    assert!(all.contains("job health_checks failed with exit code 3"), "{all}");
    assert!(all.contains("outcome: exit code 3") && !all.contains("hunter2"), "{all}");
    assert!(all.contains("market_data"), "what shows evidence is shown: {all}");
}

/// R003-2: the first and the last moments that can be written are answered.
#[test]
fn the_edges_of_the_calendar_are_answered() {
    let team = hedge(&[]);
    for at in ["9999-12-30T00:00:00Z", "9999-12-31T23:59:59Z", "1970-01-01T00:00:00Z"] {
        for what in ["next", "due"] {
            let said = team.try_orch("", &["schedule", what, "--at", at]);
            assert_eq!(said.code, 0, "{what} {at} {said:#?}");
        }
        let said = team.try_orch("", &["schedule", "list", "--day", &at[..10]]);
        assert!([0, 2].contains(&said.code), "{at} {said:#?}");
        let said = once(&team, "", "trade_pack", &["--scheduled", "--at", at, "--dry-run"]);
        assert_eq!(said.code, 0, "{at} {said:#?}");
    }
}

/// A branch's policy that nobody agreed on runs none of its commands, whether it is checked out or named;
/// once the protected branch has it, it does.
#[test]
fn a_policy_that_nobody_agreed_on_runs_nothing() {
    let team = hedge(&[]);
    team.repo.git(&["switch", "--quiet", "-c", "orch/their-proposal"]);
    let theirs = "command: [sh, -c, \"echo >> theirs\"]";
    let probe = format!("component: keys, {theirs}");
    team.edit(".orch/policy.yaml", "component: keys, command: []", &probe);
    team.edit(
        ".orch/policy.yaml",
        "owners: [director], command: [\"true\"]}\n    execution_window",
        &format!("owners: [director], {theirs}}}\n    execution_window"),
    );
    team.edit(
        ".orch/policy.yaml",
        "owner: execution, command: [\"true\"]",
        &format!("owner: execution, {theirs}"),
    );
    team.smuggle("Propose another policy");
    let ran = || team.repo.path().join("theirs").exists();
    let start = ["procedure", "start", "execution_failure", "inc-001", "--trigger", "x"];
    let due = ["schedule", "due", "--run", "--at", "2025-11-24T14:15:00Z"];
    let all = |agent: &str| {
        let health = team.try_orch(agent, &["health", "--component", "keys", "--format", "json"]);
        [
            health,
            once(&team, agent, "trade_pack", &[]),
            team.try_orch(agent, &due),
            team.try_orch(agent, &start),
        ]
    };
    let told = "the policy of this branch is not what `main` has agreed on";
    for detached in [false, true] {
        let [health, others @ ..] = all("execution");
        assert!(health.code == 2 && health.err.contains(told), "{health:#?}");
        assert_eq!(health.json()["status"], "unknown", "{health:#?}");
        assert!(others.iter().all(|said| said.fault().contains(told)), "{others:#?}");
        assert!(!ran() && !team.repo.path().join(".orch/incidents").exists());
        team.orch("execution", &[&start[..], &["--no-run"]].concat());
        let walk = team.try_orch("execution", &["procedure", "walk", "inc-001"]);
        assert!(walk.fault().contains(told) && !ran(), "{walk:#?}");
        team.repo.git(&["reset", "--quiet", "--hard"]);
        if !detached {
            team.repo.git(&["switch", "--quiet", "--detach"]);
        }
    }
    team.repo.git(&["switch", "--quiet", "main"]);
    let named =
        team.try_orch("execution", &["health", "orch/their-proposal", "--component", "keys"]);
    assert!(named.err.contains("`main` has agreed on") && !ran(), "{named:#?}");
    team.repo.git(&["merge", "--quiet", "--no-edit", "--no-verify", "orch/their-proposal"]);
    for branch in ["main", "orch/of-theirs"] {
        for said in all("execution") {
            assert_eq!((said.code, ran()), (0, true), "{branch} {said:#?}");
        }
        team.repo.git(&["reset", "--quiet", "--hard"]);
        if branch == "main" {
            team.repo.git(&["switch", "--quiet", "-c", "orch/of-theirs"]);
        }
    }
}

/// R003-20: a job whose orch was killed does not run for that time again unasked: its orders may be out.
#[test]
fn what_was_cut_off_does_not_run_again_unasked() {
    let job = (
        "owners: [director], command: [\"true\"]}\n    execution_window",
        "owners: [director], command: [sh, -c, \"echo >> ran; kill -9 $PPID; sleep 1\"]}\n    execution_window",
    );
    let team = hedge(&[job]);
    let time =
        ["schedule", "run-once", "trade_pack", "--scheduled", "--at", "2025-11-24T14:20:00Z"];
    let killed = team.command("", "", &time).output().unwrap();
    assert_eq!(killed.status.code(), None, "{killed:?}");
    let begun = std::time::Instant::now();
    let again = || team.try_orch("", &time);
    while again().err.contains("still runs") {
        assert!(begun.elapsed().as_secs() < 60, "the job never ends");
    }
    assert!(again().denied().contains("how it ended is not known"));
    assert_eq!(team.read("ran"), "\n");
}
