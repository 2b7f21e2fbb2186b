//! Error numbers as text.

use std::io;

use nix::errno::Errno;

/// The C library's description of an `errno`.
#[must_use]
pub fn errno_text(errno: i32) -> &'static str {
    Errno::from_raw(errno).desc()
}

/// An I/O error described without its number: `No such file or directory` rather than
/// `No such file or directory (os error 2)`.
#[must_use]
pub fn in_words(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::new(error.kind(), Errno::from_raw(number).desc()),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn an_error_has_no_number() {
        let error = in_words(std::io::Error::from_raw_os_error(libc::ENOENT));
        assert_eq!(error.to_string(), "No such file or directory");
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        assert_eq!(in_words(std::io::Error::other("as it is")).to_string(), "as it is");
    }
}
