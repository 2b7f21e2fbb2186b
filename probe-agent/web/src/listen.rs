//! Where the server listens, and who may ask it.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};

use std::sync::Arc;

use crate::{
    limits::SEND_BUFFER,
    tls::{self, TlsError, TlsFiles},
    token::Token,
};

/// Connections that wait to be accepted.
const BACKLOG: i32 = 1024;

/// Who may ask.
#[derive(Clone, Debug, Default)]
pub struct Access {
    /// Clients must know this token, except for the routes that are open to all.
    pub token: Option<Token>,
    /// TLS, with or without client certificates.
    pub tls: Option<TlsFiles>,
    /// Whoever can reach the address may ask: the operator says that something else protects it.
    pub open_to_all: bool,
}

/// Why the server cannot listen.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Anyone who can reach the address could ask.
    #[error(
        "{0} is reachable from other hosts: give a token or TLS with client certificates, listen on 127.0.0.1, or \
         allow access to all explicitly"
    )]
    Unprotected(SocketAddr),
    /// Another program has the port.
    #[error("cannot listen on {0}: another program does already; stop it or choose another port")]
    InUse(SocketAddr),
    /// The address is not one of this host's.
    #[error(
        "cannot listen on {0}: this host does not have that address; choose one that it has, such as 127.0.0.1"
    )]
    NotLocal(SocketAddr),
    /// The kernel refuses it for another reason.
    #[error("cannot listen on {address}: {source}")]
    Other {
        /// The address.
        address: SocketAddr,
        /// The cause.
        source: io::Error,
    },
    /// TLS cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsError),
}

/// A socket that listens.
#[derive(Debug)]
pub struct Listener {
    pub(crate) socket: TcpListener,
    pub(crate) address: SocketAddr,
    pub(crate) token: Option<Token>,
    pub(crate) tls: Option<Arc<ServerConfig>>,
}

impl Listener {
    /// Reads the certificates and binds the address.
    ///
    /// # Errors
    /// The address is not protected, or cannot be listened on.
    pub fn bind(address: SocketAddr, access: Access) -> Result<Self, ListenError> {
        if !is_protected(address, &access) {
            return Err(ListenError::Unprotected(address));
        }
        let tls = access.tls.as_ref().map(tls::config).transpose()?;
        let socket = listen(address).map_err(|source| match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::InUse(address),
            io::ErrorKind::AddrNotAvailable => ListenError::NotLocal(address),
            _ => ListenError::Other { address, source },
        })?;
        let address =
            socket.local_addr().map_err(|source| ListenError::Other { address, source })?;
        Ok(Self { socket, address, token: access.token, tls })
    }

    /// The address, with the port that the kernel chose if it was 0.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Whether only those can ask who may.
fn is_protected(address: SocketAddr, access: &Access) -> bool {
    let asks_for_certificates = access.tls.as_ref().is_some_and(|tls| tls.clients.is_some());
    address.ip().to_canonical().is_loopback()
        || access.token.is_some()
        || asks_for_certificates
        || access.open_to_all
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // Connections of an agent that was restarted may still be in TIME_WAIT.
    socket.set_reuse_address(true)?;
    // Connections inherit it.
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

#[cfg(test)]
mod tests {
    use std::{fs, net::TcpListener};

    use super::{Access, ListenError, Listener, is_protected};
    use crate::{TlsFiles, Token};

    #[test]
    fn only_loopback_needs_no_protection() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(&file, "0123456789abcdef").unwrap();
        let token = Access { token: Token::from_file(file.path()).ok(), ..Access::default() };
        let tls = |clients: Option<&str>| Access {
            tls: Some(TlsFiles {
                certificate: "c".into(),
                key: "k".into(),
                clients: clients.map(Into::into),
            }),
            ..Access::default()
        };
        let all = Access { open_to_all: true, ..Access::default() };
        for (address, access, protected) in [
            ("127.0.0.1:1", Access::default(), true),
            ("127.1.2.3:1", Access::default(), true),
            ("[::1]:1", Access::default(), true),
            ("[::ffff:127.0.0.1]:1", Access::default(), true),
            ("0.0.0.0:1", Access::default(), false),
            ("[::]:1", Access::default(), false),
            ("10.0.0.1:1", Access::default(), false),
            ("10.0.0.1:1", token, true),
            // Encryption alone keeps nobody out.
            ("10.0.0.1:1", tls(None), false),
            ("10.0.0.1:1", tls(Some("ca")), true),
            ("10.0.0.1:1", all, true),
        ] {
            assert_eq!(is_protected(address.parse().unwrap(), &access), protected, "{address}");
        }
        let error = Listener::bind("0.0.0.0:0".parse().unwrap(), Access::default()).unwrap_err();
        assert!(matches!(error, ListenError::Unprotected(_)));
    }

    #[test]
    fn a_port_that_is_taken_is_one_clear_line() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = taken.local_addr().unwrap();
        let error = Listener::bind(address, Access::default()).unwrap_err().to_string();
        assert_eq!(
            error,
            format!(
                "cannot listen on {address}: another program does already; stop it or choose another port"
            )
        );
        let error = Listener::bind(
            "192.0.2.1:1".parse().unwrap(),
            Access { open_to_all: true, ..Access::default() },
        );
        assert!(error.unwrap_err().to_string().contains("does not have that address"));
    }

    #[test]
    fn a_certificate_that_cannot_be_read_is_named() {
        let files = TlsFiles {
            certificate: "/none/c.pem".into(),
            key: "/none/k.pem".into(),
            clients: None,
        };
        let access = Access { tls: Some(files), ..Access::default() };
        let error = Listener::bind("127.0.0.1:0".parse().unwrap(), access).unwrap_err().to_string();
        assert!(
            error.starts_with("cannot read the server's private key from /none/k.pem"),
            "{error}"
        );
    }
}
