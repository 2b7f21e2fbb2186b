//! Error numbers as text.

use std::io;

use nix::errno::Errno;

/// The C library's description of an `errno`; for a [`NameError`], what it means.
#[must_use]
pub fn errno_text(errno: i32) -> &'static str {
    NameError::from_errno(errno).map_or_else(|| describe(errno), NameError::text)
}

/// As strerror(3) says it. For a thread that cannot be started, nix says "Try again".
fn describe(errno: i32) -> &'static str {
    match Errno::from_raw(errno) {
        Errno::EAGAIN => "Resource temporarily unavailable",
        known => known.desc(),
    }
}

/// Why a name has no address. Where an `errno` is expected, it is a code of `getaddrinfo(3)`: these are
/// negative, so they are no `errno`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameError {
    /// The name servers know no such name.
    NoName,
    /// The name exists, but has no address that can be probed.
    NoAddress,
    /// No name server answered in time.
    NoAnswer,
    /// A name server answered that it cannot or will not answer.
    Failed,
}

impl NameError {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NoName, Self::NoAddress, Self::NoAnswer, Self::Failed];

    /// The code of `getaddrinfo(3)`.
    #[must_use]
    pub const fn errno(self) -> i32 {
        match self {
            Self::NoName => libc::EAI_NONAME,
            Self::NoAddress => libc::EAI_NODATA,
            Self::NoAnswer => libc::EAI_AGAIN,
            Self::Failed => libc::EAI_FAIL,
        }
    }

    /// The error with this code.
    #[must_use]
    pub fn from_errno(errno: i32) -> Option<Self> {
        Self::ALL.into_iter().find(|error| error.errno() == errno)
    }

    /// The symbol of the code.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NoName => "EAI_NONAME",
            Self::NoAddress => "EAI_NODATA",
            Self::NoAnswer => "EAI_AGAIN",
            Self::Failed => "EAI_FAIL",
        }
    }

    const fn text(self) -> &'static str {
        match self {
            Self::NoName => "the name does not resolve: there is no such name",
            Self::NoAddress => "the name does not resolve: it has no usable address",
            Self::NoAnswer => "the name does not resolve: no name server answered",
            Self::Failed => "the name does not resolve: the name server reported a failure",
        }
    }
}

/// An I/O error described without its number: `No such file or directory` rather than
/// `No such file or directory (os error 2)`.
#[must_use]
pub fn in_words(error: io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(number) => io::Error::new(error.kind(), describe(number)),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::{NameError, errno_text, in_words};

    #[test]
    fn an_error_of_name_resolution_is_no_errno() {
        for error in NameError::ALL {
            assert!(error.errno() < 0);
            assert_eq!(NameError::from_errno(error.errno()), Some(error));
            assert!(errno_text(error.errno()).starts_with("the name does not resolve: "));
        }
        assert_eq!(NameError::from_errno(libc::ENOENT), None);
    }

    #[test]
    fn an_error_has_no_number() {
        let error = in_words(std::io::Error::from_raw_os_error(libc::ENOENT));
        assert_eq!(error.to_string(), "No such file or directory");
        assert_eq!(error.kind(), std::io::ErrorKind::NotFound);
        assert_eq!(errno_text(libc::EAGAIN), "Resource temporarily unavailable");
        assert_eq!(in_words(std::io::Error::other("as it is")).to_string(), "as it is");
    }
}
