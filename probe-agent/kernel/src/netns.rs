//! The network namespace that probes leave from.

use std::{fs::File, io, os::fd::AsRawFd, path::Path};

use nix::sched::{CloneFlags, setns};
use socket2::{Domain, Socket, Type};

/// `SO_NETNS_COOKIE` (`include/uapi/asm-generic/socket.h`), since 5.14.
const SO_NETNS_COOKIE: libc::c_int = 71;

/// Moves the calling thread, and the threads that it starts from then on, into a network namespace.
///
/// # Errors
/// If the file cannot be opened, is no network namespace, or the agent lacks `CAP_SYS_ADMIN`.
pub fn enter(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    setns(file, CloneFlags::CLONE_NEWNET)?;
    Ok(())
}

/// The cookie of the calling thread's network namespace; 0 if the kernel has none.
#[must_use]
pub fn cookie() -> u64 {
    let Ok(socket) = Socket::new(Domain::IPV4, Type::DGRAM, None)
        .or_else(|_| Socket::new(Domain::IPV6, Type::DGRAM, None))
    else {
        return 0;
    };
    let mut cookie = 0_u64;
    let mut length = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the buffer is as long as `length` says.
    let result = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut length,
        )
    };
    if result == 0 { cookie } else { 0 }
}
