//! How things stand, through the real binary and real repositories: each part turned bad and back.

use orch::snapshot::LastChange;
use serde_json::Value;

use crate::support::{Said, Team, TestRepo, write_script};

/// A hedge fund's team, with changes of the template's policy.
fn hedge(changes: &[(&str, &str)]) -> Team {
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge", "--hooks"]);
    let policy = team.read(".orch/policy.yaml");
    team.repo.write(".orch/policy.yaml", policy.replace("command: []", "command: [\"true\"]"));
    for (from, to) in changes {
        team.edit(".orch/policy.yaml", from, to);
    }
    team.repo.git(&["add", "--all"]);
    team.commit("Begin with orch");
    team
}

/// What a team has yet to fill in is unknown, and not well.
#[test]
fn what_nobody_looks_at_is_unknown() {
    let team = Team::over(TestRepo::new());
    team.orch("sponsor", &["init", "--template", "hedge", "--hooks"]);
    team.commit("Begin with orch");
    let (said, json) = ask(&team, &[]);
    assert_eq!(said.code, 0, "{said:#?}");
    for name in ["data_sources", "keys", "agents", "portfolio", "on_call"] {
        assert_eq!(part(&json, name)["status"], "unknown", "{json:#}");
    }
    let keys = ["health", "--component", "keys", "--component", "portfolio"];
    let help = team.try_orch("ops", &keys);
    assert!(help.fault().contains("none of these parts"), "{help:#?}");
    assert!(help.err.contains("give probes their `command`"), "{help:#?}");
}

/// Documents and rosters are compared with the day on which a test runs.
const AGELESS: (&str, &str) =
    ("  review_every: 30d", "  reviewed: 2026-11-02\n  review_every: 36500d");
const LASTING: (&str, &str) = ("path: AGENTS.md, max_age: 90d", "path: AGENTS.md, max_age: 36500d");

fn ask(team: &Team, more: &[&str]) -> (Said, Value) {
    let said = team.try_orch("ops", &[&["health", "--raw"], more].concat());
    let json = if said.code == 2 { Value::Null } else { said.json() };
    (said, json)
}

fn part<'j>(json: &'j Value, name: &str) -> &'j Value {
    let parts = json["components"].as_array().expect("components are a list");
    parts.iter().find(|part| part["name"] == name).unwrap_or_else(|| panic!("{name}: {json:#}"))
}

/// R003-34, R003-35, R002-33: all is well with exit code 0, and the document has agents, providers and the
/// portfolio; exit code 2 where nobody can look.
#[test]
fn a_healthy_repository_says_so() {
    let team = hedge(&[AGELESS, LASTING]);
    let (said, json) = ask(&team, &[]);
    assert_eq!((said.code, json["status"].as_str()), (0, Some("healthy")), "{said:#?}");
    assert_eq!(json["agents"]["quant"]["active_runs"], 0, "{json:#}");
    assert_eq!(json["providers"]["data_sources"][0]["name"], "market_data", "{json:#}");
    assert_eq!(json["portfolio"][0]["healthy"], true, "{json:#}");
    for name in ["agents_responsive", "tasks_progressing", "no_circular_deps", "handoffs_working"] {
        assert_eq!(part(&json, name)["status"], "healthy", "{json:#}");
    }
    assert_eq!(part(&json, "claude_md_updated")["status"], "healthy", "{json:#}");
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let document = ["agents", "at", "components", "portfolio", "providers", "status", "version"];
    assert_eq!(keys(&json), document, "what programs rely on");
    assert_eq!(keys(part(&json, "halts")), ["name", "numbers", "reasons", "status", "told"]);
    let names = json["components"].as_array().unwrap().iter().map(|part| part["name"].clone());
    let names = names.collect::<Vec<_>>();
    assert_eq!(
        Value::from(names),
        serde_json::json!([
            "policy",
            "ledgers",
            "agents_responsive",
            "tasks_progressing",
            "no_circular_deps",
            "handoffs_working",
            "claude_md_updated",
            "audits",
            "deployments",
            "backlog",
            "debts",
            "halts",
            "hooks",
            "on_call",
            "maintenance",
            "keys",
            "agents",
            "data_sources",
            "portfolio"
        ])
    );
    let told = team.orch("ops", &["health"]);
    assert!(told.contains("on_call") && told.contains("primary: director, sponsor"), "{told}");
    assert!(told.ends_with("all in all: healthy\n"), "{told}");

    let (said, _) = ask(&team, &["--component", "audit"]);
    assert!(said.fault().contains("did you mean `audits`?"));
    let bare = Team::over(TestRepo::new());
    bare.try_orch("ops", &["health"]).fault();
}

/// R003-7, R003-34: probes are run at once, tried again, cut off with their children when they take too
/// long, and told as they ended, whatever they print; what can't be started is no crash.
#[test]
fn probes_fail_in_every_way() {
    let scripts = TestRepo::new();
    let script = |name: &str, text: &str| {
        let file = scripts.root().join(name);
        write_script(&file, &format!("#!/bin/sh\n{text}\n"));
        file.display().to_string()
    };
    let count = scripts.root().join("count").display().to_string();
    let third = script("third", &format!("echo x >> {count}; [ $(wc -l < {count}) -ge 3 ]"));
    let left = scripts.root().join("left").display().to_string();
    let slow = script("slow", &format!("(sleep 4; echo late > {left}) & sleep 60"));
    let loud =
        script("loud", "yes | head -c 3000000; printf '\\033[31mred\\033[0m \\007bell\\n'; exit 3");
    let probe = |name: &str, command: &str, more: &str| {
        format!("    {name}: {{title: T, component: {name}, command: [\"{command}\"]{more}}}\n")
    };
    let probes = [
        probe("third", &third, ", attempts: 3"),
        probe("slow", &slow, ", timeout: 1s, severity: warning"),
        probe("loud", &loud, ""),
        probe("gone", "./no-such-program", ""),
    ];
    let all = format!("probes:\n{}", probes.concat());
    let team = hedge(&[AGELESS, LASTING, ("probes:\n", &all)]);
    let (said, json) = ask(&team, &[]);
    assert_eq!((said.code, json["status"].as_str()), (1, Some("failed")), "{said:#?}");
    let status = |name: &str| part(&json, name)["status"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (status("third"), status("slow")),
        ("healthy".into(), "degraded".into()),
        "{json:#}"
    );
    assert_eq!((status("loud"), status("gone")), ("failed".into(), "failed".into()), "{json:#}");
    assert_eq!(json["providers"]["third"][0]["attempts"], 3, "{json:#}");
    let loud = json["providers"]["loud"][0]["output"].to_string();
    assert!(loud.contains("[31mred[0m bell") && !loud.contains("\\u001b"), "{loud}");
    assert!(loud.len() < 2_000, "{}", loud.len());
    let gone = part(&json, "gone")["reasons"][0]["message"].as_str().unwrap_or_default();
    assert!(gone.contains("could not be started"), "{gone}");
    std::thread::sleep(std::time::Duration::from_secs(4));
    assert!(!std::path::Path::new(&left).exists(), "what the slow probe started outlived it");

    // Others are not run, and say nothing.
    let (said, json) = ask(&team, &["--component", "loud", "--component", "audits"]);
    assert_eq!((said.code, json["components"].as_array().map(Vec::len)), (1, Some(2)), "{json:#}");
    let (said, json) = ask(&team, &["--no-probes"]);
    assert_eq!(
        (said.code, part(&json, "gone")["status"].as_str()),
        (0, Some("unknown")),
        "{json:#}"
    );
}

/// R003-35: whoever is to be paged is told how, and with `--page` that command is run; its failure is told.
#[test]
fn somebody_is_paged() {
    let changes = [
        AGELESS,
        LASTING,
        (
            "market_data: {title: Prices arrive, component: data_sources, command: [\"true\"]",
            "market_data: {title: Prices arrive, component: data_sources, command: [\"false\"]",
        ),
    ];
    let (from, to) = (", attempts: 3, severity: critical", ", severity: critical");
    let team = hedge(&[&changes[..], &[(from, to)]].concat());
    let said = team.try_orch("ops", &["health"]);
    assert_eq!(said.code, 1, "{said:#?}");
    assert!(said.err.contains("orch notify --action health_failure"), "{said:#?}");
    assert!(said.err.contains("orch procedure start health_failure"), "{said:#?}");
    assert!(said.out.contains("data_sources failed: Prices arrive: no"), "{said:#?}");

    let silent = hedge(&[
        AGELESS,
        LASTING,
        ("  page: {action: health_failure, procedure: health_failure}\n", ""),
    ]);
    silent.orch("ops", &["health", "--page"]);
    silent
        .orch("risk", &["halt", "--topic", "risk.kill_switch", "--scope", "all", "--reason", "x"]);
    silent.try_orch("ops", &["health", "--page"]).fault();
}

/// R000-33, R002-33, R003-12: a sealed file that changed, a halt, a hook that is gone and a record that
/// nobody can read are told, each until it is mended.
#[test]
fn what_breaks_is_told_until_it_is_mended() {
    let team = Team::new();
    team.hand_over_strategy(&[]);
    let status = |name: &str| {
        let said = team.try_orch("founder", &["health", "--raw", "--component", name]);
        (said.code, part(&said.json(), name)["status"].as_str().unwrap_or_default().to_owned())
    };
    let healthy = || (0, "healthy".to_owned());
    assert_eq!(status("handoffs_working"), healthy());
    let sealed = team.read(crate::support::CODE);
    team.repo.write(crate::support::CODE, "plot(close)\n");
    team.smuggle("Change what was handed over, past the hooks");
    assert_eq!(status("handoffs_working"), (1, "failed".into()));
    team.repo.write(crate::support::CODE, sealed);
    team.smuggle("Put it back");
    assert_eq!(status("handoffs_working"), healthy());

    let hook = team.repo.path().join(".git/hooks/pre-push");
    std::fs::remove_file(&hook).unwrap();
    assert_eq!(status("hooks"), (1, "degraded".into()));
    team.orch("founder", &["hooks", "install"]);
    assert_eq!(status("hooks"), healthy());

    let record = team.record("strat-001", "task");
    let text = team.read(&record);
    team.repo.write(&record, "task: [");
    team.smuggle("Break a record, past the hooks");
    assert_eq!(status("ledgers"), (1, "failed".into()));
    team.repo.write(&record, text);
    team.smuggle("Mend it");
    assert_eq!(status("ledgers"), healthy());

    let halt =
        ["halt", "--topic", "risk.kill_switch", "--scope", "all", "--reason", "x", "--id", "h-1"];
    team.orch("founder", &halt);
    assert_eq!(status("halts"), (1, "failed".into()));
    team.repo.git(&["rm", "--quiet", "-r", "--force", ".orch/halts", ".orch/incidents"]);
    assert_eq!(status("halts"), healthy());
}

/// R002-33: a document's age counts from the commit that changed it, merges included, and the walk ends
/// where its age is known to be too much.
#[test]
fn a_document_is_as_old_as_its_last_change() {
    let repo = TestRepo::new();
    repo.write("AGENTS.md", "Begin here\n");
    repo.commit("Write the document");
    repo.write("README.md", "About\n");
    repo.commit("Write another");
    repo.git(&["switch", "--quiet", "-c", "side"]);
    repo.write("AGENTS.md", "Begin there\n");
    repo.commit("Change it");
    repo.git(&["switch", "--quiet", "main"]);
    let seen = |since: &str| {
        let git = repo.open();
        let head = git.head_commit().unwrap().unwrap();
        git.last_change(&"AGENTS.md".into(), head, since.parse().unwrap()).unwrap()
    };
    let at = |text: &str| LastChange::At(text.parse().unwrap());
    assert_eq!(seen("2026-11-01T00:00:00Z"), at("2026-11-21T14:01:00Z"));
    let later = "2026-11-21T14:02:00Z";
    assert_eq!(seen(later), LastChange::NotSince(later.parse().unwrap()));
    for _ in 0..3 {
        repo.tick();
    }
    repo.git(&["merge", "--quiet", "--no-ff", "-m", "Merge", "side"]);
    assert_eq!(seen(later), at("2026-11-21T14:06:00Z"));
    let shallow = repo.clone_to("shallow", &["--depth", "1"]).open();
    let head = shallow.head_commit().unwrap().unwrap();
    let cut = shallow.last_change(&"AGENTS.md".into(), head, later.parse().unwrap()).unwrap();
    assert_eq!(cut, LastChange::CutOff);

    let team = hedge(&[AGELESS, LASTING]);
    team.repo.git(&["rm", "--quiet", "AGENTS.md"]);
    team.smuggle("Drop the document");
    let (said, json) = ask(&team, &["--component", "claude_md_updated"]);
    assert_eq!((said.code, json["status"].as_str()), (1, Some("failed")), "{json:#}");
}

/// R000-58: open tasks are looked at however old they are, closed ones of months that no window reaches are
/// not read, and a person is told no more at once than can be read.
#[test]
fn old_tasks_that_are_closed_are_not_read() {
    let team = Team::new();
    for number in 0..9 {
        let (id, at) = (format!("old-{number}"), "2020-01-01T10:00:00Z");
        let folder = format!(".orch/tasks/2020-01/{id}");
        let entry = |sequence: u32| {
            format!(
                "entry:\n  sequence: {sequence}\n  recorded_at: {at:?}\n  actor: orchestrator\n"
            )
        };
        let task = format!(
            "task: {{task_id: {id}, title: T, workflow: new_strategy, requestor: orchestrator}}\n{}",
            entry(1)
        );
        let previous = orch::source::Digest::of(task.as_bytes());
        team.repo.write(&format!("{folder}/0001-task.yaml"), task);
        if number < 3 {
            let close = "close: {outcome: abandoned, reason: x}\n";
            let text = format!("{close}{}  previous: {previous}\n", entry(2));
            team.repo.write(&format!("{folder}/0002-close.yaml"), text);
        }
    }
    team.smuggle("Bring old tasks along");
    let (_, json) = ask(&team, &[]);
    let told = part(&json, "ledgers")["told"].as_str().unwrap_or_default().to_owned();
    assert!(told.starts_with("6 ledgers"), "{told}");
    let stalled = part(&json, "tasks_progressing");
    assert_eq!(stalled["reasons"].as_array().map(Vec::len), Some(6), "{stalled:#}");
    let human = team.try_orch("founder", &["health"]).out;
    assert!(
        human.contains("and 1 more: orch health --raw --component tasks_progressing"),
        "{human}"
    );
}

/// Exit code 0 says that something was looked at.
#[test]
fn what_nobody_looked_at_is_not_healthy() {
    let team = hedge(&[AGELESS, LASTING]);
    let said = team.try_orch("", &["health", "--component", "keys", "--no-probes"]);
    assert!(said.fault().contains("none of these parts was looked at"), "{said:#?}");
}

/// A probe that asks for the health of all starts no probes of its own.
#[test]
fn a_probe_does_not_start_itself() {
    let keys = "{title: Keys are valid, component: keys, command: [\"true\"]";
    let again = keys.replace("[\"true\"]", "[orch, health]");
    let team = hedge(&[AGELESS, LASTING, (keys, &again)]);
    let (said, json) = ask(&team, &["--component", "keys"]);
    assert_eq!(said.code, 0, "{said:#?}");
    assert!(json.to_string().contains("parts were not"), "{json:#}");
}
