//! `orch schema`: the JSON Schemas, for editors and other tools.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Stop;
use super::context::Context;
use super::files::{output_folder, write_among};
use super::output::{say, say_lines};
use crate::policy::POLICY_PATH;
use crate::record::{Payload, did_you_mean};
use crate::render::pretty;

/// Print the JSON Schema of a kind of record, or of the policy.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "With `--all`, beside the schemas: catalog.json, which says as SchemaStore's catalogue does \
                  which file is of which\nschema, and vscode.json, the same as a setting of editors that use \
                  yaml-language-server.\nExample: orch schema handoff\nExample: orch schema --all --output \
                  schemas/orch"
)]
pub(super) struct Schema {
    /// A kind such as handoff, or policy, report, error, attestation; without it, the names are listed
    #[arg(conflicts_with = "all")]
    name: Option<String>,
    /// Write all of them, and which file is of which
    #[arg(long, requires = "output")]
    all: bool,
    /// The folder that they are written into
    #[arg(long, value_name = "DIR", requires = "all", conflicts_with = "name")]
    output: Option<PathBuf>,
}

macro_rules! schemas {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../schemas/", $name, ".schema.json")))),*]
    };
}

/// The name of every schema, and its text.
pub(super) const SCHEMAS: &[(&str, &str)] = schemas! {
    "policy" "report" "error" "attestation"
    "task" "update" "assignment" "run" "handoff" "rejection" "message" "gate" "audit_request"
    "audit_report" "failure_response" "approval" "block" "unblock" "quarantine" "pause" "resume"
    "escalation" "close" "incident" "incident_step" "postmortem" "halt" "decision"
};

impl Schema {
    pub(super) fn run(self, context: &Context) -> Result<(), Stop> {
        if let Some(folder) = self.output.filter(|_| self.all) {
            return write_all(context, &folder);
        }
        let names = || SCHEMAS.iter().map(|(name, _)| *name);
        let Some(name) = self.name else {
            names().for_each(say);
            return Ok(());
        };
        let Some((_, schema)) = SCHEMAS.iter().find(|(known, _)| *known == name) else {
            let help = match did_you_mean(&name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`orch schema` lists the names".into(),
            };
            return Err(Stop::fault(format!("there is no schema `{name}`"), help));
        };
        say_lines(schema);
        Ok(())
    }
}

/// Writes every schema into a folder, and which file is of which.
fn write_all(context: &Context, folder: &Path) -> Result<(), Stop> {
    let place = output_folder(context, folder)?;
    for (name, schema) in SCHEMAS {
        write_among(&place, &file_of(name), schema)?;
    }
    write_among(&place, "catalog.json", &pretty(&catalogue()))?;
    write_among(&place, "vscode.json", &pretty(&settings(folder)))?;
    say(format!(
        "wrote {} schemas, catalog.json and vscode.json into {}",
        SCHEMAS.len(),
        folder.display()
    ));
    Ok(())
}

fn file_of(name: &str) -> String {
    format!("{name}.schema.json")
}

/// Gives which files in a repository are of a schema; none of what orch only prints.
fn files_of(name: &str) -> Option<String> {
    match name {
        "policy" => Some(POLICY_PATH.to_owned()),
        "decision" => Some(".orch/decisions/*.yaml".to_owned()),
        _ if Payload::WORDS.contains(&name) => {
            Some(format!(".orch/**/[0-9][0-9][0-9][0-9]-{name}.yaml"))
        }
        _ => None,
    }
}

/// Gives the catalogue, in the form of SchemaStore's; addresses are those of files beside it.
fn catalogue() -> Value {
    let entry = |name: &str| {
        let about = match name {
            "policy" => "Policy of orch: agents, lanes, workflows and rules".to_owned(),
            _ => format!("Record of orch: {}", name.replace('_', " ")),
        };
        let files = format!("**/{}", files_of(name)?);
        let title = format!("orch {}", name.replace('_', " "));
        Some(json!({
            "name": title, "description": about, "fileMatch": [files], "url": file_of(name),
        }))
    };
    let entries: Vec<Value> = SCHEMAS.iter().filter_map(|(name, _)| entry(name)).collect();
    json!({"$schema": "https://json.schemastore.org/schema-catalog.json", "version": 1.0, "schemas": entries})
}

/// Gives the same for editors that use yaml-language-server, seen from the top of the repository.
fn settings(folder: &Path) -> Value {
    let folder = folder.display().to_string().replace('\\', "/");
    let folder = folder.trim_end_matches('/');
    let place = match Path::new(folder).is_absolute() {
        true => folder.to_owned(),
        false => format!("./{}", folder.trim_start_matches("./")),
    };
    let files = SCHEMAS.iter().filter_map(|(name, _)| {
        Some((format!("{place}/{}", file_of(name)), Value::from(files_of(name)?)))
    });
    json!({"yaml.schemas": files.collect::<Map<_, _>>()})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_has_its_schema() {
        for word in Payload::WORDS {
            assert!(SCHEMAS.iter().any(|(name, _)| name == word), "{word}");
        }
    }
}
