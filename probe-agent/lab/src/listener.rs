//! A TCP server that records what it accepts.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use socket2::{Domain, Protocol, Socket, Type};

use super::accepted::Accepted;
use super::connections::connect_many;
use super::{LabError, Namespace, Result};

/// How long [`Listener::fill_accept_queue`] waits for connections that are already made.
const FILL_LIMIT: Duration = Duration::from_secs(10);

/// How a [`Listener`] listens.
#[derive(Clone, Copy, Debug)]
pub struct ListenerOptions {
    /// Address and port; port 0 takes a free one.
    pub address: SocketAddr,
    /// Length of the accept queue as given to listen(2); the kernel queues one more than this.
    pub backlog: u16,
    /// Whether connections are accepted, or stay in the queue.
    pub accepts: bool,
}

impl ListenerOptions {
    /// Accepts everything at an address, with a queue of 1,024.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        Self { address, backlog: 1024, accepts: true }
    }

    /// Changes the length of the accept queue.
    #[must_use]
    pub const fn backlog(self, backlog: u16) -> Self {
        Self { backlog, ..self }
    }

    /// Never accepts: the queue fills.
    #[must_use]
    pub const fn never_accepts(self) -> Self {
        Self { accepts: false, ..self }
    }
}

/// A listening socket, with a thread that accepts connections and closes them at once.
/// Dropping it ends the thread and closes the socket.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    backlog: u16,
    shared: Arc<Accepted>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Listener {
    /// Starts to listen in a namespace.
    ///
    /// # Errors
    /// [`LabError::Socket`] if the address is in use or not available.
    pub fn open(namespace: &Namespace, options: &ListenerOptions) -> Result<Self> {
        let error =
            |source| LabError::Socket { operation: "listen on", address: options.address, source };
        let listener = namespace.run(|| listen(options))?.map_err(error)?;
        let address = listener.local_addr().map_err(error)?;
        let shared = Arc::new(Accepted::new(listener).map_err(error)?);
        let thread = if options.accepts {
            let shared = Arc::clone(&shared);
            let name = format!("accept {}", address.port());
            let thread = thread::Builder::new().name(name).spawn(move || shared.serve());
            Some(thread.map_err(error)?)
        } else {
            None
        };
        Ok(Self { address, backlog: options.backlog, shared, thread })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// How many connections were accepted. This call accepts what is in the accept queue, so the number
    /// does not lag behind the kernel. Always 0 if it never accepts.
    ///
    /// # Errors
    /// [`LabError::Socket`] if accept(2) fails, because 0 would prove nothing then.
    pub fn accepted(&self) -> Result<usize> {
        self.peers().map(|peers| peers.len())
    }

    /// The remote addresses of the accepted connections, in order.
    ///
    /// # Errors
    /// As for [`Listener::accepted`].
    pub fn peers(&self) -> Result<Vec<SocketAddr>> {
        if self.thread.is_none() {
            return Ok(Vec::new());
        }
        self.shared.drain().map(|peers| peers.clone()).map_err(|source| LabError::Socket {
            operation: "accept at",
            address: self.address,
            source,
        })
    }

    /// Waits until `n` connections were accepted, for `limit` at most. Returns whether they were.
    #[must_use]
    pub fn wait_accepted(&self, n: usize, limit: Duration) -> bool {
        self.shared.wait(n, limit)
    }

    /// How many complete connections are in the accept queue (`sk_ack_backlog`).
    ///
    /// # Errors
    /// [`LabError::Socket`] if `TCP_INFO` cannot be read.
    pub fn queued(&self) -> Result<usize> {
        queue_length(&self.shared.listener).map_err(|source| self.error(source))
    }

    /// Makes as many connections as the accept queue holds and returns them once they are in it.
    /// The next SYN is dropped (`TcpExtListenOverflows`). For a listener that never accepts.
    ///
    /// # Errors
    /// [`LabError::Socket`] if a connection fails, or they do not arrive in the queue in 10 s.
    pub fn fill_accept_queue(&self, client: &Namespace) -> Result<Vec<TcpStream>> {
        let room = usize::from(self.backlog) + 1;
        let connections = connect_many(client, self.address, room)?;
        // The client is connected before the server: the third segment is still on its way.
        self.wait_queued(room, FILL_LIMIT).map_err(|source| self.error(source))?;
        Ok(connections)
    }

    fn wait_queued(&self, n: usize, limit: Duration) -> io::Result<()> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        // Edge-triggered: each connection that enters the queue is an event of its own.
        let arrival = EpollEvent::new(EpollFlags::EPOLLIN | EpollFlags::EPOLLET, 0);
        epoll.add(&self.shared.listener, arrival)?;
        let end = Instant::now() + limit;
        while queue_length(&self.shared.listener)? < n {
            let left = end.saturating_duration_since(Instant::now());
            let left = EpollTimeout::try_from(left).unwrap_or(EpollTimeout::MAX);
            if epoll.wait(&mut [EpollEvent::empty()], left)? == 0 {
                return Err(io::Error::from(io::ErrorKind::TimedOut));
            }
        }
        Ok(())
    }

    const fn error(&self, source: io::Error) -> LabError {
        let operation = "read the accept queue of";
        LabError::Socket { operation, address: self.address, source }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(thread) = self.thread.take() {
            // accepted() has reported what the thread could not accept.
            let _ = thread.join();
        }
    }
}

fn listen(options: &ListenerOptions) -> io::Result<TcpListener> {
    let domain = Domain::for_address(options.address);
    let socket = Socket::new(domain, Type::STREAM, Some(Protocol::TCP))?;
    // A port that this lab used a moment ago may have connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&options.address.into())?;
    socket.listen(i32::from(options.backlog))?;
    Ok(socket.into())
}

/// For a listening socket the kernel reports `sk_ack_backlog` as `tcpi_unacked` (tcp_get_info).
fn queue_length(listener: &TcpListener) -> io::Result<usize> {
    // SAFETY: tcp_info consists of integers, for which all bits zero is a valid value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of_val(&info)).unwrap_or_default();
    // SAFETY: the descriptor is open while `listener` is borrowed; `info` and `length` are writable
    // for the call, and the kernel writes at most `length` bytes, the size of `info`.
    let status = unsafe {
        libc::getsockopt(
            listener.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            (&raw mut info).cast(),
            &raw mut length,
        )
    };
    if status < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(usize::try_from(info.tcpi_unacked).unwrap_or(usize::MAX))
}
