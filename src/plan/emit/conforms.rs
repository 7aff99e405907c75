//! What is emitted is what other programs take: by schemas of our own, and by theirs where they are at
//! hand.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::sample::{HOSTILE, job, jobs, target};
use super::*;

/// Reads YAML documents, as the record room does.
fn documents(text: &str) -> Vec<Value> {
    let read = |text: &str| {
        let read = crate::record::document::<Value>(text.as_bytes());
        read.unwrap_or_else(|problems| panic!("{problems:?}\n{text}")).0
    };
    text.split("\n---\n").map(read).collect()
}

fn valid(schema: &Value, value: &Value) {
    let validator = jsonschema::validator_for(schema).expect("a schema");
    let faults: Vec<String> = validator
        .iter_errors(value)
        .map(|fault| format!("{}: {fault}", fault.instance_path()))
        .collect();
    assert_eq!(faults, Vec::<String>::new(), "{value:#}");
}

fn own_schema(name: &str) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/manifests");
    let text = std::fs::read_to_string(root.join(format!("{name}.schema.json")));
    serde_json::from_str(&text.expect("a file")).expect("JSON")
}

/// Every manifest that is emitted in these tests.
fn manifests() -> Vec<Value> {
    let shared = Target { implementation_spec: Some("shared-impl-v1".into()), ..target() };
    let mut all = documents(&agentrun(&jobs(), &target()).expect("fit"));
    all.extend(documents(&agentrun(&jobs(), &shared).expect("fit")));
    all.extend(documents(&argo(&jobs(), &target()).expect("fit")));
    let policy = include_bytes!("../../../templates/torghut.yaml");
    let policy = crate::policy::Policy::parse(policy, &crate::checks::names()).expect("a policy");
    for (_, text) in stage_templates(&policy) {
        let filled = text.replace("{run_name}", "run").replace("{prompt}", "Do it");
        all.extend(documents(&filled));
    }
    all
}

fn kind(manifest: &Value) -> &str {
    manifest["kind"].as_str().expect("a kind")
}

/// R001-21, R001-36: names, required keys, lengths and enumerations, and nothing that is not known.
#[test]
fn every_manifest_conforms_to_what_is_known_of_it() {
    for manifest in manifests() {
        let schema = match kind(&manifest) {
            "AgentRun" => "agentrun",
            "ImplementationSpec" => "implementationspec",
            _ => "argo-workflow",
        };
        valid(&own_schema(schema), &manifest);
    }
    let matrix = github_matrix(&jobs(), &target()).expect("fit");
    valid(&own_schema("github-matrix"), &serde_json::from_str(&matrix).expect("JSON"));
}

/// The schemas that the programs themselves publish, in the folder that ORCH_SCHEMAS names:
/// `agentruns.yaml`, `implementationspecs.yaml` (custom resource definitions) and `argo.json`.
#[test]
fn every_manifest_conforms_to_the_real_schemas_where_they_are_at_hand() {
    let Some(folder) = std::env::var_os("ORCH_SCHEMAS") else { return };
    let read =
        |name: &str| std::fs::read_to_string(Path::new(&folder).join(name)).expect("a schema");
    let definition = |name: &str| {
        let mut crd = documents(read(name).trim_start_matches("---\n")).remove(0);
        let mut schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"].take();
        prune(&mut schema);
        schema
    };
    let [runs, specs] = ["agentruns.yaml", "implementationspecs.yaml"].map(definition);
    let mut argo: Value = serde_json::from_str(&read("argo.json")).expect("JSON");
    argo.as_object_mut().expect("a schema").remove("oneOf");
    argo["$ref"] = "#/definitions/io.argoproj.workflow.v1alpha1.Workflow".into();
    prune(&mut argo["definitions"]);
    for manifest in manifests() {
        let schema = match kind(&manifest) {
            "AgentRun" => &runs,
            "ImplementationSpec" => &specs,
            _ => &argo,
        };
        valid(schema, &manifest);
    }
}

/// A cluster drops what a definition does not name: here that is a fault.
fn prune(schema: &mut Value) {
    let Some(map) = schema.as_object_mut() else { return };
    let keeps = map.contains_key("x-kubernetes-preserve-unknown-fields");
    let top = map.contains_key("properties") && map["properties"].get("apiVersion").is_some();
    if map.get("properties").is_some_and(Value::is_object) && !keeps && !top {
        map.entry("additionalProperties").or_insert(false.into());
    }
    map.values_mut().for_each(prune);
}

/// What users wrote arrives as they wrote it, and nothing replaces anything in it.
#[test]
fn what_users_wrote_stays_data() {
    let runs = documents(&agentrun(&[job("cand-001")], &target()).expect("fit"));
    assert_eq!(runs[0]["spec"]["text"], format!("Backtest it. {HOSTILE}"));
    assert_eq!(runs[0]["spec"]["acceptanceCriteria"][1], HOSTILE);
    assert_eq!(runs[1]["spec"]["idempotencyKey"], "cand-001/backtest-robustness/r0123456789");
    let argo = argo(&jobs(), &target()).expect("fit");
    let own = ["workflow.parameters.", "workflow.uid", "pod.name"];
    let mut tags = argo.match_indices("{{").map(|(at, _)| &argo[at + 2..]);
    assert!(tags.all(|tag| own.iter().any(|own| tag.starts_with(own))), "{argo}");
    let workflow = documents(&argo).remove(0);
    let words = &workflow["spec"]["templates"][1]["container"]["env"][6]["value"];
    let plain = words.as_str().expect("text");
    assert!(!plain.contains('$') && !plain.contains('{'), "{plain}");
    let words: Vec<String> = serde_json::from_str(words.as_str().expect("text")).expect("JSON");
    assert_eq!(words, job("cand-001").command);
    let github = documents(&github_workflow(&jobs(), &target()).expect("fit")).remove(0);
    for job in ["wave-1", "wave-2"] {
        for step in github["jobs"][job]["steps"].as_array().expect("steps") {
            assert!(!step["run"].as_str().unwrap_or_default().contains("${{"), "{step:#}");
        }
    }
    let command = &github["jobs"]["wave-1"]["strategy"]["matrix"]["include"][0]["command"];
    let command = command.as_str().expect("text");
    assert_eq!(command.matches("${{").count(), 2 * command.matches("'${{'").count(), "{command}");
}

#[test]
fn waves_and_dependencies_are_kept() {
    let github = documents(&github_workflow(&jobs(), &target()).expect("fit")).remove(0);
    assert_eq!(github["jobs"]["wave-2"]["needs"], serde_json::json!(["wave-1"]));
    assert_eq!(github["jobs"]["wave-1"]["strategy"]["max-parallel"], 2);
    assert_eq!(github["permissions"], serde_json::json!({}));
    let argo = documents(&argo(&jobs(), &target()).expect("fit")).remove(0);
    let tasks = argo["spec"]["templates"][0]["dag"]["tasks"].as_array().expect("tasks");
    assert_eq!(tasks[2]["dependencies"], serde_json::json!([tasks[0]["name"], tasks[1]["name"]]));
    assert_eq!(argo["spec"]["templates"][1]["retryStrategy"]["limit"], "4");
}

/// R001-18: emitted twice, it is the same to the byte.
#[test]
fn the_same_plan_gives_the_same_bytes() {
    for emit in [github_matrix, github_workflow, agentrun, argo] {
        assert_eq!(emit(&jobs(), &target()), emit(&jobs(), &target()));
    }
}

#[test]
fn what_nobody_would_take_is_refused() {
    let many: Vec<Job> = (0..257).map(|n| job(&format!("cand-{n}"))).collect();
    assert!(github_matrix(&many[..256], &target()).is_ok());
    let refused = github_matrix(&many, &target()).expect_err("too many");
    assert!(refused.message.contains("257") && refused.help.contains("256"), "{refused:?}");
    assert!(github_workflow(&many, &target()).is_err());
    let mut wordy = job("cand-001");
    wordy.success_criteria = vec!["x".into(); 51];
    assert!(agentrun(&[wordy.clone()], &target()).is_err());
    wordy.prompt = "x".repeat(9_000);
    let shared = Target { implementation_spec: Some("shared".into()), ..target() };
    assert!(agentrun(&[wordy], &shared).is_err());
    let mut alike = [job("cand-001"), job("cand-002")];
    alike[1].agent = "Tester".parse().expect("a name");
    assert!(agentrun(&alike, &target()).expect_err("alike").message.contains("same agent"));
    for emit in [github_workflow, agentrun, argo] {
        assert!(emit(&[], &target()).expect_err("nothing").message.contains("no job"));
    }
    assert_eq!(github_matrix(&[], &target()).as_deref(), Ok("{\"include\":[]}"));
    let braces = Target { base: "{{x}}".into(), ..target() };
    assert!(argo(&jobs(), &braces).is_err());
}

/// The workflow says nothing that GitHub's own linters object to, where these are on the PATH.
#[test]
fn linters_have_nothing_to_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(".github/workflows/plan.yml");
    std::fs::create_dir_all(file.parent().expect("a folder")).expect("a folder");
    std::fs::write(&file, github_workflow(&jobs(), &target()).expect("fit")).expect("a file");
    for linter in [&["actionlint", "-no-color"][..], &["zizmor", "--offline", "--no-progress"]] {
        let said = Command::new(linter[0]).args(&linter[1..]).arg(&file).output();
        let Ok(said) = said else { continue };
        let text = String::from_utf8_lossy(&said.stdout);
        assert!(said.status.success(), "{}: {text}", linter[0]);
    }
}
