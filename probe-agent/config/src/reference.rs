//! The schema for machines (JSON Schema) and for people (docs/configuration.md).

mod markdown;
mod rows;

use schemars::generate::SchemaSettings;
use serde_json::Value;

pub use self::{
    markdown::markdown,
    rows::{Row, rows},
};
use crate::schema::Configuration;

/// The JSON Schema (2020-12) of a configuration.
#[must_use]
pub fn json_schema() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<Configuration>();
    schema.insert("title".to_owned(), "Configuration of probe-agent".into());
    schema.to_value()
}

#[cfg(test)]
mod tests;
