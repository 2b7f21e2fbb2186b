//! Paths and URLs.

use std::{fmt, path::Path, str::FromStr};

use crate::echo::without_secrets;

/// The path of a file, from the root: a service has no working directory of its own.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FilePath(String);

/// The text is not such a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an absolute path: it begins with '/'")]
pub struct FilePathError;

impl FilePath {
    /// The path.
    #[must_use]
    pub fn get(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl FromStr for FilePath {
    type Err = FilePathError;

    fn from_str(text: &str) -> Result<Self, FilePathError> {
        if text.starts_with('/') && !text.contains(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(FilePathError)
        }
    }
}

impl fmt::Display for FilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The path of a file with a list of targets, from the root. Its last part may have one `*`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PathPattern(FilePath);

/// The text is not such a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write an absolute path of .json, .yaml or .yml files; its last part may have one '*'")]
pub struct PathPatternError;

impl PathPattern {
    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.0.get().parent().unwrap_or(Path::new("/"))
    }

    /// Whether a file of the directory is meant.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let pattern = self.0.0.rsplit_once('/').map_or("", |(_, last)| last);
        match pattern.split_once('*') {
            None => name == pattern,
            Some((start, end)) => {
                let rest = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(end));
                // As a shell: a file that begins with a dot is meant only where the dot is written. A ConfigMap
                // keeps its versions in such directories.
                rest.is_some() && (!name.starts_with('.') || start.starts_with('.'))
            }
        }
    }
}

impl FromStr for PathPattern {
    type Err = PathPatternError;

    fn from_str(text: &str) -> Result<Self, PathPatternError> {
        let path: FilePath = text.parse().map_err(|_| PathPatternError)?;
        let (directory, last) = text.rsplit_once('/').ok_or(PathPatternError)?;
        let has_end = [".json", ".yaml", ".yml"].iter().any(|end| last.ends_with(end));
        if has_end && !directory.contains('*') && last.matches('*').count() <= 1 {
            Ok(Self(path))
        } else {
            Err(PathPatternError)
        }
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// An `http://` or `https://` URL without a secret in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct HttpUrl(String);

/// Why a text is not such a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpUrlError {
    /// No scheme, or another one, or no host.
    #[error("write a URL, e.g. http://localhost:4318")]
    NoUrl,
    /// It has a name and a password.
    #[error("credentials do not belong into a URL, which is logged; use a file of headers")]
    Credentials,
}

impl HttpUrl {
    /// The whole URL. It is not for messages: its query may hold a token.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for HttpUrl {
    type Err = HttpUrlError;

    fn from_str(text: &str) -> Result<Self, HttpUrlError> {
        let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
        let authority =
            rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
        if authority.contains('@') {
            return Err(HttpUrlError::Credentials);
        }
        let is_plain = text.chars().all(|c| c.is_ascii_graphic());
        if authority.is_empty() || authority.starts_with(':') || !is_plain {
            return Err(HttpUrlError::NoUrl);
        }
        Ok(Self(text.to_owned()))
    }
}

/// Without its query, which may hold a token.
impl fmt::Display for HttpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&without_secrets(&self.0))
    }
}
