//! The JSON Schema of a line, generated from the wire structs. `TRACER_BLESS=1` rewrites it.

use schemars::{SchemaGenerator, generate::SchemaSettings};

use super::{Event, Footer, Header};

fn generated() -> String {
    let mut generator = SchemaGenerator::new(SchemaSettings::draft2020_12());
    let parts = [
        generator.subschema_for::<Header>(),
        generator.subschema_for::<Event>(),
        generator.subschema_for::<Footer>(),
    ];
    let schema = serde_json::json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": format!("A line of a trace, version {}", tracer_model::SCHEMA_VERSION),
        "description": "The first line is a header, the last a footer, each between them an event.",
        "oneOf": parts,
        "$defs": generator.take_definitions(true),
    });
    serde_json::to_string_pretty(&schema).expect("a schema is JSON") + "\n"
}

#[test]
fn the_committed_schema_is_current() {
    let version = tracer_model::SCHEMA_VERSION;
    let path = format!(
        "{}/schema/trace-{version}.schema.json",
        env!("CARGO_MANIFEST_DIR")
    );
    let generated = generated();
    if std::env::var_os("TRACER_BLESS").is_some() {
        std::fs::write(&path, &generated).expect("the schema can be written");
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == generated,
        "the schema changed: a new version? Then TRACER_BLESS=1"
    );
}
