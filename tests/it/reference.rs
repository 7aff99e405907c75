//! The reference in `docs/reference/`, written from the program itself: commands from their help, checks from
//! their explanations, records and the policy from their schemas.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use serde_json::Value;

use crate::commands::subcommands;
use crate::support::{Team, TestRepo, is_current};

const TOP: &str = env!("CARGO_MANIFEST_DIR");

/// Compares a page of the reference with what the program says.
fn is_told(page: &str, expected: &str) {
    is_current(&format!("docs/reference/{page}.md"), expected);
}

/// Gives a command's help, whatever machine it is asked on.
fn help(team: &Team, words: &[&str]) -> String {
    let text = team.orch("", &[words, &["--help"]].concat());
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

fn tell_command(team: &Team, words: &[&str], page: &mut String) {
    let text = help(team, words);
    let title = [&["orch"], words].concat().join(" ");
    write!(page, "\n## {title}\n\n```text\n{text}```\n").unwrap();
    for name in subcommands(&text) {
        tell_command(team, &[words, &[name.as_str()]].concat(), page);
    }
}

#[test]
fn commands_are_told_as_they_are() {
    let team = Team::over(TestRepo::new()).with_variable("COLUMNS", "100");
    let mut page = "# Commands\n\nWhat each command says of itself with `--help`.\n".to_owned();
    tell_command(&team, &[], &mut page);
    is_told("commands", &page);
}

#[test]
fn checks_are_told_as_they_are() {
    let team = Team::over(TestRepo::new());
    let mut page =
        "# Checks\n\nWhat `orch explain CHECK` says of each. Mandatory ones can't be lowered by a \
                    policy; of the others it may set the severity, in `checks`.\n"
            .to_owned();
    let mut ending = String::new();
    for (name, mandatory) in orch::checks::names() {
        let said = team.orch("", &["explain", name]);
        let (_, said) = said.split_once('\n').unwrap();
        let (text, told) = said.split_once("\nExamples are told in short").unwrap_or((said, ""));
        if !told.is_empty() {
            ending = format!("Examples are told in short{told}");
        }
        let word = if mandatory { " (mandatory)" } else { "" };
        let (title, text) = text.split_once('\n').unwrap();
        write!(page, "\n## {name}{word}\n\n**{title}.**\n\n{}\n", text.trim()).unwrap();
    }
    write!(page, "\n## How to read the examples\n\n{}\n", ending.trim()).unwrap();
    is_told("checks", &page);
}

/// What a field may hold, in a word or two.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name.rsplit('/').next().unwrap();
        return format!("[{name}](#{})", name.to_lowercase());
    }
    if let Some(choices) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        let kinds = choices.iter().filter(|choice| choice["type"] != "null").map(kind);
        return kinds.collect::<Vec<_>>().join(" or ");
    }
    if let Some(words) = schema["enum"].as_array() {
        let words =
            words.iter().filter(|word| !word.is_null()).map(|word| format!("`{}`", plain(word)));
        return words.collect::<Vec<_>>().join(", ");
    }
    if let Some(word) = schema.get("const") {
        return format!("`{}`", plain(word));
    }
    let types = match &schema["type"] {
        Value::String(word) => vec![word.as_str()],
        Value::Array(words) => words.iter().filter_map(Value::as_str).collect(),
        _ => vec!["anything"],
    };
    let types = types.into_iter().filter(|word| *word != "null").map(|word| match word {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" => {
            let inner = schema["patternProperties"].as_object().and_then(|all| all.values().next());
            match inner.or(schema.get("additionalProperties")).filter(|inner| inner.is_object()) {
                Some(inner) => format!("map to {}", kind(inner)),
                None => "map".to_owned(),
            }
        }
        "string" => "text".to_owned(),
        "integer" => "whole number".to_owned(),
        other => other.to_owned(),
    });
    types.collect::<Vec<_>>().join(" or ")
}

fn plain(word: &Value) -> String {
    word.as_str().map_or_else(|| word.to_string(), str::to_owned)
}

/// Tells a type: its words, its pattern, or a table of its fields.
fn tell_type(schema: &Value, page: &mut String) {
    if let Some(text) = schema["description"].as_str() {
        writeln!(page, "{}\n", in_one_line(text)).unwrap();
    }
    if let Some(choices) = schema["oneOf"].as_array().or(schema["anyOf"].as_array()) {
        for choice in choices {
            let said = choice["description"].as_str().map(in_one_line).unwrap_or_default();
            writeln!(page, "- {}: {said}", kind(choice)).unwrap();
        }
        page.push('\n');
    }
    let Some(fields) = schema["properties"].as_object() else {
        if schema["oneOf"].is_null() && schema["anyOf"].is_null() {
            let pattern = schema["pattern"].as_str();
            let pattern = pattern.map(|it| format!(", matching `{}`", it.replace('|', "\\|")));
            writeln!(page, "{}{}.\n", kind(schema), pattern.unwrap_or_default()).unwrap();
        }
        return;
    };
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    page.push_str("| field | holds | what it says |\n|---|---|---|\n");
    for (name, field) in fields {
        let must = if required.contains(&name.as_str()) { " (required)" } else { "" };
        let said = field["description"].as_str().map(in_one_line).unwrap_or_default();
        writeln!(page, "| `{name}`{must} | {} | {said} |", kind(field)).unwrap();
    }
    page.push('\n');
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

fn schema(team: &Team, kind: &str) -> Value {
    serde_json::from_str(&team.orch("", &["schema", kind])).unwrap()
}

#[test]
fn the_policy_is_told_as_it_is() {
    let team = Team::over(TestRepo::new());
    let policy = schema(&team, "policy");
    let mut page =
        "# The policy\n\n`.orch/policy.yaml`, from the schema that `orch schema policy` prints. \
                    The files in `templates/` are whole examples.\n\n"
            .to_owned();
    tell_type(&policy, &mut page);
    for (name, of) in policy["$defs"].as_object().unwrap() {
        write!(page, "## {name}\n\n").unwrap();
        tell_type(of, &mut page);
    }
    is_told("policy", &format!("{}\n", page.trim_end()));
}

#[test]
fn records_are_told_as_they_are() {
    let team = Team::over(TestRepo::new());
    let kinds: BTreeSet<String> = fs::read_dir(format!("{TOP}/schemas"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().replace(".schema.json", ""))
        .filter(|kind| !["policy", "report", "error", "attestation"].contains(&kind.as_str()))
        .collect();
    let mut page = "# Records\n\nEvery record is a YAML document of two keys: one that is named for its kind, and \
                    `entry`, which is the same for all kinds. A task's lie in `.orch/tasks/YYYY-MM/TASK/NNNN-KIND.yaml`. \
                    From the schemas that `orch schema KIND` prints.\n"
        .to_owned();
    let mut types = std::collections::BTreeMap::new();
    for kind in kinds {
        let schema = schema(&team, &kind);
        write!(page, "\n## `{kind}`\n\n").unwrap();
        let own = &schema["properties"][&kind];
        let own = own["$ref"]
            .as_str()
            .map_or(own, |name| &schema["$defs"][name.rsplit('/').next().unwrap()]);
        tell_type(own, &mut page);
        types.extend(schema["$defs"].as_object().unwrap().clone());
    }
    page.push_str("# Types\n\n");
    for (name, of) in &types {
        write!(page, "## {name}\n\n").unwrap();
        tell_type(of, &mut page);
    }
    is_told("records", &format!("{}\n", page.trim_end()));
}
