//! Whether this process may do what the flags ask for, found out by trying.
//!
//! Without this check, each probe would be a local error: a fault of the command line would look like one of
//! all targets.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use socket2::{Domain, Socket, Type};

use crate::config::CheckConfig;

/// What a flag needs and this process does not have. The exit code is 3.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{flag} needs {capability}: run as root, or grant it{instead}")]
pub(super) struct MissingCapability {
    /// As the user could have written it.
    flag: String,
    capability: &'static str,
    /// What to do instead.
    instead: &'static str,
}

/// Tries the flags in the network namespace of the calling thread. A failure that has another cause shows
/// when the probes start.
///
/// # Errors
/// The first flag whose capability is missing.
pub(super) fn check(config: &CheckConfig) -> Result<(), MissingCapability> {
    let source = config.source.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let domain = if source.is_ipv4() { Domain::IPV4 } else { Domain::IPV6 };
    let Ok(socket) = Socket::new(domain, Type::STREAM, None) else { return Ok(()) };
    let needs = |flag: String, capability, instead, result: io::Result<()>| match result {
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            Err(MissingCapability { flag, capability, instead })
        }
        Ok(()) | Err(_) => Ok(()),
    };
    if let Some(mark) = config.mark {
        let result = socket.set_mark(mark);
        needs(format!("--mark {mark:#x}"), "CAP_NET_ADMIN", "", result)?;
    }
    if let Some(interface) = &config.interface {
        let result = socket.bind_device(Some(interface.as_bytes()));
        needs(format!("--interface {interface}"), "CAP_NET_RAW", "", result)?;
    }
    if config.freebind {
        let result = match source {
            IpAddr::V4(_) => socket.set_ip_transparent_v4(true),
            IpAddr::V6(_) => socket.set_ip_transparent_v6(true),
        };
        needs("--freebind".to_owned(), "CAP_NET_ADMIN or CAP_NET_RAW", "", result)?;
    }
    if let Some(ports) = config.source_ports {
        // The lowest port: if this one is allowed, all are. A port that is in use was allowed.
        let address = SocketAddr::new(source, *ports.ports().start());
        let result = socket.bind(&address.into());
        let instead = ", or use ports from net.ipv4.ip_unprivileged_port_start on";
        needs(format!("--source-port {ports}"), "CAP_NET_BIND_SERVICE", instead, result)?;
    }
    Ok(())
}
