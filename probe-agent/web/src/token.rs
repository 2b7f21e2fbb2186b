//! The bearer token that a client must know.

use std::{
    fmt, fs, io,
    path::{Path, PathBuf},
};

use subtle::ConstantTimeEq as _;

/// The fewest bytes of a token: one that is shorter can be guessed.
const SHORTEST: usize = 16;

/// A secret that clients send as `Authorization: Bearer ...`.
#[derive(Clone)]
pub struct Token(Box<[u8]>);

/// Why a token cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// Its file cannot be read.
    #[error("cannot read the token from {}: {source}; name a file that the agent may read", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// It is too short.
    #[error("the token in {} has {length} bytes: use at least {SHORTEST}, such as those of `openssl rand -hex 32`", .path.display())]
    Short {
        /// The file.
        path: PathBuf,
        /// Its bytes, without white space at the end.
        length: usize,
    },
    /// It has bytes that no header field can have.
    #[error("the token in {} has a space or a character beyond ASCII: use letters and digits", .path.display())]
    Characters {
        /// The file.
        path: PathBuf,
    },
}

impl Token {
    /// Reads a token from a file. White space at its end does not belong to it.
    ///
    /// # Errors
    /// The file cannot be read, or its token cannot be used.
    pub fn from_file(path: &Path) -> Result<Self, TokenError> {
        let text =
            fs::read(path).map_err(|source| TokenError::File { path: path.to_owned(), source })?;
        let token = text.trim_ascii_end();
        if token.len() < SHORTEST {
            return Err(TokenError::Short { path: path.to_owned(), length: token.len() });
        }
        if !token.iter().all(u8::is_ascii_graphic) {
            return Err(TokenError::Characters { path: path.to_owned() });
        }
        Ok(Self(token.into()))
    }

    /// Whether an `Authorization` header has this token. The time that this takes does not depend on where two
    /// tokens differ.
    pub(crate) fn accepts(&self, authorization: &[u8]) -> bool {
        let Some((scheme, token)) = authorization.split_at_checked(7) else { return false };
        scheme.eq_ignore_ascii_case(b"bearer ") && bool::from(self.0.ct_eq(token.trim_ascii()))
    }
}

/// Never shows the token.
impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(..)")
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::Token;

    #[test]
    fn only_the_whole_token_is_accepted() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "0123456789abcdef\n").unwrap();
        let token = Token::from_file(file.path()).unwrap();
        assert!(token.accepts(b"Bearer 0123456789abcdef"));
        assert!(token.accepts(b"bearer  0123456789abcdef"));
        for wrong in ["", "Bearer", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdefg"]
        {
            assert!(!token.accepts(wrong.as_bytes()), "{wrong}");
        }
        assert!(!token.accepts(b"Basic 0123456789abcdef"));
        assert_eq!(format!("{token:?}"), "Token(..)");
    }

    #[test]
    fn a_token_that_protects_nothing_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for (text, message) in
            [("\n", "0 bytes"), ("short", "5 bytes"), ("has a space in it now", "space")]
        {
            fs::write(&file, text).unwrap();
            let error = Token::from_file(file.path()).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let error = Token::from_file("/nonexistent".as_ref()).unwrap_err().to_string();
        assert!(error.starts_with("cannot read the token from /nonexistent"), "{error}");
    }
}
