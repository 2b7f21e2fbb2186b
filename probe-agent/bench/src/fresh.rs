//! The usual design at its best: a fresh socket for each probe, edge-triggered epoll, 256 in flight,
//! no tracing and no verdicts.

use std::{
    net::SocketAddr,
    os::fd::{AsRawFd, FromRawFd, OwnedFd},
};

use anyhow::{Result, bail};
use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::SockAddr;

use crate::comparison::{Run, SOCKETS, on_threads};

pub(crate) fn run(target: SocketAddr, probes: u64, threads: u32) -> Result<Run> {
    let target: SockAddr = target.into();
    on_threads(probes, threads, |share| one(&target, share))
}

fn one(target: &SockAddr, probes: u64) -> Result<u64> {
    let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
    let mut events = [EpollEvent::empty(); SOCKETS as usize];
    let (mut started, mut answered, mut in_flight) = (0, 0, 0);
    while answered < probes {
        while in_flight < SOCKETS && started < probes {
            start(&epoll, target)?;
            started += 1;
            in_flight += 1;
        }
        let ready = epoll.wait(&mut events, EpollTimeout::NONE)?;
        for event in &events[..ready] {
            // SAFETY: `start` put the descriptor of a socket there that nothing else closes.
            drop(unsafe { OwnedFd::from_raw_fd(event.data() as i32) });
            if event.events().contains(EpollFlags::EPOLLERR) {
                bail!("a probe of the baseline failed");
            }
            answered += 1;
            in_flight -= 1;
        }
    }
    Ok(answered)
}

/// The fewest system calls of that design: socket, two options, epoll_ctl, connect; later close.
fn start(epoll: &Epoll, target: &SockAddr) -> Result<()> {
    // SAFETY: plain system calls on a descriptor made here; option values live through the calls.
    let socket = unsafe {
        let fd = libc::socket(
            libc::AF_INET,
            libc::SOCK_STREAM | libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC,
            0,
        );
        if fd < 0 {
            bail!("socket: {}", std::io::Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(fd);
        let linger = libc::linger { l_onoff: 1, l_linger: 0 };
        option(fd, libc::SOL_SOCKET, libc::SO_LINGER, &linger)?;
        option(fd, libc::IPPROTO_TCP, libc::TCP_QUICKACK, &0_i32)?;
        socket
    };
    let fd = socket.as_raw_fd();
    // SAFETY: the address is valid for its length.
    let result = unsafe { libc::connect(fd, target.as_ptr().cast(), target.len()) };
    if result != 0 {
        let error = std::io::Error::last_os_error();
        if error.raw_os_error() != Some(libc::EINPROGRESS) {
            bail!("connect: {error}");
        }
    }
    let flags = EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
    epoll.add(&socket, EpollEvent::new(flags, fd as u64))?;
    std::mem::forget(socket);
    Ok(())
}

/// Sets a socket option.
///
/// # Safety
/// `T` must be the type that the option takes.
unsafe fn option<T>(fd: i32, level: i32, name: i32, value: &T) -> Result<()> {
    // SAFETY: the pointer is valid for the length given; the type is the caller's promise.
    let result = unsafe {
        libc::setsockopt(
            fd,
            level,
            name,
            (&raw const *value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result != 0 {
        bail!("setsockopt: {}", std::io::Error::last_os_error());
    }
    Ok(())
}
