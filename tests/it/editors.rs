//! Editors: which file is of which schema, and that every record is what its schema says.

use std::collections::{BTreeMap, BTreeSet};

use globset::GlobBuilder;
use serde_json::Value;

use crate::support::{Team, TestRepo};

/// A catalogue's entries: files, and the schema that they are of.
fn catalogue(folder: &std::path::Path) -> Vec<(globset::GlobMatcher, String)> {
    let text = std::fs::read_to_string(folder.join("catalog.json")).unwrap();
    let catalogue: Value = serde_json::from_str(&text).unwrap();
    let entries = catalogue["schemas"].as_array().unwrap().iter();
    let globs = entries.map(|entry| {
        for field in ["name", "description", "url"] {
            assert!(entry[field].as_str().is_some_and(|text| !text.is_empty()), "{entry}");
        }
        let glob = entry["fileMatch"][0].as_str().unwrap();
        let glob = GlobBuilder::new(glob).literal_separator(true).build().unwrap();
        (glob.compile_matcher(), entry["url"].as_str().unwrap().to_owned())
    });
    globs.collect()
}

/// Every file that orch writes is of exactly one schema, and is what that says.
#[test]
fn every_file_of_a_demo_is_of_one_schema_and_valid() {
    let here = Team::over(TestRepo::new());
    here.orch("", &["schema", "--all", "--output", "schemas"]);
    let schemas = here.repo.path().join("schemas");
    let demo = here.repo.root().join("demo");
    here.orch("", &["demo", &demo.display().to_string()]);
    let repo = demo;
    let entries = catalogue(&schemas);
    let validators: BTreeMap<&str, _> = entries
        .iter()
        .map(|(_, url)| {
            let text = std::fs::read_to_string(schemas.join(url)).unwrap();
            let schema: Value = serde_json::from_str(&text).unwrap();
            (url.as_str(), jsonschema::validator_for(&schema).unwrap())
        })
        .collect();
    let mut seen = BTreeSet::new();
    let mut folders = vec![repo.join(".orch")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            if path.extension().is_none_or(|ending| ending != "yaml") {
                continue;
            }
            let of: Vec<&String> = entries
                .iter()
                .filter(|(glob, _)| glob.is_match(path.strip_prefix(&repo).unwrap()))
                .map(|(_, url)| url)
                .collect();
            assert_eq!(of.len(), 1, "{}: {of:?}", path.display());
            let text = std::fs::read_to_string(&path).unwrap();
            let value: Value = serde_yaml::from_str(&text).unwrap();
            let faults = validators[of[0].as_str()].iter_errors(&value);
            let faults: Vec<String> = faults.map(|fault| fault.to_string()).collect();
            assert_eq!(faults, Vec::<String>::new(), "{}", path.display());
            seen.insert(of[0].clone());
        }
    }
    assert!(seen.len() > 8, "{seen:?}");
}

/// The settings of editors name the same files, and files that are there.
#[test]
fn the_settings_of_editors_say_the_same() {
    let team = Team::over(TestRepo::new());
    let said = team.orch("", &["schema", "--all", "--output", "schemas/orch"]);
    assert!(said.contains("schemas/orch"), "{said}");
    let settings: Value = serde_json::from_str(&team.read("schemas/orch/vscode.json")).unwrap();
    let settings = settings["yaml.schemas"].as_object().unwrap();
    let entries = catalogue(&team.repo.path().join("schemas/orch"));
    assert_eq!(settings.len(), entries.len());
    for schema in settings.keys() {
        assert!(schema.starts_with("./schemas/orch/"), "{schema}");
        assert!(team.repo.path().join(schema).exists(), "{schema}");
    }
    let listed = team.orch("", &["schema"]);
    for name in listed.lines() {
        let printed = team.orch("", &["schema", name]);
        assert_eq!(team.read(&format!("schemas/orch/{name}.schema.json")), printed);
    }
    assert_eq!(team.try_orch("", &["schema", "--all"]).code, 2);
    assert_eq!(team.try_orch("", &["schema", "handoff", "--all", "--output", "x"]).code, 2);
}

/// Where a repository has the schemas, the policy and every record begin with the line by which editors find
/// theirs, and the guard takes them.
#[test]
fn every_file_leads_to_its_schema() {
    let team = Team::over(TestRepo::new());
    team.orch("", &["init", "--template", "team", "--hooks", "--schemas", "docs/schemas"]);
    team.orch("", &["schema", "--all", "--output", "docs/schemas"]);
    team.repo.git(&["add", "."]);
    team.commit("Begin with orch");
    team.repo.git(&["switch", "--quiet", "-c", "orch/open-tasks"]);
    team.orch(
        "coordinator",
        &["task", "open", "fix-1", "--workflow", "change", "--title", "Mend it"],
    );
    team.orch(
        "owner",
        &["decide", "--title", "First", "--context", "C", "--decision", "D", "--task", "fix-1"],
    );
    team.commit("Open a task");
    team.guard(&[]).passed();
    let listed = team.repo.git(&["ls-files", ".orch"]);
    let files: Vec<&str> = listed.lines().collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let text = team.read(file);
        let first = text.lines().next().unwrap_or_default();
        let place = first.strip_prefix("# yaml-language-server: $schema=").expect(file);
        let schema = team.repo.path().join(file).parent().unwrap().join(place);
        let schema: Value = serde_json::from_slice(&std::fs::read(schema).expect(place)).unwrap();
        let document: Value = serde_yaml::from_str(&text).unwrap();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(validator.is_valid(&document), "{file}: {text}");
    }
}

/// Every schema says what it is of, and of each field what it means.
#[test]
fn every_field_is_described() {
    let team = Team::over(TestRepo::new());
    let listed = team.orch("", &["schema"]);
    for name in listed.lines() {
        let schema: Value = serde_json::from_str(&team.orch("", &["schema", name])).unwrap();
        let title = schema["title"].as_str().unwrap_or_default();
        assert!(title.starts_with("orch "), "{name}: {title}");
        assert!(schema["description"].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        let mut bare = Vec::new();
        described(&schema, name, &mut bare);
        assert_eq!(bare, Vec::<String>::new());
    }
}

/// Collects the fields of a schema that nobody describes.
fn described(schema: &Value, place: &str, bare: &mut Vec<String>) {
    match schema {
        Value::Object(map) => {
            for (name, field) in
                map.get("properties").and_then(Value::as_object).into_iter().flatten()
            {
                if field["description"].as_str().is_none_or(str::is_empty) {
                    bare.push(format!("{place}.{name}"));
                }
            }
            map.iter().for_each(|(name, below)| described(below, &format!("{place}.{name}"), bare));
        }
        Value::Array(items) => items.iter().for_each(|item| described(item, place, bare)),
        _ => {}
    }
}
