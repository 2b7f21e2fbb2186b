//! ICMP errors, as the kernel queues them for a socket (`IP_RECVERR`, `IPV6_RECVERR`).

use std::net::IpAddr;

/// An ICMP error that answered a SYN.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct IcmpError {
    /// Who sent it; `None` if the kernel does not say.
    pub from: Option<IpAddr>,
    /// Whether it is ICMPv6.
    pub is_v6: bool,
    /// Its type.
    pub kind: u8,
    /// Its code.
    pub code: u8,
}

impl IcmpError {
    /// What it means, e.g. `host unreachable` (RFC 792, RFC 1812, RFC 4443).
    #[must_use]
    pub const fn meaning(self) -> &'static str {
        match (self.is_v6, self.kind, self.code) {
            (false, 3, 0) => "network unreachable",
            (false, 3, 1) => "host unreachable",
            (false, 3, 2) => "protocol unreachable",
            (false, 3, 3) => "port unreachable",
            (false, 3, 4) => "fragmentation needed",
            (false, 3, 5) => "source route failed",
            (false, 3, 6) => "network unknown",
            (false, 3, 7) => "host unknown",
            (false, 3, 9 | 10 | 13) => "administratively prohibited",
            (false, 3, 11 | 12) => "unreachable for this type of service",
            (false, 11, 0) => "time to live exceeded in transit",
            (true, 1, 0) => "no route to destination",
            (true, 1, 1) => "administratively prohibited",
            (true, 1, 2) => "beyond the scope of the source address",
            (true, 1, 3) => "address unreachable",
            (true, 1, 4) => "port unreachable",
            (true, 1, 5) => "source address failed a policy",
            (true, 1, 6) => "route rejected",
            (true, 2, _) => "packet too big",
            (true, 3, 0) => "hop limit exceeded in transit",
            (false, 12, _) | (true, 4, _) => "parameter problem",
            _ => "an error",
        }
    }

    /// Whether the packet ran around until its time to live was used up.
    #[must_use]
    pub const fn is_loop(self) -> bool {
        matches!((self.is_v6, self.kind), (false, 11) | (true, 3))
    }

    /// Whether a policy, that is a firewall, refused the packet.
    #[must_use]
    pub const fn is_prohibited(self) -> bool {
        matches!((self.is_v6, self.kind, self.code), (false, 3, 9 | 10 | 13) | (true, 1, 1 | 5 | 6))
    }

    /// Whether a host that was reached refuses the port or the protocol: a firewall on it, for TCP.
    #[must_use]
    pub const fn is_port(self) -> bool {
        matches!((self.is_v6, self.kind, self.code), (false, 3, 2 | 3) | (true, 1, 4))
    }

    /// Its name on the wire.
    #[must_use]
    pub const fn protocol(self) -> &'static str {
        if self.is_v6 { "ICMPv6" } else { "ICMP" }
    }
}

#[cfg(test)]
mod tests {
    use super::IcmpError;

    fn error(is_v6: bool, kind: u8, code: u8) -> IcmpError {
        IcmpError { from: None, is_v6, kind, code }
    }

    #[test]
    fn the_same_numbers_mean_something_else_in_each_version() {
        assert_eq!(error(false, 3, 1).meaning(), "host unreachable");
        assert_eq!(error(true, 3, 0).meaning(), "hop limit exceeded in transit");
        assert!(error(false, 3, 3).is_port() && error(true, 1, 4).is_port());
        assert!(error(false, 3, 13).is_prohibited() && error(true, 1, 1).is_prohibited());
        assert!(error(false, 11, 0).is_loop() && error(true, 3, 0).is_loop());
        assert!(!error(false, 3, 0).is_loop() && !error(true, 1, 3).is_port());
    }
}
