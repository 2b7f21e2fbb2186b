//! The network namespace of `--netns`: opened and checked before anything is started.

use std::{
    fs::{File, OpenOptions},
    io,
    os::{fd::AsRawFd, unix::fs::OpenOptionsExt},
    path::{Path, PathBuf},
    sync::Arc,
};

use nix::sys::statfs::{NSFS_MAGIC, fstatfs};

use model::errno::in_words;

use super::error::ConfigError;

/// An open network namespace. It stays the same when its path is unmounted.
#[derive(Clone, Debug)]
pub(crate) struct NetworkNamespace {
    path: PathBuf,
    file: Arc<File>,
}

impl NetworkNamespace {
    /// Opens the namespace at `path`.
    ///
    /// # Errors
    /// The path cannot be opened, or is no network namespace.
    pub(crate) fn open(path: &Path) -> Result<Self, ConfigError> {
        let failed = |source| ConfigError::NetnsOpen { path: path.to_owned(), source };
        let wrong = |found| ConfigError::NetnsKind { path: path.to_owned(), found };
        // O_NONBLOCK: do not wait for the writer of a named pipe.
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY)
            .open(path)
            .map_err(|error| failed(in_words(error)))?;
        let filesystem = fstatfs(&file).map_err(|errno| failed(in_words(errno.into())))?;
        if filesystem.filesystem_type() != NSFS_MAGIC {
            let directory = file.metadata().is_ok_and(|metadata| metadata.is_dir());
            return Err(wrong(if directory { "a directory" } else { "another kind of file" }));
        }
        // SAFETY: NS_GET_NSTYPE takes no argument and returns the CLONE_* flag of the namespace. The
        // descriptor is open as long as `file` is.
        let kind = unsafe { libc::ioctl(file.as_raw_fd(), libc::NS_GET_NSTYPE) };
        match kind {
            libc::CLONE_NEWNET => Ok(Self { path: path.to_owned(), file: Arc::new(file) }),
            -1 => Err(failed(in_words(io::Error::last_os_error()))),
            _ => Err(wrong("another kind of namespace")),
        }
    }

    /// As the user wrote it.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The open namespace.
    pub(crate) fn file(&self) -> Arc<File> {
        Arc::clone(&self.file)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::NetworkNamespace;

    #[test]
    fn only_a_network_namespace_is_one() {
        let remedy = "; give e.g. /run/netns/NAME or /proc/PID/ns/net";
        for (path, problem) in [
            ("/proc/self/ns/net", None),
            ("/proc/self/ns/mnt", Some("another kind of namespace, not a network namespace")),
            ("/proc/self/status", Some("another kind of file, not a network namespace")),
            ("/proc", Some("a directory, not a network namespace")),
            ("/proc/self/ns/nothing", Some("No such file or directory")),
        ] {
            let opened = NetworkNamespace::open(Path::new(path));
            let line = opened.as_ref().err().map(ToString::to_string);
            let expected = problem.map(|problem| format!("--netns {path}: {problem}{remedy}"));
            assert_eq!(line, expected);
        }
    }
}
