//! Reads a tracepoint's `format` file: where its fields are, and what its numbers are called.

use std::collections::HashMap;

/// A parsed `format` file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Format {
    fields: HashMap<String, (u16, u16)>,
    print: String,
}

impl Format {
    /// Parses the text of a `format` file; lines of another form are passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut format = Self::default();
        for line in text.lines() {
            if let Some(print) = line.strip_prefix("print fmt:") {
                format.print = print.to_owned();
            } else if let Some((name, offset, size)) = field(line) {
                format.fields.insert(name, (offset, size));
            }
        }
        format
    }

    /// Offset of a field, in bytes; `None` if this kernel does not have it.
    #[must_use]
    pub fn offset(&self, field: &str) -> Option<u16> {
        self.fields.get(field).map(|(offset, _)| *offset)
    }

    /// Size of a field, in bytes.
    #[must_use]
    pub fn size(&self, field: &str) -> Option<u16> {
        self.fields.get(field).map(|(_, size)| *size)
    }

    /// The names that the print line gives to the numbers of a field
    /// (`__print_symbolic(REC->field, { 0, "NAME" }, ...)`), by number; empty if there are none.
    #[must_use]
    pub fn symbols(&self, field: &str) -> HashMap<i32, String> {
        let Some((_, rest)) = self.print.split_once(&format!("__print_symbolic(REC->{field}, "))
        else {
            return HashMap::new();
        };
        let list = rest.split_once(')').map_or(rest, |(list, _)| list);
        list.split('{').filter_map(symbol).collect()
    }
}

/// `\tfield:int state;\toffset:24;\tsize:4;\tsigned:1;` gives name, offset and size.
fn field(line: &str) -> Option<(String, u16, u16)> {
    let mut parts = line.trim().strip_prefix("field:")?.split(';');
    let name = parts.next()?.split_whitespace().last()?.split('[').next()?;
    let number = |part: Option<&str>, key| part?.trim().strip_prefix(key)?.parse().ok();
    let offset = number(parts.next(), "offset:")?;
    let size = number(parts.next(), "size:")?;
    Some((name.to_owned(), offset, size))
}

/// ` 1, "NO_SOCKET" }, ` gives the pair; names in place of numbers give none.
fn symbol(part: &str) -> Option<(i32, String)> {
    let (number, rest) = part.split_once(',')?;
    let name = rest.split('"').nth(1)?;
    Some((number.trim().parse().ok()?, name.to_owned()))
}

#[cfg(test)]
mod tests;
