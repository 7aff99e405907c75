//! What is exported is what other programs take, and wakes every job whenever it is due.

use std::collections::BTreeSet;
use std::process::Command;

use serde_json::Value;

use super::*;
use crate::ops::schedule::{Cron, Timetable};
use crate::policy::{Policy, Schedule};
use crate::source::JobName;

/// What a user may write, and no scheduler may take for its own.
const HOSTILE: &str = "Say \"hi\" & $(id) ${{ secrets.TOKEN }} %n %h\nRestart=always";

fn setting() -> Setting {
    Setting {
        project: "hedge".into(),
        directory: "/srv/it's 100%/hedge".into(),
        program: "/usr/local/bin/orch".into(),
        image: "registry.example/orch:1".into(),
        from: "2026-01-01T00:00:00Z".parse().expect("a moment"),
    }
}

/// The hedge template's schedule, with what is hard for other schedulers besides.
fn schedule() -> Schedule {
    let policy = include_bytes!("../../../../templates/hedge.yaml");
    let mut policy = Policy::parse(policy, &crate::checks::names()).expect("a policy");
    let more = serde_json::json!({
        "Odd.Name_1": { "title": HOSTILE, "at": "02:30", "days": "daily", "owners": ["ops"], "command": ["x"] },
        "late": {
            "title": "It", "on_failure": "kill_switch", "at": "23:45", "days": "last friday", "owners": ["ops"], "command": ["x"],
            "time_zone": "America/Los_Angeles", "timeout": "10m",
            "retry": { "maximum_attempts": 3, "initial_interval": "60s" },
        },
    });
    let more: std::collections::BTreeMap<JobName, Job> =
        serde_json::from_value(more).expect("jobs");
    policy.schedule.jobs.extend(more);
    policy.schedule
}

fn documents(text: &str) -> Vec<Value> {
    let read = |text: &str| {
        let read = crate::record::document::<Value>(text.as_bytes());
        read.unwrap_or_else(|problems| panic!("{problems:?}\n{text}")).0
    };
    text.split("\n---\n").map(read).collect()
}

fn span() -> (Moment, Moment) {
    let moment = |text: &str| text.parse().expect("a moment");
    (moment("2026-01-01T00:00:00Z"), moment("2028-01-01T00:00:00Z"))
}

/// The moments at which a job is due over two years.
fn due(schedule: &Schedule, job: &str) -> BTreeSet<Moment> {
    let name: JobName = job.parse().expect("a name");
    let found = Timetable::of(schedule).of_job(&name, span().0, span().1);
    found.into_iter().map(|due| due.at).collect()
}

/// The moments at which croner fires a line over the same years.
fn fired(line: &str) -> BTreeSet<Moment> {
    let cron: croner::Cron = line.parse().expect("croner reads it");
    let start = chrono::DateTime::from_timestamp(span().0.unix(), 0).expect("a time");
    let times = cron.iter_after(start).take_while(|at| at.timestamp() <= span().1.unix());
    times.filter_map(|at| Moment::from_unix(at.timestamp())).collect()
}

/// R003-20: the workflow wakes each job at all its times, and the line that is handed on lets through
/// exactly these, each once.
#[test]
fn the_workflow_wakes_each_job_when_it_is_due() {
    let schedule = schedule();
    let (_, text) = github(&schedule, &setting()).remove(0);
    let workflow = documents(&text).remove(0);
    let lines = workflow["on"]["schedule"].as_array().expect("lines").iter();
    let lines: BTreeSet<&str> = lines.filter_map(|line| line["cron"].as_str()).collect();
    let timetable = Timetable::of(&schedule);
    for job in workflow["jobs"].as_object().expect("jobs").values() {
        let name = job["steps"][1]["env"]["JOB"].as_str().expect("a job");
        let named = &schedule.jobs[&name.parse::<JobName>().expect("a name")];
        let records = named.procedure.is_some() || named.on_failure.is_some();
        let right = if records { "write" } else { "read" };
        assert_eq!(job["permissions"], serde_json::json!({ "contents": right }));
        assert_eq!(job["steps"].as_array().map(Vec::len), Some(if records { 3 } else { 2 }));
        let when = job["if"].as_str().expect("a condition");
        let own =
            when.split_once("fromJSON('").expect("lines").1.split_once("')").expect("an end").0;
        let own: Vec<String> = serde_json::from_str(own).expect("JSON");
        let mut ran = Vec::new();
        for line in own {
            assert!(lines.contains(line.as_str()), "{line}");
            let cron: Cron = line.parse().expect("a line");
            for at in fired(&line) {
                let late = at.plus(chrono::TimeDelta::minutes(55));
                assert_eq!(cron.last(late), Some(at));
                let name = name.parse().expect("a name");
                ran.extend(timetable.last(&name, at.plus(-chrono::TimeDelta::seconds(1)), at));
            }
        }
        let ran: Vec<Moment> = ran.into_iter().map(|due| due.at).collect();
        assert_eq!(ran.iter().copied().collect::<BTreeSet<_>>(), due(&schedule, name), "{name}");
        assert_eq!(ran.len(), due(&schedule, name).len(), "{name} runs twice for one time");
    }
    assert!(!text.contains("run: ${{") && !text.contains("secrets.TOKEN }}\n"), "{text}");
}

/// The workflow says nothing that GitHub's own linters object to, where these are on the PATH.
#[test]
fn linters_have_nothing_to_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(".github/workflows/schedule.yml");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, &github(&schedule(), &setting())[0].1).expect("a file");
    for linter in [&["actionlint", "-no-color"][..], &["zizmor", "--offline", "--no-progress"]] {
        let said = Command::new(linter[0]).args(&linter[1..]).arg(&file).output();
        let Ok(said) = said else { continue };
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{}: {text}", linter[0]);
    }
}

/// R003-33: every line of the crontab is read by croner, and with the grace of `--scheduled` each time of a
/// job is run for, and none twice.
#[test]
fn the_crontab_wakes_each_job_when_it_is_due() {
    let schedule = schedule();
    let (_, text) = crontab(&schedule, &setting()).remove(0);
    assert!(
        text.contains("cd '/srv/it'\\''s 100\\%/hedge' && /usr/local/bin/orch schedule"),
        "{text}"
    );
    assert!(!text.lines().any(|line| line.starts_with("Restart")), "{text}");
    let timetable = Timetable::of(&schedule);
    for name in schedule.jobs.keys() {
        let call = format!(" schedule run-once {name} --scheduled");
        let mut woken = BTreeSet::new();
        for line in text.lines().filter(|line| line.ends_with(&call)) {
            let cron: Vec<&str> = line.split(' ').take(5).collect();
            woken.extend(fired(&cron.join(" ")));
        }
        let mut ran = BTreeSet::new();
        for at in woken {
            let grace = chrono::TimeDelta::minutes(50);
            ran.extend(timetable.last(name, at.plus(-grace), at).map(|due| (due.at, at == due.at)));
        }
        let on_time: BTreeSet<Moment> =
            ran.iter().filter(|(_, now)| *now).map(|(at, _)| *at).collect();
        assert_eq!(on_time, due(&schedule, name.as_str()), "{name}");
    }
}

/// R003-33: systemd reads the units, and its timers elapse whenever a job is due, where systemd is at hand.
#[test]
fn timers_elapse_when_jobs_are_due() {
    let schedule = schedule();
    let plain = Setting { directory: "/tmp".into(), program: "/bin/true".into(), ..setting() };
    let files = systemd(&schedule, &plain);
    assert!(
        systemd(&schedule, &setting())[1].1.contains("WorkingDirectory=/srv/it's 100%%/hedge\n")
    );
    let folder = tempfile::tempdir().expect("a folder");
    let mut units = Vec::new();
    for (name, text) in &files {
        assert!(!text.lines().any(|line| line.starts_with("Restart")), "{text}");
        let file = folder.path().join(name);
        std::fs::write(&file, text).expect("a file");
        units.push(file);
    }
    let Ok(said) =
        Command::new("systemd-analyze").args(["verify", "--man=no"]).args(&units).output()
    else {
        return;
    };
    let complaint = String::from_utf8_lossy(&said.stderr).into_owned();
    assert!(!complaint.contains("orch-hedge"), "{complaint}");
    for name in schedule.jobs.keys() {
        let end = format!(" schedule run-once {name} --scheduled\n");
        let service = files.iter().position(|(_, text)| text.ends_with(&end)).expect("a service");
        let timer = &files[service - 1].1;
        let events = timer.lines().filter_map(|line| line.strip_prefix("OnCalendar="));
        let events: Vec<&str> = events.collect();
        // Around both changes of the clocks, and Thanksgiving.
        for base in ["2026-03-01", "2026-10-25", "2026-11-22"] {
            let elapsed: BTreeSet<Moment> =
                events.iter().flat_map(|event| elapses(event, base)).collect();
            let begin: Moment = format!("{base}T00:00:00Z").parse().expect("a moment");
            let end = begin.plus(chrono::TimeDelta::days(12));
            let due = due(&schedule, name.as_str());
            let missed: Vec<_> =
                due.range(begin..end).filter(|due| !elapsed.contains(due)).collect();
            assert!(missed.is_empty(), "{name} {missed:?} {timer}");
        }
    }
}

/// Gives the first times at which a calendar event elapses from a day on, as systemd says.
fn elapses(event: &str, base: &str) -> Vec<Moment> {
    let said = Command::new("systemd-analyze")
        .args(["calendar", "--iterations=13"])
        .arg(format!("--base-time={base} 00:00:00 UTC"))
        .arg(event)
        .env("TZ", "UTC")
        .output()
        .expect("it ran before");
    assert!(said.status.success(), "{event}: {}", String::from_utf8_lossy(&said.stderr));
    let text = String::from_utf8_lossy(&said.stdout).into_owned();
    let times = text.lines().filter_map(|line| line.split_once(": ")?.1.strip_suffix(" UTC"));
    times
        .filter_map(|time| {
            let words: Vec<&str> = time.split(' ').collect();
            format!("{}T{}Z", words.get(1)?, words.get(2)?).parse().ok()
        })
        .collect()
}

/// R003-33: CronJobs have names of their own that fit, what Kubernetes asks for, and nothing that a user
/// wrote in a place where it would be read as something else. Where ORCH_SCHEMAS names a folder with Kubernetes'
/// own JSON Schema of a CronJob, `cronjob.json`, they conform to that.
#[test]
fn cron_jobs_are_what_kubernetes_takes() {
    let schedule = schedule();
    let (_, text) = kubernetes(&schedule, &setting()).remove(0);
    let manifests = documents(&text);
    let mut names = BTreeSet::new();
    let mut ran: BTreeSet<(String, Moment)> = BTreeSet::new();
    for manifest in &manifests {
        let name = manifest["metadata"]["name"].as_str().expect("a name");
        assert!(name.len() <= 52 && names.insert(name.to_owned()), "{name}");
        let spec = &manifest["spec"];
        assert_eq!(
            (manifest["kind"].as_str(), spec["concurrencyPolicy"].as_str()),
            (Some("CronJob"), Some("Forbid"))
        );
        let container = &spec["jobTemplate"]["spec"]["template"]["spec"]["containers"][0];
        let words: Vec<&str> = container["command"]
            .as_array()
            .expect("words")
            .iter()
            .filter_map(Value::as_str)
            .collect();
        let (zone, line) = (
            spec["timeZone"].as_str().expect("a zone"),
            spec["schedule"].as_str().expect("a line"),
        );
        assert_eq!(words[6], format!("CRON_TZ={zone} {line}"));
        let cron: Cron = words[6].parse().expect("orch reads it");
        let job: JobName = words[3].parse().expect("a name");
        for at in due(&schedule, words[3]) {
            if cron.last(at.plus(chrono::TimeDelta::minutes(30))) == Some(at) {
                assert!(ran.insert((words[3].to_owned(), at)), "{job} runs twice at {at}");
            }
        }
    }
    for name in schedule.jobs.keys() {
        let found: BTreeSet<Moment> =
            ran.iter().filter(|(job, _)| *name == job.as_str()).map(|(_, at)| *at).collect();
        assert_eq!(found, due(&schedule, name.as_str()), "{name}");
    }
    let Some(folder) = std::env::var_os("ORCH_SCHEMAS") else { return };
    let file = std::path::Path::new(&folder).join("cronjob.json");
    let Ok(read) = std::fs::read_to_string(file) else { return };
    let schema: Value = serde_json::from_str(&read).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    for manifest in &manifests {
        let faults: Vec<String> =
            validator.iter_errors(manifest).map(|fault| fault.to_string()).collect();
        assert_eq!(faults, Vec::<String>::new(), "{manifest:#}");
    }
}
