//! From bytes to text.

use super::Fault;
use crate::position::Position;

/// U+FEFF in UTF-8; some editors begin a file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file, without a byte order mark. A line may have `longest_line` bytes.
pub(super) fn text(bytes: &[u8], longest_line: usize) -> Result<&str, Fault> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let text = "this is UTF-16; save the file as UTF-8";
        return Err(Fault::new(Position::new(1, 1), text));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let position = Position::of_offset(bytes, error.valid_up_to());
        Fault::new(position, "not UTF-8; save the file as UTF-8")
    })?;
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        if line.len() > longest_line {
            let position = Position::new(number, 1);
            return Err(Fault::new(position, "a line longer than 16 MiB; is this the right file?"));
        }
    }
    // A parser may take it for the end of the text.
    match text.find('\0') {
        Some(offset) => {
            let position = Position::of_offset(bytes, offset);
            Err(Fault::new(position, "a NUL character; this is not a text file"))
        }
        None => Ok(text),
    }
}
