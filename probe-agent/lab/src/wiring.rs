//! Joins the two namespaces with a veth pair and gives them addresses.
//!
//! An IPv6 address needs two precautions to be usable at once. `nodad` skips its tentative state.
//! The kernel adds its own route to it (table `local`, metric 0) in a deferred work item, so a second
//! one (metric 1024, the default of user space) is added here.

use std::fmt::Write as _;

use super::tool::ip;
use super::{End, Family, Namespace, Result, Subnet, link_state};

/// Name of the interface and its hardware address at one end. The hardware address is chosen here
/// (locally administered), so the other end can know it in advance.
const fn link(end: End) -> (&'static str, &'static str) {
    match end {
        End::Client => ("client0", "02:00:00:00:00:01"),
        End::Server => ("server0", "02:00:00:00:00:02"),
    }
}

/// Creates the veth pair and configures both ends. On return both can send.
pub(super) fn join(client: &Namespace, server: &Namespace, subnet: &Subnet) -> Result<()> {
    for namespace in [client, server] {
        // IPv4 parameters are inherited from the host. A strict host must not filter here.
        namespace.sysctl("net.ipv4.conf.all.rp_filter", "0")?;
        namespace.sysctl("net.ipv4.conf.default.rp_filter", "0")?;
        namespace.sysctl("net.ipv6.conf.default.accept_ra", "0")?;
        // Every rejected SYN gets its ICMP error; the kernel's limit is about one per second.
        namespace.sysctl("net.ipv4.icmp_ratelimit", "0")?;
        namespace.sysctl("net.ipv6.icmp.ratelimit", "0")?;
    }
    let (here, here_mac) = link(End::Client);
    let (there, there_mac) = link(End::Server);
    let cable = format!(
        "link add {here} address {here_mac} type veth peer name {there} address {there_mac} netns {}\n",
        server.path().display()
    );
    ip(client, &(cable + &configuration(End::Client, subnet)))?;
    ip(server, &configuration(End::Server, subnet))?;
    link_state::wait_until_up(client, here)?;
    link_state::wait_until_up(server, there)
}

fn configuration(end: End, subnet: &Subnet) -> String {
    let (name, _) = link(end);
    let (_, peer_mac) = link(end.other());
    // Without a link-local address there is no router solicitation and no multicast report either.
    let mut batch =
        format!("link set lo up\nlink set {name} addrgenmode none\nlink set {name} up\n");
    for family in Family::ALL {
        let own = subnet.address(end, family);
        let peer = subnet.address(end.other(), family);
        let prefix = Subnet::prefix(family);
        // Writing to a String cannot fail.
        let _ = match family {
            Family::V4 => writeln!(batch, "address add {own}/{prefix} dev {name}"),
            Family::V6 => writeln!(
                batch,
                "address add {own}/{prefix} dev {name} nodad\nroute add local {own} dev {name} table local"
            ),
        };
        let _ =
            writeln!(batch, "neighbour replace {peer} lladdr {peer_mac} dev {name} nud permanent");
    }
    batch
}

/// Puts the virtual addresses on `lo` of `owner` (the end `end`) and routes to them at `other`.
pub(super) fn add_vip(
    owner: &Namespace,
    other: &Namespace,
    subnet: &Subnet,
    end: End,
) -> Result<()> {
    let (name, _) = link(end.other());
    let [v4, v6] = Family::ALL.map(|family| subnet.vip(family));
    let [gateway4, gateway6] = Family::ALL.map(|family| subnet.address(end, family));
    ip(
        owner,
        &format!(
            "address add {v4}/32 dev lo\n\
             address add {v6}/128 dev lo nodad\n\
             route add local {v6} dev lo table local\n"
        ),
    )?;
    ip(
        other,
        &format!(
            "route add {v4}/32 via {gateway4} dev {name}\n\
             route add {v6}/128 via {gateway6} dev {name}\n"
        ),
    )
}

/// Takes the virtual addresses from `owner` and the routes to them from `other`.
pub(super) fn drop_vip(owner: &Namespace, other: &Namespace, subnet: &Subnet) -> Result<()> {
    let [v4, v6] = Family::ALL.map(|family| subnet.vip(family));
    ip(other, &format!("route del {v4}/32\nroute del {v6}/128\n"))?;
    ip(
        owner,
        &format!(
            "route del local {v6} dev lo table local metric 1024\n\
             address del {v6}/128 dev lo\n\
             address del {v4}/32 dev lo\n"
        ),
    )
}
