//! The day's jobs through the real program: what is due, what runs, and what keeps it from running.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::support::{Said, Team, TestRepo, write_script};

/// The template's line of the job that these stories change.
const INGESTION: &str =
    "command: [\"true\"], timeout: 15m, retry: {maximum_attempts: 3, initial_interval: 60s}";

/// A hedge fund whose data is taken in by a script of this text, with more keys of the job.
fn team(script: &str, more: &str) -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge"]);
    let file = team.repo.root().join("ingest.sh");
    let seen = team.repo.root().join("seen");
    let text =
        format!("#!/bin/sh\necho \"$ORCH_JOB $ORCH_ATTEMPT\" >> '{}'\n{script}\n", seen.display());
    write_script(&file, &text);
    let command = format!("command: [\"{}\"], {more}", file.display());
    team.edit(".orch/policy.yaml", INGESTION, &command);
    team.smuggle("Begin with orch");
    team
}

/// What the script wrote each time it was run.
fn seen(team: &Team) -> Vec<String> {
    let text = std::fs::read_to_string(team.repo.root().join("seen")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

fn schedule(team: &Team, arguments: &[&str]) -> Said {
    team.try_orch("", &[&["schedule"], arguments].concat())
}

fn once(team: &Team, more: &[&str]) -> Said {
    schedule(team, &[&["run-once", "data_ingestion"], more].concat())
}

/// What a job says that was refused, on one line; what it told while it ran stands before it.
fn refused(said: &Said) -> String {
    assert!(said.code == 1 && said.err.contains("error[refused]"), "{said:#?}");
    said.err.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of the list of runs that tell how one ended.
fn runs(team: &Team) -> Vec<Value> {
    let file = team.repo.path().join(".git/orch/schedule/runs.jsonl");
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.filter(|run| run["outcome"] != "began").collect()
}

/// R003-2, R003-3, R003-16, R003-17, R003-20: a clock that asks the program at these minutes hears of each
/// job once, on the other side of daylight saving too.
#[test]
fn a_clock_that_asks_hears_of_each_job_once() {
    let team = team("true", "timeout: 15m");
    for (at, due) in [
        ("2026-06-10T12:15:00Z", vec!["data_ingestion"]),
        ("2026-06-10T12:16:00Z", vec![]),
        ("2026-06-10T13:30:00Z", vec!["execution_window"]),
        ("2026-06-10T20:00:00Z", vec!["end_of_day"]),
        ("2026-06-19T12:15:00Z", vec![]),
        ("2026-11-27T18:00:00Z", vec!["end_of_day"]),
        ("2026-11-27T18:30:00Z", vec!["daily_report"]),
        ("2026-11-27T21:00:00Z", vec![]),
        ("2026-03-06T13:15:00Z", vec!["data_ingestion"]),
        ("2026-03-07T15:00:00Z", vec!["dependency_updates", "prompt_refresh", "retraining"]),
        ("2026-03-07T19:00:00Z", vec!["backup_validation", "key_rotation", "kill_switch_drill"]),
        ("2026-03-09T12:15:00Z", vec!["data_ingestion"]),
        ("2026-10-30T12:15:00Z", vec!["data_ingestion"]),
        ("2026-11-02T12:15:00Z", vec![]),
        ("2026-11-02T13:15:00Z", vec!["data_ingestion"]),
    ] {
        let told = team.json("", &["schedule", "due", "--at", at]);
        let found = told["due"].as_array().unwrap().iter().map(|one| one["job"].as_str().unwrap());
        assert_eq!(found.collect::<Vec<_>>(), due, "{at}");
    }
    let since =
        ["schedule", "due", "--since", "2026-10-30T00:00:00Z", "--at", "2026-11-03T00:00:00Z"];
    let told = team.json("", &since);
    assert_eq!(told["due"].as_array().unwrap().len(), 11 + 3 + 11);
    schedule(&team, &["due", "--since", "2026-11-03T00:00:00Z", "--at", "2026-11-03T00:00:00Z"])
        .fault();
}

/// R003-2, R003-3: the day in order, with holidays, short days and windows, and what comes.
#[test]
fn the_day_is_told_in_order() {
    let team = team("true", "timeout: 15m");
    let day = team.json("", &["schedule", "list", "--day", "2026-11-27"]);
    assert_eq!(day["calendars"][0]["reason"], "Day after Thanksgiving");
    let jobs = day["jobs"].as_array().unwrap();
    let first = (jobs[0]["job"].as_str(), jobs[0]["local"].as_str(), jobs[0]["owners"][1].as_str());
    assert_eq!(first, (Some("health_checks"), Some("08:00"), Some("ops")));
    assert_eq!((jobs.len(), jobs[9]["local"].as_str()), (11, Some("13:00")));
    let told = team.orch("", &["schedule", "list", "--day", "2026-12-25"]);
    assert!(told.contains("NYSE is closed: Christmas Day\nnothing is due"), "{told}");
    let told = team.orch("", &["schedule", "list", "--day", "2026-11-07"]);
    assert!(told.contains("window monthly from 14:00 to 18:00: Monthly drills"), "{told}");
    assert!(
        told.contains(
            "14:00  2026-11-07T19:00:00Z  kill_switch_drill   risk    procedure emergency_stop"
        ),
        "{told}"
    );
    let next =
        ["schedule", "next", "--job", "end_of_day", "--count", "3", "--at", "2026-11-25T21:00:00Z"];
    let next = team.json("", &next);
    let at: Vec<&str> =
        next["next"].as_array().unwrap().iter().map(|one| one["at"].as_str().unwrap()).collect();
    assert_eq!(at, ["2026-11-27T18:00:00Z", "2026-11-30T21:00:00Z", "2026-12-01T21:00:00Z"]);
    let unknown = schedule(&team, &["run-once", "data_ingestio"]);
    assert!(unknown.fault().contains("did you mean `data_ingestion`?"), "{unknown:?}");
}

/// R003-18, R003-19, R003-21: one job runs without a daemon, is told who it is, and is on the list and in the log.
#[test]
fn one_job_runs_and_is_written_down() {
    let script =
        "echo \"$ORCH_AGENT $ORCH_SCHEDULED_AT $PWD\"; test -n \"$ORCH_RUN_ID$ORCH_SESSION\"";
    let team = team(script, "timeout: 15m");
    let said = once(&team, &["--scheduled", "--at", "2025-11-24T13:20:00Z"]);
    assert_eq!(said.code, 0, "{said:?}");
    let top = team.repo.path().display();
    assert!(said.out.contains(&format!("data 2025-11-24T13:15:00Z {top}\n")), "{said:?}");
    let run = runs(&team).remove(0);
    let told = ["job", "occurrence", "outcome"].map(|key| run[key].as_str().unwrap());
    assert_eq!(told, ["data_ingestion", "2025-11-24T13:15:00Z", "succeeded"]);
    assert_eq!((run["attempts"].as_u64(), run["exit_code"].as_i64()), (Some(1), Some(0)));
    let output = std::fs::read_to_string(run["log"].as_str().unwrap()).unwrap();
    assert!(said.out.contains(&output), "{output}");
    let log = team.read("logs/agent_activity.log");
    let line: Value = serde_json::from_str(log.lines().last().unwrap()).unwrap();
    let fields = [
        "timestamp",
        "agent",
        "action",
        "task_id",
        "inputs",
        "outputs",
        "duration_seconds",
        "status",
    ];
    assert!(fields.iter().all(|field| line.get(field).is_some()), "{line}");
    assert_eq!(
        (line["agent"].as_str(), line["inputs"]["job"].as_str()),
        (Some("data"), Some("data_ingestion"))
    );
    let told = team.orch("", &["schedule", "list", "--day", "2025-11-24"]);
    assert!(told.contains("succeeded "), "{told}");
}

/// The list of runs does not grow for ever, what it told last is not forgotten, and a line that somebody
/// spoilt spoils no other.
#[test]
fn a_long_list_begins_anew() {
    let team = team("true", "timeout: 15m");
    let due = ["--scheduled", "--at", "2025-11-24T13:15:00Z"];
    assert_eq!(once(&team, &due).code, 0);
    let folder = team.repo.path().join(".git/orch/schedule");
    let mut text = std::fs::read_to_string(folder.join("runs.jsonl")).unwrap();
    text.push_str(&"{}\n".repeat(400_000));
    std::fs::write(folder.join("runs.jsonl"), text).unwrap();
    assert_eq!(once(&team, &[]).code, 0);
    assert_eq!(runs(&team).len(), 1);
    assert!(once(&team, &due).out.contains("ran here for"));
    assert_eq!(seen(&team).len(), 2);
}

/// R003-20: a scheduler that knows no holidays wakes it in vain; no time is run for twice.
#[test]
fn what_other_schedulers_wake_runs_only_when_it_is_due() {
    let team = team("true", "timeout: 15m");
    let nothing = |more: &[&str]| {
        let said = once(&team, &[&["--scheduled"], more].concat());
        assert!(said.code == 0 && said.out.contains("has nothing to do: "), "{more:?} {said:?}");
        said.out
    };
    // A holiday, the wrong half of daylight saving, and more than the grace behind the time.
    nothing(&["--at", "2025-11-27T13:15:00Z"]);
    nothing(&["--at", "2025-11-24T12:15:00Z"]);
    assert!(
        nothing(&["--at", "2025-11-24T14:05:00Z"]).contains("due next at 2025-11-25T13:15:00Z")
    );
    nothing(&["--at", "2025-11-24T13:20:00Z", "--grace", "5m"]);
    assert_eq!(seen(&team), [""; 0]);
    // The machine is three hours late: the line of summer's half was not due, that of winter's was.
    let late = ["--at", "2025-11-24T16:20:00Z", "--fired-by"];
    nothing(&[&late[..], &["15 12 * * 1-5"]].concat());
    let dry = once(&team, &[&["--scheduled", "--dry-run"], &late[..], &["15 13 * * 1-5"]].concat());
    assert!(
        dry.out.contains("would run job data_ingestion, due at 2025-11-24T13:15:00Z"),
        "{dry:?}"
    );
    assert_eq!(seen(&team), [""; 0]);
    assert_eq!(once(&team, &[&["--scheduled"], &late[..], &["15 13 * * 1-5"]].concat()).code, 0);
    assert!(nothing(&[&late[..], &["15 13 * * 1-5"]].concat()).contains("ran here for"));
    assert!(nothing(&["--at", "2025-11-24T13:15:00Z"]).contains("ran here for"));
    assert_eq!(seen(&team).len(), 1);
    assert_eq!(once(&team, &["--scheduled", "--fired-by", "@daily"]).code, 2);
}

/// R003-7: it is tried as often as the policy says, the waits grow, and what failed for good starts the
/// procedure that answers it.
#[test]
fn what_fails_is_tried_again_and_then_answered() {
    let retry = "retry: {maximum_attempts: 3, initial_interval: 1s}";
    let team = team("echo 'no prices'; exit 7", retry);
    let begun = Instant::now();
    let said = once(&team, &[]);
    assert!(begun.elapsed() >= Duration::from_secs(3), "one second, then two");
    let err = refused(&said);
    assert!(err.contains("failed with exit code 7, 3 times: no prices"), "{err}");
    assert!(err.contains("procedure data_quality"), "{err}");
    assert_eq!(seen(&team), ["data_ingestion 1", "data_ingestion 2", "data_ingestion 3"]);
    let run = runs(&team).remove(0);
    assert_eq!((run["attempts"].as_u64(), run["outcome"].as_str()), (Some(3), Some("failed")));
    assert_eq!((run["exit_code"].as_i64(), run["occurrence"].is_null()), (Some(7), true));
}

/// Two of three attempts are enough.
#[test]
fn what_succeeds_in_the_end_has_succeeded() {
    let script = "test \"$ORCH_ATTEMPT\" = 2";
    let team = team(script, "retry: {maximum_attempts: 3, initial_interval: 1s}");
    assert_eq!(once(&team, &[]).code, 0);
    assert_eq!(seen(&team).len(), 2);
    assert_eq!(
        (runs(&team)[0]["attempts"].as_u64(), runs(&team)[0]["outcome"].as_str()),
        (Some(2), Some("succeeded"))
    );
}

/// A job that takes too long is ended with its children; a program that is not there is a failure.
#[test]
fn what_takes_too_long_is_ended_with_its_children() {
    let team = team("sleep 60 & echo $!; wait", "timeout: 1s");
    let said = once(&team, &[]);
    assert!(refused(&said).contains("took longer than it may"), "{said:?}");
    let child = said.out.lines().find_map(|line| line.parse::<u32>().ok()).unwrap();
    let alive = std::fs::read_to_string(format!("/proc/{child}/stat"));
    assert!(!alive.is_ok_and(|stat| !stat.contains(") Z")), "its child lives on");
    std::fs::remove_file(team.repo.root().join("ingest.sh")).unwrap();
    assert!(refused(&once(&team, &[])).contains("could not be started"));
    let outcomes: Vec<_> = runs(&team).iter().map(|run| run["outcome"].clone()).collect();
    assert_eq!(outcomes, ["timed_out", "not_started"]);
}

/// R003-12: a halt over everything, over the schedule or over the job keeps it from running; one over
/// another job does not, and none does once it is lifted.
#[test]
fn nothing_runs_under_a_halt() {
    let team = team("true", "timeout: 15m");
    let halt = |scope: &str, id: &str| {
        let halt = ["halt", "--topic", "runtime.kill_switch", "--scope", scope, "--reason", "Stop"];
        team.orch("risk", &[&halt[..], &["--id", id]].concat());
        team.smuggle("Halt");
    };
    halt("schedule:midday_check", "h-other");
    halt("lane:data", "h-lane");
    assert_eq!(once(&team, &[]).code, 0);
    let unknown = ["halt", "--topic", "runtime.kill_switch", "--scope", "schedule:data_ingest"];
    let refused = team.try_orch("risk", &[&unknown[..], &["--reason", "Stop"]].concat());
    assert!(refused.err.contains("did you mean `schedule:data_ingestion`?"), "{refused:?}");
    for (index, scope) in ["schedule:data_ingestion", "schedule:*", "all"].iter().enumerate() {
        let id = format!("h-{index}");
        halt(scope, &id);
        for dry in [&[][..], &["--dry-run"]] {
            let said = once(&team, dry);
            let err = said.denied().split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(err.contains(&format!("halt {id} stands for {scope}: Stop")), "{err}");
            assert!(err.contains(&format!("orch unhalt {id} --sign-off STATEMENT")), "{err}");
        }
        let told = team.orch("", &["schedule", "list", "--day", "2025-11-24"]);
        assert!(told.contains(&format!("data_ingestion is halted by {id}")), "{told}");
        team.orch("sponsor", &["unhalt", &id, "--sign-off", "All is well"]);
        team.smuggle("Lift it");
        assert_eq!(once(&team, &[]).code, 0);
    }
    assert_eq!(seen(&team).len(), 4);
    assert_eq!(runs(&team).iter().filter(|run| run["outcome"] == "halted").count(), 3);
}

/// R003-21: a clock that runs what came due runs each once, and one failure keeps no other from running.
#[test]
fn what_came_due_runs_once_each() {
    let team = team("exit 1", "timeout: 15m");
    let due = ["due", "--run", "--since", "2025-11-24T13:10:00Z", "--at", "2025-11-24T13:40:00Z"];
    let dry = schedule(&team, &[&due[..], &["--dry-run"]].concat());
    assert_eq!(
        dry.out.lines().filter(|line| line.starts_with("would run job")).count(),
        3,
        "{dry:?}"
    );
    assert!(runs(&team).is_empty());
    let said = schedule(&team, &due);
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("job strategy_briefing is done"), "{said:?}");
    assert!(said.out.contains("job specialist_analysis is done"), "{said:?}");
    let again = schedule(&team, &due);
    assert_eq!((again.code, again.out.matches("ran here for").count()), (0, 3), "{again:?}");
    assert_eq!(runs(&team).len(), 3);
}

/// One job never runs twice at once; a signal ends it with its program, and that is written down.
#[test]
fn a_job_that_runs_is_left_alone_and_ends_with_orch() {
    let team = team("sleep 60", "timeout: 15m");
    let mut child =
        team.command("", "", &["schedule", "run-once", "data_ingestion"]).spawn().unwrap();
    let begun = Instant::now();
    while seen(&team).is_empty() {
        assert!(begun.elapsed() < Duration::from_secs(60), "it never began");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(once(&team, &[]).denied().contains("data_ingestion still runs, as process "));
    let kill = std::process::Command::new("kill").arg(child.id().to_string()).status();
    assert!(kill.unwrap().success());
    assert_eq!(child.wait().unwrap().code(), Some(128 + 15));
    assert_eq!((runs(&team).len(), runs(&team)[0]["outcome"].as_str()), (1, Some("interrupted")));
}

/// R003-18, R003-33: other schedulers get files that call orch.
#[test]
fn the_schedule_is_handed_to_other_schedulers() {
    let team = team("true", "timeout: 15m");
    let file = ".github/workflows/orch-schedule.yml";
    team.orch("", &["schedule", "export", "--to", "github", "--output", file]);
    let workflow = team.read(file);
    assert!(workflow.contains("--scheduled --fired-by \"$FIRED_BY\""), "{workflow}");
    team.orch("", &["schedule", "export", "--to", "systemd", "--output", "ops/units"]);
    let units = std::fs::read_dir(team.repo.path().join("ops/units")).unwrap();
    let texts = units.map(|unit| std::fs::read_to_string(unit.unwrap().path()).unwrap());
    let texts: Vec<String> = texts.collect();
    assert_eq!(texts.len(), 2 * 17);
    let timer = "OnCalendar=Mon..Fri *-*-* 08:15:00 America/New_York\nPersistent=true\n";
    assert!(texts.iter().any(|text| text.contains(timer)), "{texts:#?}");
    let crontab =
        team.orch("", &["schedule", "export", "--to", "crontab", "--program", "/bin/orch"]);
    let line = format!(
        "15 12 * * 1-5 cd {} && /bin/orch schedule run-once data_ingestion --scheduled",
        team.repo.path().display()
    );
    assert!(crontab.lines().any(|known| known == line), "{crontab}");
    let manifests =
        team.orch("", &["schedule", "export", "--to", "kubernetes", "--image", "x/orch:1"]);
    assert!(
        manifests.contains("timeZone: America/New_York") && manifests.contains("image: x/orch:1")
    );
}

/// A policy without jobs says what to do.
#[test]
fn a_policy_without_jobs_says_so() {
    let team = Team::new();
    let said = schedule(&team, &["list"]);
    assert!(said.fault().contains("the agreed policy has no jobs"), "{said:?}");
}
