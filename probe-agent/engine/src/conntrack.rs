//! Where this host's own address translation sends the probes of a target: a proxy beside the application
//! (REDIRECT), or the backend of a service address (DNAT). The socket does not get to know; the connection
//! tracking does (ctnetlink, `nf_conntrack_netlink.c`).
//!
//! Asked once for each target, after a probe of it, and again now and then where there is a translation. Where
//! nothing is tracked, the privilege is missing (`CAP_NET_ADMIN`) or the module is not loaded, nothing is asked.

use std::{
    collections::{HashMap, HashSet},
    fs, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    path::Path,
};

use foldhash::fast::RandomState;
use model::{
    flow::{self, FlowKey},
    outcome::Outcome,
    record::{ProbeRecord, Translation},
    target::TargetId,
};
use nix::sys::socket::SockProtocol;

use crate::netlink::{self, attribute, push_attribute};

/// Connections that the thread's network namespace tracks; absent without the module.
const COUNT: &str = "/proc/sys/net/netfilter/nf_conntrack_count";

/// Modules of the running kernel. Of a built-in one, only parameters are there.
const MODULES: &str = "/sys/module";

/// The time between two questions in the long run, in nanoseconds: 100,000 targets are not asked about at once.
const PACE: u64 = 1_000_000;

/// How far the questions may be ahead of that, in nanoseconds.
const BURST: u64 = 64 * PACE;

/// How long a translation is taken to stay the same, in nanoseconds.
const VALIDITY: u64 = 10_000_000_000;

/// How long to wait where nothing is tracked, in nanoseconds.
const PAUSE: u64 = 1_000_000_000;

/// `NFNL_SUBSYS_CTNETLINK`, `IPCTNL_MSG_CT_GET`.
const GET: u16 = 1 << 8 | 1;
/// `NLA_F_NESTED`.
const NESTED: u16 = 0x8000;
/// `CTA_TUPLE_ORIG`, `CTA_TUPLE_REPLY`, and in them `CTA_TUPLE_IP` and `CTA_TUPLE_PROTO`.
const ORIGINAL: u16 = 1;
const REPLY: u16 = 2;
const IP: u16 = 1;
const PROTO: u16 = 2;
/// `CTA_IP_V4_SRC` and `CTA_IP_V6_SRC`; the destination follows each.
const V4_SOURCE: u16 = 1;
const V6_SOURCE: u16 = 3;
/// `CTA_PROTO_NUM`, `CTA_PROTO_SRC_PORT`, `CTA_PROTO_DST_PORT`.
const NUMBER: u16 = 1;
const SOURCE_PORT: u16 = 2;
const DESTINATION_PORT: u16 = 3;
/// `struct nfgenmsg`.
const HEADER: usize = 4;

/// What is known of the targets.
#[derive(Debug, Default)]
pub(crate) struct Translations {
    /// The targets that were asked about and are not translated.
    direct: HashSet<TargetId, RandomState>,
    translated: HashMap<TargetId, (u64, Translation), RandomState>,
    /// When the next question is due; it may come up to [`BURST`] earlier.
    next_at: u64,
    is_refused: bool,
}

impl Translations {
    /// Where the probes of the record's target go, if this host translates its address.
    pub(crate) fn of(&mut self, record: &ProbeRecord, now: u64) -> Option<Box<Translation>> {
        if self.is_refused {
            return None;
        }
        let target = record.target;
        let known = self.translated.get(&target).copied();
        let is_due = now + BURST >= self.next_at && known.is_none_or(|(until, _)| now >= until);
        if is_due && !self.direct.contains(&target) && record.kernel.is_some() {
            self.ask(record, now);
        }
        self.translated.get(&target).map(|(_, translation)| Box::new(*translation))
    }

    fn ask(&mut self, record: &ProbeRecord, now: u64) {
        if !is_tracking() {
            self.next_at = now + BURST + PAUSE;
            return;
        }
        self.next_at = self.next_at.max(now) + PACE;
        let target = record.target;
        match real(&record.flow) {
            Ok(real) if real == flow::remote(&record.flow) => {
                self.translated.remove(&target);
                self.direct.insert(target);
            }
            Ok(real) => {
                let translation = Translation { real, of: record.id };
                self.translated.insert(target, (now + VALIDITY, translation));
            }
            // What is not tracked is not translated. A SYN that did not leave says nothing about others.
            Err(error) if error.raw_os_error() == Some(libc::ENOENT) => {
                if matches!(record.outcome, Outcome::Alive | Outcome::Refused) {
                    self.direct.insert(target);
                }
            }
            Err(_) => self.is_refused = true,
        }
    }
}

/// Whether anything is tracked here, and can be asked for without loading a module.
fn is_tracking() -> bool {
    let count = fs::read_to_string(COUNT).ok();
    let tracks = count.is_some_and(|count| count.trim() != "0");
    let module = |name: &str| Path::new(MODULES).join(name);
    let is_built_in = module("nf_conntrack").exists() && !module("nf_conntrack/initstate").exists();
    tracks && (is_built_in || module("nf_conntrack_netlink").exists())
}

/// Who answers a connection of this flow: the source of the replies.
fn real(flow: &FlowKey) -> io::Result<SocketAddr> {
    let body = question(flow);
    let answers = netlink::ask(SockProtocol::NetlinkNetFilter, GET, netlink::REQUEST, &body)?;
    let answer = answers.first().and_then(|answer| answer.get(HEADER..));
    let reply = answer.and_then(|attributes| source(attribute(attributes, REPLY)?));
    reply.ok_or_else(|| io::Error::from_raw_os_error(libc::EPROTO))
}

fn question(flow: &FlowKey) -> Vec<u8> {
    let (local, remote) = (flow::local(flow), flow::remote(flow));
    let mut addresses = Vec::new();
    let family = match (local.ip(), remote.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            push_attribute(&mut addresses, V4_SOURCE, &from.octets());
            push_attribute(&mut addresses, V4_SOURCE + 1, &to.octets());
            libc::AF_INET
        }
        _ => {
            push_attribute(&mut addresses, V6_SOURCE, &flow.local);
            push_attribute(&mut addresses, V6_SOURCE + 1, &flow.remote);
            libc::AF_INET6
        }
    };
    let mut ports = Vec::new();
    push_attribute(&mut ports, NUMBER, &[libc::IPPROTO_TCP as u8]);
    push_attribute(&mut ports, SOURCE_PORT, &local.port().to_be_bytes());
    push_attribute(&mut ports, DESTINATION_PORT, &remote.port().to_be_bytes());
    let mut tuple = Vec::new();
    push_attribute(&mut tuple, IP | NESTED, &addresses);
    push_attribute(&mut tuple, PROTO | NESTED, &ports);
    let mut body = vec![family as u8, 0, 0, 0];
    push_attribute(&mut body, ORIGINAL | NESTED, &tuple);
    body
}

/// The source of a tuple.
fn source(tuple: &[u8]) -> Option<SocketAddr> {
    let addresses = attribute(tuple, IP)?;
    let v4 =
        || Some(IpAddr::from(Ipv4Addr::from(*attribute(addresses, V4_SOURCE)?.first_chunk()?)));
    let v6 =
        || Some(IpAddr::from(Ipv6Addr::from(*attribute(addresses, V6_SOURCE)?.first_chunk()?)));
    let port = attribute(attribute(tuple, PROTO)?, SOURCE_PORT)?.first_chunk()?;
    Some(SocketAddr::new(v4().or_else(v6)?, u16::from_be_bytes(*port)))
}

#[cfg(test)]
mod tests {
    use model::flow::{FlowKey, flow};

    use super::{HEADER, ORIGINAL, question, source};
    use crate::netlink::attribute;

    #[test]
    fn a_tuple_is_read_as_it_is_written() {
        for (local, remote) in
            [("10.0.0.1:40001", "10.96.0.10:80"), ("[fd00::1]:40001", "[fd00::a]:80")]
        {
            let key: FlowKey = flow(local.parse().unwrap(), remote.parse().unwrap());
            let body = question(&key);
            let tuple = attribute(&body[HEADER..], ORIGINAL).unwrap();
            assert_eq!(source(tuple).unwrap().to_string(), local);
        }
    }
}
