//! The policy's JSON Schema, generated from its types and kept current by a test.

#[test]
fn the_schema_is_current() {
    let schema = schemars::schema_for!(super::model::Model);
    crate::testing::golden_schemas(&[("schemas/policy.schema.json".into(), schema)]);
}
