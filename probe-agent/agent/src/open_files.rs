//! The limit of open files.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// The limit of open files, after raising it.
pub(crate) fn open_files() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    // If the host refuses, the limit stays as it was.
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}
