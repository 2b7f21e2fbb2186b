//! A router between the lab's client and server.
//!
//! ```text
//!   client                     router                      server
//!   route0 198.18.N.129 ------ .130 near0   far0 .133 ------ .134 route0
//! ```
//!
//! N is the lab's own block, of which the lab uses the lower half. So no other lab has these addresses.

use std::net::{IpAddr, Ipv4Addr};

use lab::{Family, Lab, Namespace};
use probe_agent_tests::network::ip;

/// A lab with a second way between its ends, through a router.
#[derive(Debug)]
pub(crate) struct Routed {
    pub(crate) lab: Lab,
    pub(crate) router: Namespace,
    /// The client's address on that way.
    pub(crate) client: IpAddr,
    /// The server's address there.
    pub(crate) server: IpAddr,
}

impl Routed {
    pub(crate) fn new() -> Self {
        let lab = Lab::new().unwrap();
        let router = Namespace::new("router").unwrap();
        let IpAddr::V4(block) = lab.client_address(Family::V4) else { unreachable!() };
        let [a, b, c, _] = block.octets();
        let [client, near, far, server] =
            [129, 130, 133, 134].map(|host| Ipv4Addr::new(a, b, c, host));
        for (end, inside, own, name, gateway, other) in [
            (lab.client(), "near0", client, 5, near, server),
            (lab.server(), "far0", server, 6, far, client),
        ] {
            // Static neighbours, so that the first SYN leaves at once.
            let [own_mac, gateway_mac] =
                [0, 8].map(|side| format!("02:00:00:00:00:{:02x}", name + side));
            ip(
                end,
                &format!(
                    "link add route0 address {own_mac} type veth peer name {inside} address {gateway_mac} netns {}\n\
                     link set route0 up\n\
                     address add {own}/30 dev route0\n\
                     neighbour replace {gateway} lladdr {gateway_mac} dev route0 nud permanent\n",
                    router.path().display()
                ),
            );
            ip(
                &router,
                &format!(
                    "link set {inside} up\n\
                     address add {gateway}/30 dev {inside}\n\
                     neighbour replace {own} lladdr {own_mac} dev {inside} nud permanent\n"
                ),
            );
            ip(end, &format!("route add {other}/32 via {gateway} dev route0\n"));
        }
        router.sysctl("net.ipv4.conf.all.rp_filter", "0").unwrap();
        router.sysctl("net.ipv4.conf.default.rp_filter", "0").unwrap();
        router.sysctl("net.ipv4.ip_forward", "1").unwrap();
        Self { lab, router, client: client.into(), server: server.into() }
    }
}
