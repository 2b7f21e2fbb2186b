//! TOML. The parser goes on after an error, so several may be found.

use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    Entry, Fault, Node, Scalar, Value,
    limits::{DEEPEST, LONGEST, MOST_VALUES, TOO_DEEP, TOO_LONG, TOO_MANY},
};
use crate::position::Position;

/// Parses a text.
pub(super) fn parse(text: &str) -> (Option<Node>, Vec<Fault>) {
    let places = Places::new(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut faults: Vec<Fault> = errors
        .iter()
        .map(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            let what = error.message().lines().collect::<Vec<_>>().join(", ");
            Fault::new(places.of(offset), format!("not TOML: {what}"))
        })
        .collect();
    if !faults.is_empty() {
        // What was recovered may be anything: errors in it could be consequences of those above.
        return (None, faults);
    }
    let mut builder = Builder { places, values: 0, faults: Vec::new() };
    let span = table.span().start;
    let root = builder.table(table.get_ref(), span, 0);
    faults.append(&mut builder.faults);
    if faults.is_empty() { (Some(root), faults) } else { (None, faults) }
}

struct Builder {
    places: Places,
    values: usize,
    faults: Vec<Fault>,
}

impl Builder {
    fn table(&mut self, table: &DeTable<'_>, offset: usize, depth: usize) -> Node {
        let mut keys: Vec<_> = table.iter().collect();
        keys.sort_by_key(|(key, _)| key.span().start);
        let entries = keys.into_iter().map(|(key, value)| {
            let key_position = self.places.of(key.span().start);
            self.limit_length(key.get_ref(), key_position);
            let value = self.node(value, depth + 1);
            Entry { key: key.get_ref().to_string(), key_position, value }
        });
        let value = Value::Map(entries.collect());
        Node { position: self.places.of(offset), value }
    }

    fn limit_length(&mut self, text: &str, position: Position) {
        if text.len() > LONGEST && self.faults.is_empty() {
            self.faults.push(Fault::new(position, TOO_LONG));
        }
    }

    fn node(&mut self, value: &Spanned<DeValue<'_>>, depth: usize) -> Node {
        let offset = value.span().start;
        let position = self.places.of(offset);
        self.values += 1;
        if depth > DEEPEST || self.values > MOST_VALUES {
            if self.faults.is_empty() {
                let text = if depth > DEEPEST { TOO_DEEP } else { TOO_MANY };
                self.faults.push(Fault::new(position, text));
            }
            return Node { position, value: Value::Null };
        }
        let plain = |text: String| Node::plain(position, text);
        match value.get_ref() {
            DeValue::String(text) => {
                self.limit_length(text, position);
                let scalar = Scalar { text: text.to_string(), is_quoted: true };
                Node { position, value: Value::Scalar(scalar) }
            }
            DeValue::Integer(number) => plain(match number.radix() {
                16 => format!("0x{}", number.as_str()),
                _ => number.as_str().to_owned(),
            }),
            DeValue::Float(number) => plain(number.as_str().to_owned()),
            DeValue::Boolean(is_true) => plain(is_true.to_string()),
            DeValue::Datetime(time) => plain(time.to_string()),
            DeValue::Array(items) => {
                let items = items.iter().map(|item| self.node(item, depth + 1)).collect();
                Node { position, value: Value::List(items) }
            }
            DeValue::Table(table) => self.table(table, offset, depth),
        }
    }
}

/// Finds lines and columns of byte offsets.
struct Places {
    text: String,
    line_starts: Vec<usize>,
}

impl Places {
    fn new(text: &str) -> Self {
        let after_breaks = text.match_indices('\n').map(|(offset, _)| offset + 1);
        Self { text: text.to_owned(), line_starts: [0].into_iter().chain(after_breaks).collect() }
    }

    fn of(&self, offset: usize) -> Position {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        let start = self.line_starts.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let column = self.text.get(start..offset).map_or(0, |text| text.chars().count());
        Position::new(line, column + 1)
    }
}
