//! Memory that only the start of a run needs.

/// Gives back to the host what reading the targets and the kernel's type information took: the
/// allocator would keep it for the whole run, more than 100,000 targets need.
pub(super) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it may be called at any time, and touches nothing that is in use.
    let _ = unsafe { libc::malloc_trim(0) };
}
