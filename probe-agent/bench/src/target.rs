//! What is probed: a real listener on loopback. Its connections are never accepted.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::Result;
use socket2::{Domain, Socket, Type};

/// A listening socket.
pub(crate) struct Target {
    socket: Socket,
}

impl Target {
    /// Listens on a free port of 127.0.0.1.
    pub(crate) fn listen() -> Result<Self> {
        Self::listen_at(Ipv4Addr::LOCALHOST)
    }

    /// Listens on a free port of every address.
    pub(crate) fn listen_everywhere() -> Result<Self> {
        Self::listen_at(Ipv4Addr::UNSPECIFIED)
    }

    fn listen_at(ip: Ipv4Addr) -> Result<Self> {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
        socket.bind(&SocketAddr::from((ip, 0)).into())?;
        socket.listen(4096)?;
        Ok(Self { socket })
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.socket.local_addr().ok().and_then(|a| a.as_socket()).expect("a bound socket has one")
    }
}
