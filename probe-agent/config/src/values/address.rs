//! Addresses of this host: where to listen, and where probes come from.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    str::FromStr,
};

/// The source address of probes: that of a single host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceAddress(IpAddr);

/// The text is not such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write the IP address of a single host, or omit it to let the routing table choose")]
pub struct SourceAddressError;

impl SourceAddress {
    /// The address.
    #[must_use]
    pub const fn get(self) -> IpAddr {
        self.0
    }
}

impl FromStr for SourceAddress {
    type Err = SourceAddressError;

    fn from_str(text: &str) -> Result<Self, SourceAddressError> {
        let ip: IpAddr = text.parse().map_err(|_| SourceAddressError)?;
        let wire = ip.to_canonical();
        let is_broadcast = wire == IpAddr::V4(Ipv4Addr::BROADCAST);
        if wire.is_unspecified() || wire.is_multicast() || is_broadcast {
            return Err(SourceAddressError);
        }
        Ok(Self(ip))
    }
}

impl fmt::Display for SourceAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Where to accept connections.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ListenAddress(SocketAddr);

/// The text is not such an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("write IP:PORT, e.g. 127.0.0.1:9655 or [::1]:9655")]
pub struct ListenAddressError;

impl ListenAddress {
    /// On the loopback interface.
    #[must_use]
    pub const fn loopback(port: u16) -> Self {
        Self(SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), port))
    }

    /// The address.
    #[must_use]
    pub const fn get(self) -> SocketAddr {
        self.0
    }

    /// Whether only this host reaches it.
    #[must_use]
    pub const fn is_loopback(self) -> bool {
        self.0.ip().is_loopback()
    }
}

impl FromStr for ListenAddress {
    type Err = ListenAddressError;

    fn from_str(text: &str) -> Result<Self, ListenAddressError> {
        let address: SocketAddr = text.parse().map_err(|_| ListenAddressError)?;
        if address.port() == 0 { Err(ListenAddressError) } else { Ok(Self(address)) }
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
