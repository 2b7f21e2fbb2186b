//! A file of the export must not be a stream of this program: spans and the report would be mixed, or would
//! overwrite each other.

use std::{fs, io::IsTerminal, os::fd::AsFd, os::unix::fs::MetadataExt, path::Path};

use nix::sys::stat::{FileStat, fstat};

use super::ConfigError;

/// The device of `/dev/null`, which may receive everything.
const NULL: u64 = libc::makedev(1, 3);
/// The device of `/dev/tty`, the terminal of whoever opens it.
const TTY: u64 = libc::makedev(5, 0);

/// Whether the spans go to stdout or stderr.
///
/// # Errors
/// They do.
pub(super) fn check(otlp_file: &Path) -> Result<(), ConfigError> {
    let Ok(file) = fs::metadata(otlp_file) else {
        // It will be made, or cannot be opened: both are another matter.
        return Ok(());
    };
    let error = |stream, holds| ConfigError::OwnStream { path: otlp_file.into(), stream, holds };
    if is_same(&file, std::io::stdout()) {
        return Err(error("stdout", "report"));
    }
    if is_same(&file, std::io::stderr()) {
        return Err(error("stderr", "messages"));
    }
    Ok(())
}

fn is_same(file: &fs::Metadata, stream: impl AsFd + IsTerminal) -> bool {
    let Ok(open) = fstat(stream.as_fd()) else { return false };
    if open.st_rdev == NULL && is_device(&open) {
        return false;
    }
    (file.dev(), file.ino()) == (open.st_dev, open.st_ino)
        || (file.rdev() == TTY && stream.is_terminal())
}

fn is_device(stat: &FileStat) -> bool {
    stat.st_mode & libc::S_IFMT == libc::S_IFCHR
}
