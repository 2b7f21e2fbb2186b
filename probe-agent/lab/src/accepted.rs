//! The accepting half of a listener.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// What the accept thread and the owner of the listener share.
#[derive(Debug)]
pub(super) struct Accepted {
    /// Non-blocking.
    pub(super) listener: TcpListener,
    peers: Mutex<Vec<SocketAddr>>,
    grown: Condvar,
    stop: EventFd,
}

impl Accepted {
    pub(super) fn new(listener: TcpListener) -> io::Result<Self> {
        let stop = EventFd::from_value_and_flags(0, EfdFlags::EFD_CLOEXEC)?;
        Ok(Self { listener, peers: Mutex::default(), grown: Condvar::new(), stop })
    }

    /// Accepts what is queued now, closes it at once, and returns all peers so far.
    pub(super) fn drain(&self) -> io::Result<MutexGuard<'_, Vec<SocketAddr>>> {
        let mut peers = self.lock();
        loop {
            match self.listener.accept() {
                Ok((_, peer)) => peers.push(peer),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock => break,
                    // The peer reset a connection that it had completed: it does not count.
                    ErrorKind::ConnectionAborted | ErrorKind::Interrupted => {}
                    _ => return Err(error),
                },
            }
        }
        self.grown.notify_all();
        Ok(peers)
    }

    /// Waits until there are `n` peers, for `limit` at most. Returns whether there are.
    pub(super) fn wait(&self, n: usize, limit: Duration) -> bool {
        let few = |peers: &mut Vec<SocketAddr>| peers.len() < n;
        let waited = self.grown.wait_timeout_while(self.lock(), limit, few);
        waited.unwrap_or_else(PoisonError::into_inner).0.len() >= n
    }

    /// Body of the accept thread: drains at each arrival, until [`Accepted::stop`].
    pub(super) fn serve(&self) -> io::Result<()> {
        const ARRIVAL: u64 = 0;
        const STOP: u64 = 1;
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        // Edge-triggered: a connection that cannot be accepted (no descriptor left) must not cause a busy
        // loop. The owner gets the same error when it asks for the count.
        let arrival = EpollFlags::EPOLLIN | EpollFlags::EPOLLET;
        epoll.add(&self.listener, EpollEvent::new(arrival, ARRIVAL))?;
        epoll.add(&self.stop, EpollEvent::new(EpollFlags::EPOLLIN, STOP))?;
        let mut events = [EpollEvent::empty(); 2];
        loop {
            let ready = match epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(ready) => ready,
                Err(nix::errno::Errno::EINTR) => continue,
                Err(errno) => return Err(errno.into()),
            };
            if events.iter().take(ready).any(|event| event.data() == STOP) {
                return Ok(());
            }
            drop(self.drain());
        }
    }

    /// Ends the accept thread.
    pub(super) fn stop(&self) {
        // It fails only if the counter is about to overflow, which one write cannot do.
        let _ = self.stop.write(1);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<SocketAddr>> {
        // The list is valid after each push, whatever thread panicked.
        self.peers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
