//! Builds the tree from the parser's events.

use std::collections::HashMap;

use saphyr_parser::{Event, ScalarStyle, Tag};

use super::open::{Content, Open};
use crate::{
    position::Position,
    tree::{
        Fault, Node, Scalar, Value,
        limits::{DEEPEST, LONGEST, MOST_VALUES, TOO_DEEP, TOO_LONG, TOO_MANY},
    },
};

#[derive(Default)]
pub(super) struct Builder {
    root: Option<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    values: usize,
    faults: Vec<Fault>,
}

/// What an alias stands for.
struct Anchored {
    node: Node,
    size: usize,
}

impl Builder {
    /// Takes the next event.
    ///
    /// # Errors
    /// What ends the parsing.
    pub(super) fn event(&mut self, event: Event<'_>, position: Position) -> Result<(), Fault> {
        match event {
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd => Ok(()),
            Event::Alias(id) => {
                let Some(anchored) = self.anchors.get(&id) else {
                    return Err(Fault::new(position, "the alias is part of what it stands for"));
                };
                let (size, node) = (anchored.size, anchored.node.clone());
                self.count(size, position)?;
                self.add(node)
            }
            Event::Scalar(text, style, anchor, tag) => {
                if text.len() > LONGEST {
                    return Err(Fault::new(position, TOO_LONG));
                }
                let is_quoted = style != ScalarStyle::Plain || is_string(tag.as_deref(), position)?;
                let value = match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if !is_quoted => Value::Null,
                    _ => Value::Scalar(Scalar { text: text.into_owned(), is_quoted }),
                };
                self.count(1, position)?;
                self.keep(anchor, Node { position, value })
            }
            Event::SequenceStart(anchor, tag) => {
                is_string(tag.as_deref(), position)?;
                self.start(Open { position, anchor, content: Content::List(Vec::new()) })
            }
            Event::MappingStart(anchor, tag) => {
                is_string(tag.as_deref(), position)?;
                let (entries, keys, key) = Default::default();
                self.start(Open { position, anchor, content: Content::Map { entries, keys, key } })
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => {
                    let anchor = open.anchor;
                    self.keep(anchor, open.close())
                }
                None => Err(Fault::new(position, "an end without a start")),
            },
        }
    }

    fn start(&mut self, open: Open) -> Result<(), Fault> {
        self.count(1, open.position)?;
        if self.open.len() == DEEPEST {
            return Err(Fault::new(open.position, TOO_DEEP));
        }
        self.open.push(open);
        Ok(())
    }

    /// A value is complete.
    fn keep(&mut self, anchor: usize, node: Node) -> Result<(), Fault> {
        if anchor != 0 {
            let size = node.size();
            self.count(size, node.position)?;
            self.anchors.insert(anchor, Anchored { node: node.clone(), size });
        }
        self.add(node)
    }

    fn add(&mut self, node: Node) -> Result<(), Fault> {
        match self.open.last_mut() {
            Some(open) => self.faults.extend(open.take(node)?),
            None => self.root = Some(node),
        }
        Ok(())
    }

    /// Aliases of aliases make a short file grow without limit.
    fn count(&mut self, values: usize, position: Position) -> Result<(), Fault> {
        self.values = self.values.saturating_add(values);
        if self.values > MOST_VALUES {
            return Err(Fault::new(position, TOO_MANY));
        }
        Ok(())
    }

    pub(super) fn into_faults(mut self, last: Fault) -> Vec<Fault> {
        self.faults.push(last);
        self.faults
    }

    /// The tree. An empty text is an empty map.
    pub(super) fn finish(self) -> (Option<Node>, Vec<Fault>) {
        let empty = || Node { position: Position::new(1, 1), value: Value::Map(Vec::new()) };
        let root = self.root.filter(|root| root.value != Value::Null).unwrap_or_else(empty);
        (Some(root), self.faults)
    }
}

/// Whether a tag makes a scalar a string. No other tag is understood.
fn is_string(tag: Option<&Tag>, position: Position) -> Result<bool, Fault> {
    match tag {
        None => Ok(false),
        Some(tag) if tag.is_yaml_core_schema() => Ok(tag.suffix == "str"),
        Some(tag) => {
            Err(Fault::new(position, format!("the tag {tag} is not supported; remove it")))
        }
    }
}
