//! `orch schema`: the JSON Schemas, for editors and other tools.

use super::Stop;
use super::context::Context;
use super::output::{say, say_lines};
use crate::record::did_you_mean;

/// Print the JSON Schema of a kind of record, or of the policy.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example: orch schema handoff")]
pub(super) struct Schema {
    /// A kind such as handoff, or policy, report, error; without it, the names are listed
    name: Option<String>,
}

macro_rules! schemas {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("../../schemas/", $name, ".schema.json")))),*]
    };
}

const SCHEMAS: &[(&str, &str)] = schemas! {
    "policy" "report" "error"
    "task" "update" "assignment" "run" "handoff" "rejection" "message" "gate" "audit_request"
    "audit_report" "failure_response" "approval" "block" "unblock" "quarantine" "pause" "resume"
    "escalation" "close" "incident" "incident_step" "postmortem" "halt" "decision"
};

impl Schema {
    pub(super) fn run(self, _context: &Context) -> Result<(), Stop> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::Payload;

    #[test]
    fn every_kind_has_its_schema() {
        for word in Payload::WORDS {
            assert!(SCHEMAS.iter().any(|(name, _)| name == word), "{word}");
        }
    }
}
