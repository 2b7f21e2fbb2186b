//! Where something stands in a file.

use std::fmt;

/// A line and a column, both counted from 1. The column counts characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line; 0 for a value that is in no file.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// Of a value that is in no file: a flag or a variable.
    pub const NONE: Self = Self { line: 0, column: 0 };

    pub(crate) fn new(line: usize, column: usize) -> Self {
        let cut = |number| u32::try_from(number).unwrap_or(u32::MAX);
        Self { line: cut(line), column: cut(column) }
    }

    /// Where a byte of a text is.
    pub(crate) fn of_offset(text: &[u8], offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let in_line = before.get(line_start..).unwrap_or_default();
        Self::new(line, String::from_utf8_lossy(in_line).chars().count() + 1)
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::Position;

    #[test]
    fn a_byte_has_a_line_and_a_column() {
        let text = "a\r\n\u{fc}b".as_bytes();
        for (offset, expected) in [(0, "1:1"), (1, "1:2"), (3, "2:1"), (5, "2:2"), (6, "2:3")] {
            assert_eq!(Position::of_offset(text, offset).to_string(), expected, "{offset}");
        }
        assert_eq!(Position::of_offset(text, 99).to_string(), "2:3", "past the end");
    }
}
