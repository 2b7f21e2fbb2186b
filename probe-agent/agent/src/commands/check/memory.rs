//! Memory that only the start of a run needs.

/// Returns to the host the memory that reading the targets and the kernel's type information took: more
/// than 100,000 targets need. The allocator would keep it for the whole run.
pub(super) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: malloc_trim() may be called at any time and touches no memory in use.
    let _ = unsafe { libc::malloc_trim(0) };
}
