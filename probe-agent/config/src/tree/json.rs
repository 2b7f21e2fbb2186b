//! JSON, by its own parser: YAML does not know all of its escapes.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Entry, Fault, Node, Scalar, Value};
use crate::position::Position;

/// Parses a text. Only errors of syntax have a line: the parser keeps none for values, so these are numbered.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Fault>) {
    match serde_json::from_str::<Json>(text) {
        Ok(json) => (Some(node(json, &mut 0)), Vec::new()),
        Err(error) => {
            let position = Position::new(error.line(), error.column());
            let what = error.to_string();
            let what = what.split(" at line ").next().unwrap_or_default();
            (None, vec![Fault::new(position, format!("not JSON: {what}"))])
        }
    }
}

/// Any JSON value. The parser itself limits the depth.
#[derive(Deserialize)]
#[serde(untagged)]
enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    String(String),
    List(Vec<Self>),
    Map(BTreeMap<String, Self>),
}

fn node(json: Json, number: &mut u32) -> Node {
    *number = number.saturating_add(1);
    let position = Position { line: 0, column: *number };
    let plain = |text: String| Value::Scalar(Scalar { text, is_quoted: false });
    let value = match json {
        Json::Null => Value::Null,
        Json::Bool(is_true) => plain(is_true.to_string()),
        Json::Number(value) => plain(value.to_string()),
        Json::String(text) => Value::Scalar(Scalar { text, is_quoted: true }),
        Json::List(items) => {
            Value::List(items.into_iter().map(|item| node(item, number)).collect())
        }
        Json::Map(entries) => Value::Map(
            entries
                .into_iter()
                .map(|(key, value)| {
                    let value = node(value, number);
                    Entry { key, key_position: value.position, value }
                })
                .collect(),
        ),
    };
    Node { position, value }
}
