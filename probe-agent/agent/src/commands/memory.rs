//! Memory that only the start of a run needs.

/// Has large blocks returned to the host as soon as they are free. The C library would raise its threshold for
/// that with the first such block, and keep all below it: reading the kernel's type information takes blocks of
/// up to 10 MiB.
pub(crate) fn keep_little() {
    #[cfg(target_env = "gnu")]
    for parameter in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: mallopt() may be called at any time, and sets a number.
        let _ = unsafe { libc::mallopt(parameter, 1 << 20) };
    }
}

/// Returns to the host the memory that reading the targets and the kernel's type information took: more
/// than 100,000 targets need. The allocator would keep it for the whole run.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim() may be called at any time and touches no memory in use.
    let _ = unsafe { libc::malloc_trim(0) };
}
