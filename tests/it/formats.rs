//! What a CI service reads, also of a repository that was made to deceive it.

use std::process::{Command, Stdio};

use orch::source::path::unprintable;
use roxmltree::Document;
use serde_json::{Value, json};

use crate::support::{CODE, Said, Team};

const FORMATS: [&str; 6] = ["human", "json", "sarif", "github", "markdown", "junit"];

/// Names of files, each with something that some service acts upon. No slash is among them, so that
/// each is one name.
const NAMES: &[&str] = &[
    "x\n::error::x",
    "x%0A::warning::y",
    "<failure><script>alert(1)<script>",
    "a | b | c",
    "\u{1b}[2J\u{202e}gone\u{200b}",
    "##[error]y",
    "@ada #1 [a](b) `c` {0}",
    "]]>&amp;\"'",
];

/// The name of a branch may hold neither control characters nor colons, but all of these.
const BRANCH: &str = "feature/x%0A</failure>|<script>@ada`c`";

const TITLE: &str = "\n::error::x%0A</failure>|<script>\u{1b}[2J\u{202e} ##[error]y";

/// A team with a proposal in which files' names, a branch and a record are hostile.
fn deceived() -> Team {
    let team = Team::new();
    team.repo.git(&["switch", "--quiet", "-c", BRANCH]);
    for name in NAMES {
        team.repo.write(&format!("strategies/{name}"), "x\n");
    }
    let escaped: String = TITLE.chars().map(|c| format!("\\U{:08x}", u32::from(c))).collect();
    let record = ".orch/tasks/2026-11/strat-001/0001-task.yaml";
    team.repo.write(record, format!("task:\n  task_id: \"{escaped}\"\n  \"{escaped}\": 1\n"));
    team.smuggle("Deceive");
    team
}

fn told(team: &Team, format: &str) -> Said {
    let said = team.try_orch("", &["guard", "--base", "main", "--format", format]);
    assert_eq!(said.code, 1, "{format}: {said:#?}");
    said
}

/// Asserts that neither a terminal nor a runner takes anything of a text for a command but what
/// `ours` says is one.
#[track_caller]
fn is_harmless(text: &str, ours: fn(&str) -> bool) {
    assert!(text.ends_with('\n'), "{text:?}");
    for line in text.lines() {
        assert!(!line.contains(unprintable) && !line.contains("##["), "{line:?}");
        assert!(ours(line) || !line.trim_start().starts_with("::"), "{line:?}");
    }
}

/// Attacks 116 and 117, through the binary: all formats tell the same, and nothing gets out of any.
#[test]
fn hostile_names_and_words_stay_words_in_all_formats() {
    let team = deceived();
    let json = told(&team, "json").json();
    let count = |severity: &str| json["counts"][severity].as_u64().unwrap();
    let errors = usize::try_from(count("error")).unwrap();
    assert!(errors > NAMES.len(), "{json:#}");
    let found = json["findings"].as_array().unwrap();
    let summary = format!("refused: {errors} errors");

    for format in FORMATS {
        let said = told(&team, format);
        let output = if format == "human" { &said.err } else { &said.out };
        let ours = |line: &str| line.starts_with("::error ") || line.starts_with("::notice ");
        is_harmless(output, if format == "github" { ours } else { |_| false });
        match format {
            "human" => assert!(output.contains(&summary), "{output}"),
            "github" => assert!(output.lines().last().unwrap().starts_with(&summary), "{output}"),
            "markdown" => reads_as_a_table(output, found.len()),
            "sarif" => reads_as_one_run(output, found),
            "junit" => reads_as_tests(output, found),
            _ => {}
        }
    }
}

fn reads_as_a_table(output: &str, rows: usize) {
    assert!(output.starts_with("**refused**: ") && !output.contains('<'), "{output}");
    let table: Vec<&str> = output.lines().filter(|line| line.starts_with('|')).collect();
    assert_eq!(table.len(), rows + 2, "{output}");
    assert!(table.iter().all(|row| row.matches('|').count() == 5), "{output}");
}

fn reads_as_one_run(output: &str, found: &[Value]) {
    let value: Value = serde_json::from_str(output).unwrap();
    let run = &value["runs"][0];
    let results = run["results"].as_array().unwrap();
    let checks = |list: &[Value], field: &str| -> Vec<Value> {
        list.iter().map(|one| one[field].clone()).collect()
    };
    assert_eq!(checks(results, "ruleId"), checks(found, "check"));
    assert_eq!(checks(results, "level"), checks(found, "severity"));
    assert_eq!(run["properties"]["branch"], BRANCH);
    let uri = "/locations/0/physicalLocation/artifactLocation/uri";
    let uris: Vec<&str> =
        results.iter().filter_map(|one| one.pointer(uri).and_then(Value::as_str)).collect();
    assert!(uris.contains(&"strategies/x%0A%3A%3Aerror%3A%3Ax"), "{uris:#?}");
    assert!(uris.contains(&"strategies/x%250A%3A%3Awarning%3A%3Ay"), "{uris:#?}");
}

fn reads_as_tests(output: &str, found: &[Value]) {
    let document = Document::parse(output).unwrap();
    let named = |name: &'static str| document.descendants().filter(move |n| n.has_tag_name(name));
    let mut checks: Vec<&str> = found.iter().map(|one| one["check"].as_str().unwrap()).collect();
    checks.sort_unstable();
    checks.dedup();
    let cases: Vec<&str> = named("testcase").filter_map(|case| case.attribute("name")).collect();
    assert_eq!(cases, checks);
    assert_eq!(named("script").count(), 0);
    let branch = named("property").find(|one| one.attribute("name") == Some("branch")).unwrap();
    assert_eq!(branch.attribute("value"), Some(BRANCH));
}

/// Asserts that a log is SARIF 2.1.0 by the standard's own schema.
fn is_sarif(output: &str) {
    let schema = format!("{}/fixtures/formats/sarif-2.1.0.schema.json", env!("CARGO_MANIFEST_DIR"));
    let mut schema: Value =
        serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    // What the standard's errata 01 changed in it, as far as it changes what is valid.
    for object in ["run", "toolComponent"] {
        schema["definitions"][object]["properties"]["language"]["pattern"] =
            "^[a-zA-Z]{2}(-[a-zA-Z]{2})?$".into();
    }
    let begins = ["startLine", "charOffset", "byteOffset"].map(|one| json!({ "required": [one] }));
    schema["definitions"]["region"]["anyOf"] = json!(begins);
    let options = jsonschema::options().should_validate_formats(true);
    let validator = options.build(&schema).unwrap();
    let log: Value = serde_json::from_str(output).unwrap();
    let faults: Vec<String> = validator
        .iter_errors(&log)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
    let mut broken = log;
    broken["runs"][0]["results"] = "none".into();
    assert!(!validator.is_valid(&broken), "the schema takes anything");
}

/// With findings, with hostile ones, and with none.
#[test]
fn sarif_is_valid_by_its_own_schema() {
    is_sarif(&told(&deceived(), "sarif").out);
    let team = Team::sealed();
    team.repo.write(CODE, "plot(1)\n");
    team.repo.git(&["add", CODE]);
    let refused = team.try_orch("", &["guard", "--format", "sarif"]);
    assert_eq!(refused.code, 1, "{refused:#?}");
    is_sarif(&refused.out);
    is_sarif(&team.orch("", &["verify", "--format", "sarif"]));
}

/// Has a report read by Python's parser of JUnit; gives none where it is not there.
fn parsed(team: &Team, arguments: &[&str]) -> Option<Value> {
    let mut known = Command::new("python3");
    known.args(["-c", "import junitparser"]).stderr(Stdio::null());
    if !known.status().is_ok_and(|status| status.success()) {
        return None;
    }
    team.try_orch("", &[arguments, &["--format", "junit", "--output", "../junit.xml"]].concat());
    let script = format!("{}/fixtures/formats/junit.py", env!("CARGO_MANIFEST_DIR"));
    let file = team.repo.root().join("junit.xml");
    let output = Command::new("python3").arg(script).arg(file).output().unwrap();
    let said = Said::from(&output);
    assert_eq!(said.code, 0, "{said:#?}");
    Some(said.json())
}

/// A parser that others use reads just what the JSON report says, and the schema of Jenkins' plugin holds where
/// there is a program for it. Where Python has no such parser, this passes.
#[test]
fn junit_is_read_by_a_real_parser() {
    let team = deceived();
    let base = ["guard", "--base", "main"];
    let Some(read) = parsed(&team, &base) else { return };
    let found = told(&team, "json").json();
    let mut by_check = std::collections::BTreeMap::<&str, Vec<&Value>>::new();
    for finding in found["findings"].as_array().unwrap() {
        by_check.entry(finding["check"].as_str().unwrap()).or_default().push(finding);
    }
    let is_error = |finding: &Value| finding["severity"] == "error";
    let failed = by_check.values().filter(|found| found.iter().any(|one| is_error(one))).count();
    let counts = json!({
        "tests": by_check.len(), "failures": failed, "errors": 0, "skipped": 0,
    });
    assert_eq!(read["counts"], counts);
    assert_eq!(read["properties"]["branch"], BRANCH);
    assert_eq!(read["properties"]["verdict"], "refused");
    let tests = read["tests"].as_object().unwrap();
    assert!(tests.keys().eq(by_check.keys().copied()), "{tests:#?}");
    for (check, found) in &by_check {
        let refuses = found.iter().any(|one| is_error(one));
        assert_eq!(tests[*check]["result"], if refuses { "failed" } else { "passed" }, "{check}");
        let text = tests[*check]["text"].as_str().unwrap();
        let places = text.lines().filter(|line| line.starts_with("error: ")).count();
        assert!(places >= found.iter().filter(|one| is_error(one)).count(), "{check}: {text}");
    }

    let passed = parsed(&Team::sealed(), &["verify"]).unwrap();
    assert_eq!(passed["counts"]["failures"], 0);
    assert_eq!(passed["tests"]["guard"]["result"], "passed");
    let nothing = parsed(&Team::new(), &["guard"]).unwrap();
    assert_eq!(nothing["tests"]["guard"]["result"], "skipped", "{nothing:#}");
}

#[test]
fn a_pass_is_a_pass_in_all_formats() {
    let team = Team::new();
    let parts = [
        ("human", "passed: "),
        ("json", "\"verdict\":\"pass\""),
        ("sarif", "\"verdict\":\"pass\""),
        ("github", "passed: "),
        ("markdown", "**passed**: "),
        ("junit", "failures=\"0\""),
    ];
    for (format, part) in parts {
        let said = team.try_orch("", &["verify", "--format", format]);
        assert_eq!((said.code, said.err.as_str()), (0, ""), "{format}: {said:#?}");
        assert!(said.out.contains(part), "{format}: {said:#?}");
        is_harmless(&said.out, |_| false);

        let file = format!("told.{format}");
        let at = ["verify", "--format", format, "--output", &file];
        assert_eq!(team.orch("", &at), "", "what goes to a file is not printed");
        assert!(team.read(&file).contains(part), "{format}");
    }
}

/// A push may bring several branches, and two documents in one file are none.
#[test]
fn one_document_is_not_given_for_several_branches() {
    let team = Team::new();
    for format in ["sarif", "junit"] {
        let said = team.try_orch("", &["guard", "--pre-push", "--format", format]);
        assert!(said.fault().contains("is one document"), "{said:#?}");
    }
    let said = team.try_orch("", &["guard", "--format", "xml"]);
    assert_eq!(said.code, 2, "{said:#?}");
    assert!(said.err.contains("human, json, sarif, github, markdown, junit"), "{said:#?}");
}
