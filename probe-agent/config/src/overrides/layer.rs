//! One layer: all flags, or all variables.

use std::{collections::BTreeMap, sync::Arc};

use schemars::JsonSchema;
use serde::Deserialize;

use super::keys::{IN_MILLISECONDS, keys, variables};
use crate::{
    decode::decode,
    echo::Echo,
    nearest::nearest,
    position::Position,
    problem::{Problem, Problems},
    schema::{AgentSettings, PolicySettings, WithPolicy},
    tree::{Entry, Node, Value},
};

/// What one layer sets, and the name of what set each key.
#[derive(Clone, Debug, Default)]
pub struct Override {
    pub(super) agent: AgentSettings,
    pub(super) policy: PolicySettings,
    names: BTreeMap<String, Arc<str>>,
}

/// The keys beside those of the policy.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Agent {
    agent: AgentSettings,
}

/// A value for a key.
struct Assignment {
    /// The flag or the variable.
    name: Arc<str>,
    key: String,
    value: String,
}

impl Override {
    pub(super) fn of_flags(flags: &[String]) -> (Self, Problems) {
        let mut problems = Problems::default();
        let mut assignments: Vec<Assignment> = Vec::new();
        for flag in flags {
            let Some((key, value)) = flag.split_once('=') else {
                problems.push(Problem {
                    source: format!("--set {}", Echo(flag)).into(),
                    position: None,
                    key: String::new(),
                    text: "write --set KEY=VALUE, e.g. --set interval=10s".to_owned(),
                });
                continue;
            };
            if let Some(text) = unknown(key) {
                let source = format!("--set {}", Echo(key)).into();
                problems.push(Problem { source, position: None, key: String::new(), text });
                continue;
            }
            // As with any flag, the last one counts.
            assignments.retain(|earlier| earlier.key != key);
            assignments.push(Assignment {
                name: format!("--set {}", Echo(key)).into(),
                key: key.to_owned(),
                value: value.to_owned(),
            });
        }
        let (layer, more) = Self::of(assignments);
        problems.append(more);
        (layer, problems)
    }

    pub(super) fn of_variables(variable: impl Fn(&str) -> Option<String>) -> (Self, Problems) {
        let set = keys().filter_map(|key| {
            let value = |name: String| Some((variable(&name).filter(|v| !v.is_empty())?, name));
            let (mut value, name) = variables(&key).into_iter().find_map(value)?;
            if name == IN_MILLISECONDS && value.bytes().all(|byte| byte.is_ascii_digit()) {
                value += "ms";
            }
            Some(Assignment { name: name.into(), key, value })
        });
        Self::of(set.collect())
    }

    pub(super) fn name(&self, key: &str) -> Option<&str> {
        self.names.get(key).map(|name| &**name)
    }

    fn of(assignments: Vec<Assignment>) -> (Self, Problems) {
        let mut root = Node { position: Position::NONE, value: Value::Map(Vec::new()) };
        for (number, Assignment { key, value, .. }) in (1..).zip(&assignments) {
            insert(&mut root, key, Node::plain(Position { line: 0, column: number }, value));
        }
        let (read, found) = decode::<WithPolicy<Agent>>(&"".into(), &root);
        let mut problems = Problems::default();
        for problem in found.iter() {
            // The column is the number of the assignment.
            let number = problem.position.map_or(0, |position| position.column as usize);
            let assignment = number.checked_sub(1).and_then(|index| assignments.get(index));
            problems.push(Problem {
                source: assignment.map_or_else(|| "--set".into(), |set| Arc::clone(&set.name)),
                position: None,
                key: String::new(),
                text: problem.text.clone(),
            });
        }
        let WithPolicy { policy, own } = read.unwrap_or_default();
        let names = assignments.into_iter().map(|set| (set.key, set.name)).collect();
        (Self { agent: own.agent, policy, names }, problems)
    }
}

/// What is wrong with a key that no setting has.
fn unknown(key: &str) -> Option<String> {
    let known: Vec<String> = keys().collect();
    if known.iter().any(|known| known == key) {
        return None;
    }
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    Some(match nearest(key, &known) {
        Some(nearest) => format!("unknown key; did you mean {nearest:?}?"),
        None => "unknown key; 'config schema' lists them".to_owned(),
    })
}

/// Puts a value under a dotted key. Everything that belongs to it has its place, so that an error leaves out
/// only this value.
fn insert(node: &mut Node, key: &str, value: Node) {
    let Value::Map(entries) = &mut node.value else { return };
    let position = value.position;
    match key.split_once('.') {
        None => entries.push(Entry { key: key.to_owned(), key_position: position, value }),
        Some((first, rest)) => {
            let index = entries.iter().position(|entry| entry.key == first);
            let index = index.unwrap_or_else(|| {
                // A place that no assignment has.
                let position = Position { line: 1, column: position.column };
                let value = Node { position, value: Value::Map(Vec::new()) };
                entries.push(Entry { key: first.to_owned(), key_position: position, value });
                entries.len() - 1
            });
            if let Some(entry) = entries.get_mut(index) {
                insert(&mut entry.value, rest, value);
            }
        }
    }
}
