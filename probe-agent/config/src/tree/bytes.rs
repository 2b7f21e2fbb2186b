//! From bytes to text.

use super::Fault;
use crate::position::Position;

/// U+FEFF in UTF-8; some editors begin a file with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The text of a file, without a byte order mark.
pub(super) fn text(bytes: &[u8]) -> Result<&str, Fault> {
    if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
        let text = "this is UTF-16; save the file as UTF-8";
        return Err(Fault::new(Position::new(1, 1), text));
    }
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let text = str::from_utf8(bytes).map_err(|error| {
        let position = Position::of_offset(bytes, error.valid_up_to());
        Fault::new(position, "not UTF-8; save the file as UTF-8")
    })?;
    // A parser may take it for the end of the text.
    match text.find('\0') {
        Some(offset) => {
            let position = Position::of_offset(bytes, offset);
            Err(Fault::new(position, "a NUL character; this is not a text file"))
        }
        None => Ok(text),
    }
}
