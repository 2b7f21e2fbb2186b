//! What to do, where there is something.

use crate::timeline::Timeline;
use model::{event::EventKind, record::HalfOpen, verdict::Verdict};

/// The advice for a verdict on a probe.
pub(super) fn choose(timeline: &Timeline, verdict: Verdict) -> Option<String> {
    let text = match verdict {
        Verdict::Clean => return None,
        Verdict::AckLeaked => match timeline.probe.half_open {
            HalfOpen::Enforced => {
                "The ACK guard stood and did not see it: please report this, with the kernel's version."
            }
            HalfOpen::NotEnforced => {
                "Let the ACK guard stand (drop --no-ack-guard, or give the agent CAP_BPF, CAP_NET_ADMIN \
                 and a cgroup v2 that it may use)."
            }
        },
        Verdict::RstLostSynackRetransmit | Verdict::RstLostPortReuse => {
            "One in a while is packet loss. Many towards one target: look for a firewall or NAT that \
             drops RSTs on the way."
        }
        Verdict::RstLostUnrecovered => {
            "Something on the way drops every RST, or answers in the server's place. Until it gives \
             up (tcp_synack_retries, 63 s by default) each such probe holds a place in the server's \
             SYN queue."
        }
        Verdict::StaleSynRecvChallengeAck => {
            "The slow handshake is the price of an earlier lost RST, not of the target. Let ports rest \
             before they are used again (--port-policy rotate)."
        }
        Verdict::StaleSynRecvReset => {
            "The target is up. A checker that opens a fresh socket on the same port within 4 ms of a \
             lost RST sees this; recycled sockets (the default) do not."
        }
        Verdict::LateSynack => {
            "The timeout is shorter than the target or the network sometimes needs: raise --timeout, or \
             look for SYN-ACK loss."
        }
        Verdict::SynRetransmitted | Verdict::TimedOut => {
            return Some(silent(timeline));
        }
        Verdict::Refused => {
            "Nothing listens on that port, or a firewall rejects with a RST. If the server is meant to \
             be up, see whether it listens on that address."
        }
        Verdict::Unreachable => {
            "Look at the route and the neighbour entry (ip route get ADDRESS, ip neigh), and for a \
             firewall that rejects with ICMP."
        }
        Verdict::LocalError => return local(timeline.probe.errno),
    };
    Some(text.to_owned())
}

/// A SYN without an answer.
fn silent(timeline: &Timeline) -> String {
    let firewall = timeline
        .events
        .iter()
        .any(|e| matches!(e.kind, EventKind::SynRetransmit { error } if error == -libc::EPERM));
    if firewall {
        return "This host's own firewall drops the SYN: look at its output rules (nft list ruleset)."
            .to_owned();
    }
    "Packet loss, a firewall that drops silently, or a full queue at the server: there look at \
     ListenOverflows and TCPReqQFullDrop (nstat -az)."
        .to_owned()
}

/// What an errno of this host's own asks for.
fn local(errno: i32) -> Option<String> {
    let text = match errno {
        libc::EADDRNOTAVAIL => {
            "The source address is not this host's (see --freebind), or no source port is free \
             (net.ipv4.ip_local_port_range)."
        }
        libc::EADDRINUSE => "Another socket has that source port: choose another --source-port.",
        libc::EPERM | libc::EACCES => {
            "A firewall rule on this host rejects it, or the agent lacks a capability: --mark, \
             --interface and --freebind need CAP_NET_ADMIN or CAP_NET_RAW."
        }
        libc::EMFILE | libc::ENFILE => "Too many open files: raise `ulimit -n` or lower --slots.",
        libc::ENODEV => "There is no such network interface: see `ip link`.",
        libc::EINVAL => "The source address cannot reach the target: see `ip route get`.",
        _ => return None,
    };
    Some(text.to_owned())
}
