//! Whether the process was started with a stdout.
//!
//! The standard library opens `/dev/null` in place of a standard stream that is closed, so that no other file
//! gets its descriptor. Results would be lost without an error.

use std::{
    io,
    sync::atomic::{AtomicBool, Ordering},
};

static WAS_CLOSED: AtomicBool = AtomicBool::new(false);

/// Called by the C library before `main`, and so before the standard library looks at the streams.
#[used]
#[unsafe(link_section = ".init_array")]
static LOOK: extern "C" fn() = look;

extern "C" fn look() {
    // SAFETY: the call takes no pointer, and changes nothing.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    WAS_CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Whether anything can be written to stdout.
///
/// # Errors
/// It was closed when the process was started.
pub(crate) fn check() -> io::Result<()> {
    if WAS_CLOSED.load(Ordering::Relaxed) {
        return Err(io::Error::other("cannot write the results: stdout is closed"));
    }
    Ok(())
}
