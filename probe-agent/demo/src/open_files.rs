//! The limit of open files: many labs run at a time, and each takes some forty descriptors.

use std::mem;

/// Raises this process's limit to the highest that it may have. Where that fails the limit stays, and a lab
/// that cannot be made reports it.
pub(super) fn raise() {
    // SAFETY: an all-zero `rlimit` is a value.
    let mut limit: libc::rlimit = unsafe { mem::zeroed() };
    // SAFETY: the limit lives through the call.
    if unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &raw mut limit) } == 0 {
        limit.rlim_cur = limit.rlim_max;
        // SAFETY: the limit lives through the call.
        unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &raw const limit) };
    }
}
