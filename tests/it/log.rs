//! What everybody did, what this machine wrote down, and its archive.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Random, Team, TestRepo};

/// A team with one stage begun and handed over, on its branch, all of it today.
fn worked() -> Team {
    let team = Team::new();
    team.hand_over_strategy(&[]);
    team
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// R000-52: of one task, one agent, one kind, one time; what can't be meant is told.
#[test]
fn the_log_is_asked_for_a_part() {
    let team = worked();
    team.open("strat-002", "new_strategy", &[]);
    let count = |more: &[&str]| {
        team.json("quant_engineer", &[&["log"], more].concat()).as_array().unwrap().len()
    };
    assert_eq!(count(&[]), 4, "ORCH_AGENT alone leaves out nothing");
    assert_eq!(count(&["--task", "STRAT-001"]), 3);
    assert_eq!(count(&["--agent", "strategy_developer"]), 2);
    assert_eq!(count(&["--kind", "handoff"]), 1);
    assert_eq!(count(&["--task", "strat-001", "--agent", "orchestrator"]), 1);
    assert_eq!(count(&["--since", "24h"]), 4);
    assert_eq!(count(&["--since", "2099-01-01T00:00:00Z"]), 0);
    assert_eq!(count(&["main", "--since", "1h"]), 0);
    let near = |more: &[&str]| team.try_orch("", &[&["log"], more].concat()).fault().to_owned();
    assert!(near(&["--kind", "handof"]).contains("did you mean `handoff`?"));
    assert!(near(&["--task", "strat-01"]).contains("did you mean"));
    assert!(near(&["--since", "yesterday"]).contains("24h"));
    assert!(near(&["--agent", "quant_enginer"]).contains("did you mean `quant_engineer`?"));
    assert!(near(&["--activity", "--agent", "nobody"]).contains("no agent `nobody`"));
}

/// What is written while somebody looks on is told, once, until they have seen enough.
#[test]
fn the_log_is_followed() {
    let team = worked();
    let mut command = team.command("", "", &["log", "--follow", "--task", "strat-002"]);
    // Nothing is known of the task yet.
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap()).lines();
    team.open("strat-002", "new_strategy", &[]);
    let line = out.next().unwrap().unwrap();
    assert!(line.contains("strat-002") && line.contains("opened it"), "{line}");
    let update = ["task", "update", "strat-002", "--priority", "critical"];
    let update = team.try_orch("orchestrator", &update);
    assert_eq!(update.code, 0, "{update:#?}");
    let line = out.next().unwrap().unwrap();
    assert!(line.contains("changed its terms"), "{line}");
    let pid = child.id().to_string();
    assert!(std::process::Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    assert!(out.next().is_none());
}

/// R000-52, R000-53: what this machine wrote down, asked for a part.
#[test]
fn the_activity_log_is_told() {
    let team = worked();
    let all = team.json("", &["log", "--activity"]);
    assert_eq!(all.as_array().unwrap().len(), 3, "{all:#}");
    let asked = ["log", "--activity", "--kind", "handoff", "--agent", "strategy_developer"];
    assert_eq!(team.json("", &asked)[0]["action"], "handoff");
    let human = team.orch("", &["log", "--activity", "--task", "strat-001"]);
    assert!(human.lines().count() == 3 && human.contains("handoff: completed"), "{human}");
}

/// A link that a commit brings makes no command write outside of the repository.
#[test]
#[cfg(unix)]
fn the_activity_log_stays_in_the_repository() {
    let team = Team::new();
    let elsewhere = team.repo.root().join("elsewhere");
    std::fs::create_dir_all(&elsewhere).unwrap();
    std::fs::write(elsewhere.join("profile"), "theirs\n").unwrap();
    let open = |id: &str| {
        let open = ["task", "open", id, "--workflow", "new_strategy", "--title", "T"];
        team.try_orch("orchestrator", &open)
    };
    let logs = team.repo.path().join("logs");
    for (id, link, target) in
        [("strat-001", logs.clone(), ""), ("strat-002", logs.join("agent_activity.log"), "profile")]
    {
        let _not_there = std::fs::remove_dir_all(&logs);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(elsewhere.join(target), &link).unwrap();
        let said = open(id);
        assert!(said.err.contains("a symbolic link leads elsewhere"), "{said:#?}");
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 1);
        assert_eq!(std::fs::read_to_string(elsewhere.join("profile")).unwrap(), "theirs\n");
        let _a_link = std::fs::remove_file(&logs);
    }
}

/// The files of orch's own log in a folder, oldest first.
fn own(team: &Team, folder: &str) -> Vec<String> {
    let listed = std::fs::read_dir(team.repo.path().join(folder)).into_iter().flatten();
    let names = listed.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("orch.log.")).collect();
    names.sort();
    names
}

/// R003-30 to R003-32: what acts leaves a line of JSON with its run and its surroundings; what only
/// looks leaves none, unless it is asked to.
#[test]
fn what_acts_leaves_a_trace() {
    let team = Team::over(TestRepo::new());
    team.orch("founder", &["init", "--template", "strategy", "--hooks"]);
    std::fs::remove_dir_all(team.repo.path().join(".git/orch/logs")).unwrap();
    team.commit("Begin with orch");
    team.orch("", &["status"]);
    team.orch("", &["guard"]);
    assert_eq!(own(&team, ".git/orch/logs"), Vec::<String>::new());

    let named = team.with_variable("ORCH_RUN_ID", "run-7").with_variable("APP_ENV", "staging");
    named.open("strat-001", "new_strategy", &[]);
    let files = own(&team, ".git/orch/logs");
    assert_eq!(files.len(), 1);
    let told = lines(&team.read(&format!(".git/orch/logs/{}", files[0])));
    assert_eq!(told.len(), 3, "{told:#?}");
    for line in &told {
        for (field, value) in [
            ("run_id", "run-7"),
            ("environment", "staging"),
            ("command", "task open"),
            ("agent", "orchestrator"),
            ("session", "session-of-orchestrator"),
            ("level", "info"),
        ] {
            assert_eq!(line[field], value, "{line:#}");
        }
        assert!(line["timestamp"].as_str().unwrap().ends_with('Z'));
    }
    assert_eq!((&told[1]["message"], &told[1]["kind"]), (&"wrote".into(), &"task".into()));
    assert_eq!((&told[2]["message"], &told[2]["exit_code"]), (&"ended".into(), &0.into()));
}

/// The day so many days ago, as this machine tells it.
fn day(back: u32) -> String {
    let ago = format!("-{back} days");
    let output = std::process::Command::new("date").args(["-u", "-d", &ago, "+%F"]).output();
    String::from_utf8(output.unwrap().stdout).unwrap().trim().to_owned()
}

/// R003-30, R003-31: level, folder and retention are the environment's; a refusal tells its checks.
#[test]
fn the_environment_says_what_is_logged() {
    let team =
        worked().with_variable("LOG_DIR", "my logs").with_variable("LOG_RETENTION_DAYS", "3");
    for back in 1..9 {
        team.repo.write(&format!("my logs/orch.log.{}.jsonl", day(back)), "{}\n");
    }
    team.repo.write("my logs/orch.log.old.jsonl", "somebody else's\n");
    team.repo.write(crate::support::CODE, "other\n");
    team.repo.git(&["add", crate::support::CODE]);
    assert_eq!(team.guard(&[]).code, 1);
    let files = own(&team, "my logs");
    let names = [day(2), day(1), day(0), "old".into()].map(|day| format!("orch.log.{day}.jsonl"));
    assert_eq!(files, names);
    let told = lines(&team.read(&format!("my logs/{}", files[2])));
    let refused = told.iter().find(|line| line["message"] == "refused").unwrap();
    assert!(refused["checks"].as_str().unwrap().contains("handoff-stale"), "{refused:#}");
    assert!(refused["count"].as_u64().unwrap() > 0 && refused["environment"] == "local");
    assert!(refused["run_id"].as_str().is_some_and(|id| !id.is_empty()));

    let loud = team.with_variable("LOG_LEVEL", "warning").with_variable("ORCH_RUN_ID", "run-7");
    let said = loud.try_orch("", &["guard"]);
    assert!(said.err.contains("WARN  orch refused checks=\"") && !said.err.contains("begun"));
    assert!(said.err.contains(" environment=\"local\"") && said.err.contains(" run_id=\"run-7\""));
    let strange = team.with_variable("LOG_LEVEL", "\u{1b}[31mloud");
    let said = strange.try_orch("", &["status"]);
    assert!(said.code == 0 && said.err.contains("LOG_LEVEL is no level"), "{said:#?}");
    let off = team.with_variable("LOG_LEVEL", "off");
    let before = own(&team, "my logs");
    off.orch("", &["status"]);
    assert_eq!(own(&team, "my logs"), before);
    team.repo.write("file", "");
    let nowhere = team.with_variable("LOG_DIR", "file");
    let said = nowhere.try_orch("", &["status"]);
    assert!(said.code == 0 && said.err.contains("no log is written"), "{said:#?}");
}

const LOG: &str = "logs/agent_activity.log";

fn old(day: &str, number: usize) -> String {
    format!("{{\"timestamp\":\"{day}T10:00:00Z\",\"agent\":\"a\",\"number\":{number}}}\n")
}

/// R003-45: days that are over go into a file each, with a checksum that others can check; the rest
/// stays, and a second time nothing is left to do.
#[test]
fn days_that_are_over_are_archived() {
    let team = worked();
    let today = team.read(LOG);
    let past = [old("2026-10-05", 1), old("2026-10-05", 2), old("2026-10-06", 3)].concat();
    team.repo.write(LOG, format!("{past}{today}"));
    team.repo.write(".git/orch/logs/orch.log.2026-10-06.jsonl", "{\"n\":1}\n");
    let planned = team.orch("", &["log", "--archive", "kept", "--dry-run"]);
    assert!(planned.contains("would write") && !team.repo.path().join("kept").exists());
    let said = team.orch("", &["log", "--archive", "kept"]);
    assert_eq!(said.lines().count(), 3, "{said}");
    assert_eq!(team.read(LOG), today);
    let first = "kept/agent_activity-2026-10-05.jsonl";
    assert_eq!(team.read(first), [old("2026-10-05", 1), old("2026-10-05", 2)].concat());
    assert_eq!(team.read("kept/orch_log-2026-10-06.jsonl"), "{\"n\":1}\n");
    assert!(!team.repo.path().join(".git/orch/logs/orch.log.2026-10-06.jsonl").exists());
    let check = || {
        let mut check = std::process::Command::new("sh");
        check.args(["-c", "sha256sum --check --quiet *.sha256"]);
        assert!(check.current_dir(team.repo.path().join("kept")).status().unwrap().success());
    };
    check();
    assert!(team.orch("", &["log", "--archive", "kept"]).contains("nothing is over"));

    // Cut off before what was archived was cut, and with a straggler since: no line twice, none lost.
    team.repo.write(LOG, format!("{past}{}{today}", old("2026-10-06", 4)));
    team.orch("", &["log", "--archive", "kept"]);
    assert_eq!(team.read(first), [old("2026-10-05", 1), old("2026-10-05", 2)].concat());
    let second = "kept/agent_activity-2026-10-06.jsonl";
    assert_eq!(team.read(second), [old("2026-10-06", 3), old("2026-10-06", 4)].concat());
    // Cut off before the checksum was written.
    let sum = team.read(&format!("{second}.sha256"));
    team.repo.write(LOG, old("2026-10-06", 5));
    team.repo.write(second, team.read(second) + &old("2026-10-06", 5));
    team.orch("", &["log", "--archive", "kept"]);
    assert!(team.read(second).ends_with(&old("2026-10-06", 5)));
    assert_ne!(team.read(&format!("{second}.sha256")), sum);
    check();

    // What somebody has changed since is not taken for the archive.
    team.edit(first, "\"number\":1", "\"number\":9");
    team.repo.write(LOG, &past);
    let said = team.try_orch("", &["log", "--archive", "kept"]);
    assert!(said.denied().contains("was changed since it was archived"), "{said:#?}");
    assert_eq!(team.read(LOG), past);
}

/// R003-45: weeks that are over become one file; a week begins on Monday, also at the turn of a year.
#[test]
fn weeks_that_are_over_are_joined() {
    let team = worked();
    let days = ["2025-12-28", "2025-12-29", "2026-01-04", "2026-01-05"];
    let past: Vec<String> = days.iter().enumerate().map(|(n, day)| old(day, n)).collect();
    team.repo.write(LOG, past.concat());
    team.orch("", &["log", "--archive", "kept", "--weekly"]);
    assert_eq!(team.read("kept/agent_activity-2025-W52.jsonl"), past[0]);
    assert_eq!(team.read("kept/agent_activity-2026-W01.jsonl"), past[1..3].concat());
    assert_eq!(team.read("kept/agent_activity-2026-W02.jsonl"), past[3]);
    assert!(!team.repo.path().join("kept/agent_activity-2026-01-05.jsonl").exists());
    assert!(!team.repo.path().join("kept/agent_activity-2026-01-05.jsonl.sha256").exists());
    assert_eq!(team.read(LOG), "");
}

/// Whoever appends while the log is archived loses nothing.
#[test]
fn nothing_is_lost_while_others_append() {
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge"]);
    team.commit("Begin with orch");
    team.repo.write(LOG, "");
    let mut expected = 0;
    for round in 0..3 {
        let message = |number: usize| format!("{round}-{number}");
        let started: Vec<_> = (0..4)
            .map(|number| {
                let message = message(number);
                let raise = ["notify", "--action", "risk_alert", "--message", &message];
                let mut command = team.command("risk", "s", &raise);
                command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
            })
            .collect();
        expected += started.len() + 1;
        let mut log =
            std::fs::OpenOptions::new().append(true).open(team.repo.path().join(LOG)).unwrap();
        log.lock().unwrap();
        std::io::Write::write_all(&mut log, old("2026-10-05", round).as_bytes()).unwrap();
        drop(log);
        team.orch("", &["log", "--archive", "kept"]);
        for mut child in started {
            child.wait().unwrap();
        }
    }
    let kept = team.read("kept/agent_activity-2026-10-05.jsonl");
    assert_eq!(lines(&kept).len() + lines(&team.read(LOG)).len(), expected);
}

/// A command that is killed at any moment, again and again, loses no line and doubles none.
#[test]
fn an_archive_survives_being_killed() {
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge"]);
    let days = ["2026-10-05", "2026-10-06", "2026-10-07", "2026-10-08"];
    let mut random = Random::new(7);
    let (mut expected, mut killed) = (Vec::new(), 0);
    for round in 0..40 {
        // What a machine appends while nobody archives.
        let log = team.repo.path().join(LOG);
        let new: Vec<String> = (0..200).map(|n| old(days[round / 10], round * 1_000 + n)).collect();
        let before = std::fs::read_to_string(&log).unwrap_or_default();
        team.repo.write(LOG, before + &new.concat());
        expected.extend(new);
        let mut command = team.command("", "", &["log", "--archive", "kept"]);
        let mut child = command.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_micros(random.below(40_000) as u64));
        killed += usize::from(child.try_wait().unwrap().is_none());
        let _ended_already = child.kill();
        child.wait().unwrap();
    }
    team.orch("", &["log", "--archive", "kept"]);
    let kept = days.map(|day| team.read(&format!("kept/agent_activity-{day}.jsonl"))).concat();
    assert!(kept == expected.concat(), "{} of {} lines", kept.lines().count(), expected.len());
    assert_eq!(team.read(LOG), "");
    assert!(killed > 0, "none was killed in the middle");
}
