//! Addresses from and for the kernel's [`FlowKey`].

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

pub use probe_agent_common::FlowKey;

/// An address in the 16 bytes of a [`FlowKey`]; IPv4 is stored as IPv4-mapped IPv6.
#[must_use]
pub fn address_bytes(address: IpAddr) -> [u8; 16] {
    match address {
        IpAddr::V4(v4) => probe_agent_common::v4_mapped(v4.octets()),
        IpAddr::V6(v6) => v6.octets(),
    }
}

/// The address in 16 bytes of a [`FlowKey`]; an IPv4-mapped address becomes IPv4.
#[must_use]
pub fn address(bytes: [u8; 16]) -> IpAddr {
    Ipv6Addr::from(bytes).to_canonical()
}

/// The flow between two socket addresses.
#[must_use]
pub fn flow(local: SocketAddr, remote: SocketAddr) -> FlowKey {
    FlowKey {
        local: address_bytes(local.ip()),
        remote: address_bytes(remote.ip()),
        local_port: local.port(),
        remote_port: remote.port(),
    }
}

/// The agent's end of a flow.
#[must_use]
pub fn local(flow: &FlowKey) -> SocketAddr {
    SocketAddr::new(address(flow.local), flow.local_port)
}

/// The target's end of a flow.
#[must_use]
pub fn remote(flow: &FlowKey) -> SocketAddr {
    SocketAddr::new(address(flow.remote), flow.remote_port)
}

#[cfg(test)]
mod tests {
    use super::{flow, local, remote};

    #[test]
    fn an_ipv4_mapped_flow_is_the_ipv4_flow() {
        let v4 = flow("10.0.0.1:40001".parse().unwrap(), "10.0.0.2:80".parse().unwrap());
        let mapped = flow(
            "[::ffff:10.0.0.1]:40001".parse().unwrap(),
            "[::ffff:10.0.0.2]:80".parse().unwrap(),
        );
        assert_eq!(v4, mapped);
        assert_eq!(local(&mapped).to_string(), "10.0.0.1:40001");
        assert_eq!(remote(&mapped).to_string(), "10.0.0.2:80");
    }
}
