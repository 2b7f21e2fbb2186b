//! Reads files: the only module of this crate that does I/O.

use std::{
    fs,
    io::{self, Read},
    path::{Path, PathBuf},
};

use model::errno::in_words;

use crate::{
    discovery::{self, Offered},
    problem::Problem,
    tree::Format,
    values::PathPattern,
};

/// The longest file, in bytes. A device or a pipe may never end.
const LONGEST: u64 = 64 << 20;

/// More files of one entry are an accident.
const MOST_FILES: usize = 10_000;

/// Why a file cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{}: cannot read it: {source}", shown(path))]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// The name of a file in messages.
#[must_use]
pub fn shown(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Reads a whole file; `-` is stdin.
///
/// # Errors
/// It cannot be read, or is longer than 64 MiB.
pub fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let bytes = if path == Path::new("-") {
        read_bounded(io::stdin())
    } else {
        fs::File::open(path).and_then(read_bounded)
    };
    bytes.map_err(|error| ReadError { path: path.to_owned(), source: in_words(error) })
}

fn read_bounded(file: impl Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LONGEST {
        return Err(io::Error::other("it is longer than 64 MiB"));
    }
    Ok(bytes)
}

/// Reads all files of an entry of `file_sd`.
#[must_use]
pub fn read_lists<'a>(patterns: impl IntoIterator<Item = &'a PathPattern>) -> Offered {
    let mut offered = Offered::new();
    for pattern in patterns {
        let directory = pattern.directory();
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) => {
                let name = pattern.to_string();
                let problem = unreadable(&name, &in_words(error));
                offered.insert(name, Err(problem));
                continue;
            }
        };
        let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        for name in names.filter(|name| pattern.matches(name)).take(MOST_FILES) {
            let path = directory.join(name);
            let name = shown(&path);
            let list = match read(&path) {
                Ok(bytes) => discovery::parse(&name, Format::of(&name), &bytes),
                Err(error) => Err(unreadable(&name, &error.source)),
            };
            offered.insert(name, list);
        }
    }
    offered
}

fn unreadable(name: &str, error: &io::Error) -> Problem {
    Problem {
        source: name.into(),
        position: None,
        key: String::new(),
        text: format!("cannot read it: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::{read, read_lists};
    use crate::values::PathPattern;

    #[test]
    fn the_files_of_a_pattern_are_read() {
        let directory = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
        write("a.json", r#"[{"targets": ["a:1"]}]"#);
        write("b.yml", "- targets: [b:2]\n");
        write("c.json", "[");
        write("d.txt", "x");
        let pattern = |name: &str| -> PathPattern {
            format!("{}/{name}", directory.path().display()).parse().unwrap()
        };
        let offered = read_lists([&pattern("*.json"), &pattern("b.yml"), &pattern("gone.yml")]);
        let seen: Vec<(&str, Option<usize>)> = offered
            .iter()
            .map(|(name, list)| {
                (name.rsplit('/').next().unwrap(), list.as_ref().ok().map(|l| l.targets.len()))
            })
            .collect();
        assert_eq!(seen, [("a.json", Some(1)), ("b.yml", Some(1)), ("c.json", None)]);
        let nowhere: PathPattern = "/nowhere/*.json".parse().unwrap();
        let offered = read_lists([&nowhere]);
        let problem = offered["/nowhere/*.json"].as_ref().unwrap_err();
        assert_eq!(
            problem.to_string(),
            "/nowhere/*.json: cannot read it: No such file or directory"
        );
    }

    #[test]
    fn what_never_ends_is_refused() {
        let error = read(Path::new("/dev/zero")).unwrap_err();
        assert_eq!(error.to_string(), "/dev/zero: cannot read it: it is longer than 64 MiB");
        assert!(read(Path::new("/")).is_err());
    }
}
