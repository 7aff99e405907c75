//! What shows and watches the measures: the files of `orch metrics --dashboards`, held against what orch
//! measures, against Grafana's own schema, and, where it is there, against Prometheus' own `promtool`.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use crate::support::{Team, TestRepo};
use crate::year;

const FOLDER: &str = "observability";

/// Gives a repository with a quarter of work, and the files beside it.
fn watched() -> Team {
    let team = year::repository(7, 60);
    team.orch("", &["metrics", "--dashboards", FOLDER]);
    team
}

fn yaml(team: &Team, file: &str) -> Value {
    let text = team.read(&format!("{FOLDER}/{file}"));
    serde_yaml::from_str(&text).unwrap_or_else(|fault| panic!("{file}: {fault}"))
}

fn dashboard(team: &Team) -> Value {
    serde_json::from_str(&team.read(&format!("{FOLDER}/grafana-dashboard.json"))).unwrap()
}

/// Gives the rules of `alerts.yml`: name and expression.
fn rules(team: &Team) -> Vec<(String, String)> {
    let alerts = yaml(team, "alerts.yml");
    let groups = alerts["groups"].as_array().unwrap().iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    rules.map(|rule| (text(&rule["alert"]), text(&rule["expr"]))).collect()
}

/// Gives every expression that the dashboard draws.
fn drawn(dashboard: &Value) -> Vec<String> {
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array()).flatten();
    targets.map(|target| target["expr"].as_str().unwrap().to_owned()).collect()
}

/// Gives the names of metrics in an expression.
fn metrics_of(expression: &str) -> BTreeSet<String> {
    let outside = expression.split('"').step_by(2).collect::<String>();
    let words = outside.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    let ours = ["orch_", "agent_", "runtime_"];
    words
        .filter(|word| ours.iter().any(|start| word.starts_with(start)))
        .map(str::to_owned)
        .collect()
}

/// R001-32, R001-34, R003-22, R003-36: whatever is drawn or watched is measured.
#[test]
fn every_metric_that_is_drawn_or_watched_is_measured() {
    let team = watched();
    let text = team.orch("", &["metrics", "--format", "prometheus"]);
    let rows = text.lines().filter(|line| !line.starts_with('#'));
    let measured: BTreeSet<&str> = rows.map(|row| row.split(['{', ' ']).next().unwrap()).collect();
    let watched = rules(&team).into_iter().map(|(_, expression)| expression);
    let expressions: Vec<String> = watched.chain(drawn(&dashboard(&team))).collect();
    assert!(expressions.len() > 30, "{expressions:#?}");
    for expression in &expressions {
        let names = metrics_of(expression);
        assert!(!names.is_empty(), "{expression} looks at nothing");
        let unknown: Vec<_> =
            names.iter().filter(|name| !measured.contains(name.as_str())).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{expression}");
    }
    let all = expressions.join(" ");
    for name in ["orch_stage_duration_seconds", "orch_retry_total", "orch_failure_total"] {
        assert!(all.contains(name), "{name} is not looked at");
    }
    for name in ["orch_queue_depth", "orch_handoff_latency_seconds", "runtime_bus_depth"] {
        assert!(all.contains(name), "{name} is not looked at");
    }
}

/// R003-24: Grafana takes the dashboard, by the schema that Grafana itself gives.
#[test]
fn grafana_knows_every_word_of_the_dashboard() {
    let team = watched();
    let schema =
        concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/manifests/grafana-dashboard.schema.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let dashboard = dashboard(&team);
    let faults: Vec<String> = validator
        .iter_errors(&dashboard)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert_eq!(faults, Vec::<String>::new());
    let mut wrong = dashboard.clone();
    wrong["panels"][1]["gridPos"]["w"] = "wide".into();
    assert!(!validator.is_valid(&wrong), "the schema would take anything");
    // Panels have ids of their own, lie beside each other, and ask the source that the reader picks.
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<i64> = panels.iter().map(|panel| panel["id"].as_i64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len());
    let mut taken = BTreeSet::new();
    for panel in panels {
        let at = |key: &str| panel["gridPos"][key].as_i64().unwrap();
        assert!(at("x") + at("w") <= 24, "{}", panel["title"]);
        for cell in (at("x")..at("x") + at("w"))
            .flat_map(|x| (at("y")..at("y") + at("h")).map(move |y| (x, y)))
        {
            assert!(taken.insert(cell), "{} lies on another panel", panel["title"]);
        }
        for target in panel["targets"].as_array().into_iter().flatten() {
            assert_eq!(target["datasource"]["uid"], "${datasource}");
        }
    }
    assert_eq!(dashboard["templating"]["list"][0]["name"], "datasource");
}

/// R003-24: images are pinned, nothing listens but to this machine, and nothing secret is there.
#[test]
fn what_runs_is_pinned_and_stays_here() {
    let team = watched();
    let compose = yaml(&team, "docker-compose.yml");
    let mut mounted = BTreeSet::new();
    for (name, service) in compose["services"].as_object().unwrap() {
        let (_, tag) = service["image"].as_str().unwrap().rsplit_once(':').unwrap();
        assert!(tag.trim_start_matches('v').split('.').count() == 3, "{name} is not pinned");
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name} listens to all");
        }
        for volume in service["volumes"].as_array().into_iter().flatten() {
            let from = volume.as_str().unwrap().split(':').next().unwrap();
            mounted.extend(from.strip_prefix("./").map(str::to_owned));
        }
    }
    let whole = team.read(&format!("{FOLDER}/docker-compose.yml")).to_lowercase();
    assert!(!whole.contains("password:") && !whole.contains("secret") && !whole.contains("token"));
    for file in mounted {
        let there = team.repo.path().join(FOLDER).join(&file).exists();
        assert!(there, "{file} is mounted, and not written");
    }
    let source = yaml(&team, "grafana/datasources.yml");
    assert_eq!(source["datasources"][0]["url"], "http://prometheus:9090");
    assert_eq!(yaml(&team, "prometheus.yml")["rule_files"][0], "alerts.yml");
}

/// What somebody changed is not written over; what is as it was may be written again.
#[test]
fn files_of_ones_own_are_left_alone() {
    let team = Team::new();
    team.orch("founder", &["metrics", "--dashboards", FOLDER]);
    team.orch("founder", &["metrics", "--dashboards", FOLDER]);
    team.edit(&format!("{FOLDER}/alerts.yml"), "> 10", "> 20");
    let before = team.state();
    let said = team.try_orch("founder", &["metrics", "--dashboards", FOLDER]);
    assert!(said.denied().contains("alerts.yml"), "{said:#?}");
    assert_eq!(team.state(), before);
    assert!(team.read(&format!("{FOLDER}/alerts.yml")).contains("> 20"));
}

/// R003-22: who reads the file sees the old one or the new one; nothing is left beside it.
#[test]
fn a_file_for_monitoring_is_written_whole() {
    let team = Team::new();
    let write = ["metrics", "--format", "prometheus", "--output", "textfile/orch.prom"];
    team.orch("", &write);
    let first = team.read("textfile/orch.prom");
    assert!(first.contains("\norch_tasks_opened_total{project=\"strategies\"} 0\n"), "{first}");
    team.open("strat-001", "new_strategy", &[]);
    team.orch("", &write);
    assert!(
        team.read("textfile/orch.prom")
            .contains("\norch_tasks_opened_total{project=\"strategies\"} 1\n")
    );
    let listed = std::fs::read_dir(team.repo.path().join("textfile")).unwrap().count();
    assert_eq!(listed, 1);
    let said = team.try_orch("", &["metrics", "--output", "textfile/orch.txt"]);
    assert!(said.fault().contains("--format json"), "{said:#?}");
    std::fs::write(team.repo.path().join("blocked"), "").unwrap();
    team.try_orch("", &["metrics", "--format", "prometheus", "--output", "blocked/x.prom"]).fault();
    // A commit is measured as of its newest entry: the same today and tomorrow.
    team.commit("Open it");
    let told = |rev: &str| team.json("", &["metrics", rev]);
    assert_eq!(told("HEAD"), told("HEAD"));
    assert_eq!(
        (told("HEAD~1")["inputs"]["tasks"].as_i64(), told("HEAD")["inputs"]["tasks"].as_i64()),
        (Some(0), Some(1))
    );
    team.try_orch("", &["metrics", "nothing"]).fault();
}

fn promtool(folder: &Path, arguments: &[&str], input: &str) -> Output {
    let file = folder.join("input");
    std::fs::write(&file, input).unwrap();
    let mut command = Command::new("promtool");
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::from(std::fs::File::open(file).unwrap()));
    command.output().unwrap()
}

#[track_caller]
fn accepted(output: &Output) {
    let said = [&output.stdout[..], &output.stderr].concat();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&said));
}

/// R000-54 to R000-57, R001-32: Prometheus takes what orch writes, loads the rules, and each of them fires
/// when it should. Where there is no `promtool`, this passes.
#[test]
fn prometheus_takes_what_is_written() {
    if Command::new("promtool").arg("--version").output().is_err() {
        return;
    }
    let team = watched();
    let folder = team.repo.path().join(FOLDER);
    let text = team.orch("", &["metrics", "--format", "prometheus"]);
    let said = promtool(&folder, &["check", "metrics"], &text);
    accepted(&said);
    assert!(said.stderr.is_empty(), "{}", String::from_utf8_lossy(&said.stderr));
    accepted(&promtool(&folder, &["check", "rules", "alerts.yml"], ""));
    accepted(&promtool(&folder, &["test", "rules", "alerts_test.yml"], ""));
    accepted(&promtool(&folder, &["check", "config", "prometheus.yml"], ""));
    let record = |(index, expression): (usize, &String)| {
        format!("      - {{record: drawn:{index}, expr: {expression:?}}}\n")
    };
    let drawn = drawn(&dashboard(&team));
    let rules: String = drawn.iter().enumerate().map(record).collect();
    let rules = format!("groups:\n  - name: drawn\n    rules:\n{rules}");
    std::fs::write(folder.join("drawn.yml"), rules).unwrap();
    accepted(&promtool(&folder, &["check", "rules", "drawn.yml"], ""));
    // A rule that no test speaks of is one that nobody has seen fire.
    let tested = team.read(&format!("{FOLDER}/alerts_test.yml"));
    for (name, _) in self::rules(&team) {
        assert!(tested.contains(&format!("alertname: {name}")), "{name} is not tested");
    }
}

/// Outside a repository there is nothing to measure, and files can be had all the same.
#[test]
fn dashboards_need_no_policy() {
    let team = Team::over(TestRepo::new());
    team.orch("", &["metrics", "--dashboards", "."]);
    assert!(team.read("alerts.yml").starts_with("# What somebody should look at"));
}
