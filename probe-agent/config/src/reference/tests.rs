//! The reference is what the schema says.

use std::{env, fs, path::Path};

use super::{json_schema, markdown, rows};
use crate::schema::{HttpSettings, LimitSettings, OtlpSettings, PolicySettings};

/// Compares a file below docs/ with what it should hold, or writes it.
fn check(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, text).unwrap();
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(written == text, "run UPDATE_GOLDEN=1 cargo test -p probe-agent-config reference");
}

#[test]
fn the_docs_are_up_to_date() {
    check("configuration.md", &markdown());
}

#[test]
fn the_published_schema_is_up_to_date() {
    check("configuration.schema.json", &format!("{:#}\n", json_schema()));
}

#[test]
fn every_key_has_a_type_and_a_meaning() {
    let rows = rows();
    for row in &rows {
        assert!(!row.kind.is_empty(), "{row:?}");
        assert!(row.meaning.ends_with(['.', '`']) && row.meaning.len() > 8, "{row:?}");
    }
    for (section, keys) in [
        ("agent.http", HttpSettings::KEYS),
        ("agent.otlp", OtlpSettings::KEYS),
        ("agent.limits", LimitSettings::KEYS),
        ("policy", PolicySettings::KEYS),
    ] {
        for key in keys {
            let row = rows.iter().find(|row| row.section == section && row.key == *key);
            assert!(row.is_some(), "{section}.{key} is not in the reference");
        }
    }
    assert!(rows.iter().all(|row| super::rows::SECTIONS.contains(&row.section.as_str())));
    let interval = rows.iter().find(|row| row.key == "interval").unwrap();
    assert_eq!((interval.kind.as_str(), interval.default.as_str()), ("duration", "5s"));
}

#[test]
fn the_schema_is_a_schema() {
    let schema = json_schema();
    assert!(jsonschema::meta::is_valid(&schema));
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
}
