//! Finds tracefs, or mounts it where only this process sees it.

use std::{
    io,
    path::{Path, PathBuf},
};

use nix::{
    mount::{MsFlags, mount},
    sched::{CloneFlags, unshare},
};

use super::error::TraceError;
use model::errno::in_words;

/// Where tracefs belongs since Linux 4.1.
const PLACE: &str = "/sys/kernel/tracing";

/// The path of a mounted tracefs.
///
/// Where none is mounted, it is mounted in a mount namespace of this process's own, so that the
/// host stays as it was. Must be called by the main thread before others are started: a mount
/// namespace is a thread's, and aya reads `/proc/mounts`, which is the main thread's.
///
/// # Errors
/// [`TraceError::NoTracefs`] if it is not there and cannot be mounted.
pub fn find() -> Result<PathBuf, TraceError> {
    match mounted(&std::fs::read_to_string("/proc/self/mounts").unwrap_or_default()) {
        Some(path) => Ok(path),
        None => mount_privately().map_err(|e| TraceError::NoTracefs(in_words(e))),
    }
}

/// The first tracefs in a mount table that is not hidden by another mount. One that may not be
/// looked into counts: mounting it again would not help.
fn mounted(table: &str) -> Option<PathBuf> {
    table
        .lines()
        .filter_map(|line| {
            let mut words = line.split(' ').skip(1);
            let (place, kind) = (words.next()?, words.next()?);
            (kind == "tracefs").then(|| PathBuf::from(place))
        })
        .find(|path| path.join("events").try_exists().unwrap_or(true))
}

fn mount_privately() -> io::Result<PathBuf> {
    unshare(CloneFlags::CLONE_NEWNS)?;
    // What the host mounts later still reaches us; what we mount does not reach the host.
    mount(None::<&str>, "/", None::<&str>, MsFlags::MS_REC | MsFlags::MS_SLAVE, None::<&str>)?;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NODEV | MsFlags::MS_NOEXEC;
    mount(Some("tracefs"), PLACE, Some("tracefs"), flags, None::<&str>)?;
    Ok(Path::new(PLACE).to_owned())
}

#[cfg(test)]
mod tests {
    use super::mounted;

    #[test]
    fn only_a_tracefs_counts() {
        assert_eq!(mounted("proc /proc proc rw 0 0\n/dev/vda / ext4 rw 0 0\n"), None);
        assert_eq!(mounted("tracefs /nowhere/at/all tracefs rw 0 0\n\nshort line\n"), None);
    }
}
