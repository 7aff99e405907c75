//! The policy's JSON Schema, generated from its types and kept current by a test.

#[test]
fn the_schema_is_current() {
    let schema = schemars::schema_for!(super::model::Model);
    let text = serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n";
    crate::testing::golden(&[("schemas/policy.schema.json".into(), text)]);
}
