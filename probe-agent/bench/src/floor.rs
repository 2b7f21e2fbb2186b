//! The floor: nothing but `connect()` and `connect(AF_UNSPEC)` on sockets that are bound once.

use std::{net::SocketAddr, os::fd::AsRawFd, time::Duration};

use anyhow::{Result, ensure};
use socket2::{Domain, SockAddr, Socket, Type};

use crate::comparison::{Run, SOCKETS, on_threads};

pub(crate) fn run(target: SocketAddr, probes: u64, threads: u32) -> Result<Run> {
    let target: SockAddr = target.into();
    on_threads(probes, threads, |share| one(&target, share))
}

fn one(target: &SockAddr, probes: u64) -> Result<u64> {
    let sockets: Vec<Socket> = (0..SOCKETS).map(|_| socket()).collect::<Result<_>>()?;
    let mut answered = 0;
    for n in 0..probes {
        let socket = &sockets[n as usize % sockets.len()];
        // On loopback the handshake has ended when the call returns, although it returns EINPROGRESS.
        if let Err(error) = socket.connect(target) {
            ensure!(error.raw_os_error() == Some(libc::EINPROGRESS), "connect: {error}");
        }
        disconnect(socket)?;
        answered += 1;
    }
    Ok(answered)
}

fn socket() -> Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
    socket.set_linger(Some(Duration::ZERO))?;
    let seconds: libc::c_int = 1;
    // SAFETY: the option's value is an int, and its length is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_DEFER_ACCEPT,
            (&raw const seconds).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    ensure!(result == 0, "TCP_DEFER_ACCEPT was refused");
    // An explicit port is kept through connect(AF_UNSPEC): ask for a free one, then bind it.
    let any: SocketAddr = ([127, 0, 0, 1], 0).into();
    let finder = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    finder.bind(&any.into())?;
    let free = finder.local_addr()?;
    drop(finder);
    socket.bind(&free)?;
    Ok(socket)
}

fn disconnect(socket: &Socket) -> Result<()> {
    let unspecified =
        libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    // SAFETY: the address is valid for the length given.
    let result = unsafe {
        libc::connect(
            socket.as_raw_fd(),
            &raw const unspecified,
            size_of::<libc::sockaddr>() as libc::socklen_t,
        )
    };
    ensure!(result == 0, "connect(AF_UNSPEC) was refused");
    Ok(())
}
