//! What on this host may have kept a SYN or its answer back, where no hook shows it: asked only if a SYN got no
//! answer, or was sent again.

use std::{fs, net::SocketAddr};

use model::{
    flow::{self, FlowKey},
    host_clues::{Ecn, HostClues},
    packet_drop::InterfaceName,
};
use nix::sys::socket::SockProtocol;

use crate::netlink;

/// How long an answer is valid, in nanoseconds: thousands of probes may time out at once, and the kernel answers about
/// its interfaces under a lock.
const VALIDITY: u64 = 10_000_000_000;

/// Those of the thread's network namespace (`net/ipv4/sysctl_net_ipv4.c`).
const ECN: &str = "/proc/sys/net/ipv4/tcp_ecn";
const FALLBACK: &str = "/proc/sys/net/ipv4/tcp_ecn_fallback";

/// The answers of this host, for as long as they are valid.
#[derive(Debug, Default)]
pub(crate) struct HostClueCache {
    until: u64,
    ecn: Ecn,
    xdp: InterfaceName,
}

impl HostClueCache {
    /// What may concern a probe of this flow; `None` if nothing does. `interface` is that of `--interface`.
    pub(crate) fn look(
        &mut self,
        flow: &FlowKey,
        interface: Option<&str>,
        now: u64,
    ) -> Option<Box<HostClues>> {
        if now >= self.until {
            *self = Self { until: now + VALIDITY, ecn: ecn(), xdp: xdp() };
        }
        let is_own = |at: SocketAddr| at.ip().is_loopback() || flow.local == flow.remote;
        let clues = HostClues {
            ecn: self.ecn,
            xdp: self.xdp,
            is_bound_to_loopback: interface == Some("lo") && !is_own(flow::remote(flow)),
        };
        (clues != HostClues::default()).then(|| Box::new(clues))
    }
}

/// Which SYNs of this host ask for ECN, as far as its setting says. 3 and 4 exist since about 6.18: with 3, a SYN that
/// is sent again may ask for `AccECN` once more.
fn ecn() -> Ecn {
    let read = |path| fs::read_to_string(path).ok()?.trim().parse::<u32>().ok();
    match (read(ECN), read(FALLBACK)) {
        (Some(1 | 4), Some(0)) | (Some(3), _) => Ecn::EverySyn,
        (Some(1 | 4), _) => Ecn::FirstSyn,
        _ => Ecn::No,
    }
}

/// The first interface that an XDP program is attached to; empty if there is none, or it is not known.
fn xdp() -> InterfaceName {
    /// `struct ifinfomsg`.
    const HEADER: usize = 16;
    /// `IFLA_XDP`, and `IFLA_XDP_ATTACHED` in it: 0 if no program is (`XDP_ATTACHED_NONE`).
    const XDP: u16 = 43;
    const ATTACHED: u16 = 2;
    let links =
        netlink::ask(SockProtocol::NetlinkRoute, libc::RTM_GETLINK, netlink::DUMP, &[0; HEADER]);
    let with_program = |link: &Vec<u8>| {
        let attributes = link.get(HEADER..)?;
        let xdp = netlink::attribute(attributes, XDP)?;
        let attached = *netlink::attribute(xdp, ATTACHED)?.first()?;
        let name = netlink::attribute(attributes, libc::IFLA_IFNAME)?;
        let name = std::str::from_utf8(name.split(|byte| *byte == 0).next()?).ok()?;
        (attached != 0).then(|| InterfaceName::from(name).ok())?
    };
    links.unwrap_or_default().iter().find_map(with_program).unwrap_or_default()
}
