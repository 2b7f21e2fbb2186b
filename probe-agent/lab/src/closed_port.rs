//! A port where nothing listens, and nothing else can.

use std::io;
use std::net::{IpAddr, SocketAddr};

use socket2::{Domain, Protocol, Socket, Type};

use super::{LabError, Namespace, Result};

/// A reserved port. It is bound, so no other socket gets it, but not listening, so each SYN is answered
/// with a RST.
#[derive(Debug)]
pub struct ClosedPort {
    address: SocketAddr,
    _reservation: Socket,
}

impl ClosedPort {
    /// Reserves a free port of an address in a namespace.
    ///
    /// # Errors
    /// [`LabError::Socket`] if there is none.
    pub fn reserve(namespace: &Namespace, address: IpAddr) -> Result<Self> {
        let wanted = SocketAddr::new(address, 0);
        let reserve = || -> io::Result<Self> {
            let socket =
                Socket::new(Domain::for_address(wanted), Type::STREAM, Some(Protocol::TCP))?;
            socket.bind(&wanted.into())?;
            let bound = socket.local_addr()?.as_socket();
            let address = bound.ok_or(io::ErrorKind::AddrNotAvailable)?;
            Ok(Self { address, _reservation: socket })
        };
        namespace.run(reserve)?.map_err(|source| LabError::Socket {
            operation: "reserve a port of",
            address: wanted,
            source,
        })
    }

    /// The address and port.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}
