//! Declares sections of the configuration: each setting once, with its type, default and meaning.

/// Declares a section. Its doc comments are the text of the JSON Schema and of docs/configuration.md.
///
/// `NAME => FOUND` are two types: what a layer says, where any setting may be missing, and what holds in the end,
/// each value with its origin. A setting has a default after `=`, or is `None` if nobody sets it.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        $name:ident => $found:ident {
            $($(#[doc = $doc:literal])+ $field:ident: $type:ty $(= $default:expr)?;)+
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, serde::Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub struct $name {
            $($(#[doc = $doc])+ pub $field: Option<$crate::decode::At<$type>>,)+
        }

        /// What holds: each value with its origin.
        #[derive(Clone, Debug, PartialEq)]
        pub struct $found {
            $($(#[doc = $doc])+ pub $field: Option<$crate::origin::Found<$type>>,)+
        }

        impl $name {
            /// The keys.
            pub const KEYS: &'static [&'static str] = &[$(stringify!($field)),+];

            /// What holds, if each of the layers overrides those after it.
            #[must_use]
            pub fn resolve(layers: &[($crate::origin::Layer, &Self)]) -> $found {
                $found {
                    $($field: $crate::origin::first(
                        layers.iter().map(|(layer, section)| (*layer, section.$field.as_ref())),
                        $crate::settings::built_in!($($default)?),
                    ),)+
                }
            }

            /// The keys that are set.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                true $(&& self.$field.is_none())+
            }
        }

        impl $found {
            /// All keys with their values.
            #[must_use]
            pub fn values(&self) -> Vec<(&'static str, Option<$crate::origin::Found<serde_json::Value>>)> {
                vec![$((
                    stringify!($field),
                    self.$field.clone().map(|found| found.map(|value| $crate::decode::Setting::json(&value))),
                )),+]
            }
        }

        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let properties = [$((
                    stringify!($field),
                    concat!($($doc, "\n"),+),
                    <$type as $crate::decode::Setting>::schema(),
                    $crate::settings::built_in!($($default)?)
                        .map(|value: $type| $crate::decode::Setting::json(&value)),
                )),+];
                $crate::settings::object(properties)
            }
        }
    };
}

/// The default of a setting, if it has one.
macro_rules! built_in {
    () => {
        None
    };
    ($default:expr) => {
        Some($default)
    };
}

pub(crate) use {built_in, settings};

use schemars::Schema;
use serde_json::{Map, Value, json};

/// The schema of a section.
pub(crate) fn object<const N: usize>(settings: [(&str, &str, Schema, Option<Value>); N]) -> Schema {
    let property = |(key, doc, schema, default): (&str, &str, Schema, Option<Value>)| {
        let mut schema = schema;
        schema.insert("description".to_owned(), described(doc).into());
        if let Some(default) = default {
            schema.insert("default".to_owned(), default);
        }
        (key.to_owned(), schema.to_value())
    };
    let properties: Map<String, Value> = settings.into_iter().map(property).collect();
    schemars::json_schema!({
        "type": "object",
        "properties": properties,
        "additionalProperties": json!(false)
    })
}

/// A doc comment as a text: its lines are wrapped for the source, paragraphs stay.
fn described(doc: &str) -> String {
    let paragraphs = doc.split("\n\n").map(|paragraph| {
        paragraph.lines().map(str::trim).collect::<Vec<_>>().join(" ").trim().to_owned()
    });
    paragraphs.filter(|paragraph| !paragraph.is_empty()).collect::<Vec<_>>().join("\n\n")
}
