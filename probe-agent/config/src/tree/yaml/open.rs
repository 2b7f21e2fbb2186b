//! A list or a map whose end has not been read yet.

use std::collections::HashMap;

use crate::{
    position::Position,
    tree::{Entry, Fault, Node, Value},
};

/// So few keys are compared one by one. A target has fewer; a map of groups may have thousands.
const FEW: usize = 16;

/// A list or a map whose end has not been read yet.
pub(super) struct Open {
    pub(super) position: Position,
    /// The number of its anchor; 0: none.
    pub(super) anchor: usize,
    pub(super) content: Content,
}

pub(super) enum Content {
    List(Vec<Node>),
    Map {
        entries: Vec<Entry>,
        /// Where each key stands first, if there are many.
        keys: HashMap<String, Position>,
        /// The key whose value comes next.
        key: Option<(String, Position)>,
    },
}

impl Open {
    /// Takes the next value, which may be a key. Returns what is wrong but can be passed over.
    pub(super) fn take(&mut self, node: Node) -> Result<Option<Fault>, Fault> {
        let (entries, keys, key) = match &mut self.content {
            Content::List(items) => {
                items.push(node);
                return Ok(None);
            }
            Content::Map { entries, keys, key } => (entries, keys, key),
        };
        let Some((name, key_position)) = key.take() else {
            *key = Some((text_of_key(&node)?, node.position));
            return Ok(None);
        };
        if name == "<<" {
            let text = "merge keys are not supported; use a group or defaults";
            return Ok(Some(Fault { position: key_position, key: name, text: text.to_owned() }));
        }
        let first = match entries.len() {
            FEW.. => keys.get(&name).copied(),
            _ => entries.iter().find(|entry| entry.key == name).map(|entry| entry.key_position),
        };
        if let Some(first) = first {
            let text = format!("given twice, first in line {}; remove one", first.line);
            return Ok(Some(Fault { position: key_position, key: name, text }));
        }
        entries.push(Entry { key: name, key_position, value: node });
        if entries.len() == FEW {
            keys.extend(entries.iter().map(|entry| (entry.key.clone(), entry.key_position)));
        } else if entries.len() > FEW
            && let Some(last) = entries.last()
        {
            keys.insert(last.key.clone(), last.key_position);
        }
        Ok(None)
    }

    /// Its end has been read.
    pub(super) fn close(self) -> Node {
        let value = match self.content {
            Content::List(items) => Value::List(items),
            Content::Map { entries, .. } => Value::Map(entries),
        };
        Node { position: self.position, value }
    }
}

fn text_of_key(node: &Node) -> Result<String, Fault> {
    match &node.value {
        Value::Scalar(scalar) => Ok(scalar.text.clone()),
        Value::Null => Err(Fault::new(node.position, "a key is missing before ':'")),
        Value::List(_) | Value::Map(_) => {
            Err(Fault::new(node.position, format!("{} cannot be a key; write a name", node.kind())))
        }
    }
}
