//! Which address families a run looks for.

use std::net::IpAddr;

/// The address families that the flags leave.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Families {
    /// IPv4 and IPv6.
    #[default]
    Both,
    /// Only IPv4.
    V4,
    /// Only IPv6.
    V6,
}

impl Families {
    /// The family of an address, as on the wire.
    pub(crate) fn of(ip: IpAddr) -> Self {
        if ip.to_canonical().is_ipv4() { Self::V4 } else { Self::V6 }
    }

    /// Whether an address belongs to them.
    pub(crate) fn contain(self, ip: IpAddr) -> bool {
        self == Self::Both || self == Self::of(ip)
    }

    /// E.g. `IPv4 `, to be written before `address`; nothing for both.
    pub(crate) const fn adjective(self) -> &'static str {
        match self {
            Self::Both => "",
            Self::V4 => "IPv4 ",
            Self::V6 => "IPv6 ",
        }
    }
}
