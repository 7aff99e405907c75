//! The JSON Schemas of every kind, generated from the types and kept current by a test.

use serde_json::{Value, json};

use super::{Envelope, kind::payload_schemas};

/// Writes `schemas/` anew, and fails if that changed anything: run it twice, then commit.
#[test]
fn schemas_are_current() {
    let mut files = Vec::new();
    for (word, payload) in payload_schemas() {
        let mut payload = serde_json::to_value(payload).expect("a schema is JSON");
        let mut envelope = serde_json::to_value(schemars::schema_for!(Envelope)).expect("JSON");
        let mut definitions = serde_json::Map::new();
        for schema in [&mut payload, &mut envelope] {
            let Some(map) = schema.as_object_mut() else { continue };
            map.remove("$schema");
            if let Some(Value::Object(own)) = map.remove("$defs") {
                definitions.extend(own);
            }
        }
        let about = payload["description"].clone();
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": format!("orch {word} record"),
            "description": about,
            "type": "object",
            "properties": { word: payload, "entry": envelope },
            "required": [word, "entry"],
            "additionalProperties": false,
            "$defs": definitions,
        });
        files.push((format!("schemas/{word}.schema.json"), schema));
    }
    crate::testing::golden_schemas(&files);
}
