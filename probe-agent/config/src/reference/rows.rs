//! The keys of the schema, one row each.

use serde_json::Value;

use super::json_schema;
use crate::schema::{HttpSettings, LimitSettings, OtlpSettings, PolicySettings};

/// A key of the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The section, as `agent.http` or `targets[]`; empty for the top of the file.
    pub section: String,
    /// The key.
    pub key: String,
    /// What can be written.
    pub kind: String,
    /// The default; empty if there is none.
    pub default: String,
    /// What it means.
    pub meaning: String,
}

/// All keys, in the order of the file. Those of the policy stand in a section of their own, `policy`, as they can
/// be written in several places; what a group has as the top of the file has it, stands there only.
#[must_use]
pub fn rows() -> Vec<Row> {
    let schema = json_schema();
    let mut rows = Vec::new();
    walk(&schema, &schema, "", &mut rows);
    rows.sort_by_key(|row| (section_rank(&row.section), key_rank(row)));
    rows.dedup_by(|a, b| (&a.section, &a.key) == (&b.section, &b.key));
    rows
}

/// The sections, in the order of the file.
pub(super) const SECTIONS: [&str; 11] = [
    "",
    "agent",
    "agent.http",
    "agent.otlp",
    "agent.limits",
    "defaults",
    POLICY,
    "groups.NAME",
    "targets[]",
    "file_sd[]",
    "http_sd[]",
];

/// Where the keys of a policy stand.
const POLICY: &str = "policy";

fn section_rank(section: &str) -> usize {
    SECTIONS.iter().position(|known| *known == section).unwrap_or(SECTIONS.len())
}

/// JSON objects have no order; the declarations have.
fn key_rank(row: &Row) -> (usize, String) {
    let keys: &[&str] = match row.section.as_str() {
        "" => &["agent", "defaults", "groups", "targets", "file_sd", "http_sd"],
        "agent" => &["http", "otlp", "limits"],
        "agent.http" => HttpSettings::KEYS,
        "agent.otlp" => OtlpSettings::KEYS,
        "agent.limits" => LimitSettings::KEYS,
        POLICY => PolicySettings::KEYS,
        _ => &["address", "name", "files", "url", "refresh_interval", "headers_file", "labels"],
    };
    let rank = keys.iter().position(|key| *key == row.key).unwrap_or(keys.len());
    (rank, row.key.clone())
}

fn walk(root: &Value, object: &Value, section: &str, rows: &mut Vec<Row>) {
    let Some(properties) = object.get("properties").and_then(Value::as_object) else { return };
    if section.starts_with("groups.NAME.") {
        return;
    }
    for (key, property) in properties {
        let (value, place) = target(root, property);
        let is_policy = PolicySettings::KEYS.contains(&key.as_str());
        let is_agent = section.starts_with("agent");
        rows.push(Row {
            section: if is_policy && !is_agent { POLICY } else { section }.to_owned(),
            key: key.clone(),
            kind: kind(root, property),
            default: property.get("default").filter(|v| is_plain(v)).map_or_else(String::new, text),
            meaning: meaning(property, value),
        });
        let path = if section.is_empty() { key.clone() } else { format!("{section}.{key}") };
        walk(root, value, &format!("{path}{place}"), rows);
    }
}

/// The schema of what a property holds, behind references, lists and maps; and how that is written in a path.
fn target<'a>(root: &'a Value, property: &'a Value) -> (&'a Value, &'static str) {
    let resolved = resolve(root, property);
    if let Some(items) = resolved.get("items") {
        return (object_of(root, items), "[]");
    }
    match resolved.get("additionalProperties") {
        Some(inner) if inner.is_object() => (object_of(root, inner), ".NAME"),
        _ => (object_of(root, resolved), ""),
    }
}

/// The map of keys among several forms.
fn object_of<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let schema = resolve(root, schema);
    let forms = schema.get("anyOf").and_then(Value::as_array);
    let object = forms.and_then(|forms| {
        forms.iter().map(|form| resolve(root, form)).find(|form| form.get("properties").is_some())
    });
    object.unwrap_or(schema)
}

fn resolve<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let pointer =
        schema.get("$ref").and_then(Value::as_str).and_then(|path| path.strip_prefix('#'));
    pointer.and_then(|pointer| root.pointer(pointer)).unwrap_or(schema)
}

fn meaning(property: &Value, value: &Value) -> String {
    let of = |schema: &Value| {
        Some(schema.get("description")?.as_str()?.replace("\n\n", " ").replace('\n', " "))
    };
    of(property).or_else(|| of(value)).unwrap_or_default()
}

/// What can be written, in words.
fn kind(root: &Value, schema: &Value) -> String {
    let schema = resolve(root, schema);
    if let Some(names) = schema.get("enum").and_then(Value::as_array) {
        return names.iter().map(|name| format!("`{}`", text(name))).collect::<Vec<_>>().join(", ");
    }
    if let Some(title) = schema.get("title").and_then(Value::as_str)
        && schema.get("properties").is_none()
    {
        let examples = schema.get("examples").and_then(Value::as_array);
        let example = examples.and_then(|all| all.last()).map(|e| format!(", e.g. `{}`", text(e)));
        return format!("{title}{}", example.unwrap_or_default());
    }
    if let Some(forms) = schema.get("anyOf").and_then(Value::as_array) {
        let forms: Vec<String> = forms.iter().map(|form| kind(root, form)).collect();
        return forms.join(" or ");
    }
    let types = match schema.get("type") {
        Some(Value::Array(types)) => types.iter().filter_map(Value::as_str).collect(),
        Some(Value::String(name)) => vec![name.as_str()],
        _ => Vec::new(),
    };
    let words = types.iter().map(|name| word(root, schema, name)).collect::<Vec<_>>();
    words.join(" or ")
}

fn word(root: &Value, schema: &Value, name: &str) -> String {
    let number = |key: &str| schema.get(key).and_then(Value::as_u64);
    match name {
        "array" => {
            let items = schema.get("items").map_or_else(String::new, |items| kind(root, items));
            format!("list of {items}")
        }
        "object" if schema.get("patternProperties").is_some() => "labels".to_owned(),
        "object" if schema.get("additionalProperties").is_some_and(Value::is_object) => {
            "map of names to keys".to_owned()
        }
        "object" => "keys".to_owned(),
        "integer" => match (number("minimum"), number("maximum")) {
            (Some(0), Some(0)) => "0".to_owned(),
            (Some(min), Some(max)) => format!("{min} to {max}"),
            _ => "number".to_owned(),
        },
        "boolean" => "`true` or `false`".to_owned(),
        _ => "text".to_owned(),
    }
}

fn is_plain(value: &Value) -> bool {
    value.is_string() || value.is_number() || value.is_boolean()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
