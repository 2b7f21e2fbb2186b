//! What to do about a verdict, if anything.

use crate::timeline::Timeline;
use model::{
    errno::NameError, event::EventKind, outcome::Outcome, record::HalfOpen, verdict::Verdict,
};

/// The advice for a verdict on a probe whose outcome is the expected one, or is not.
pub(super) fn choose(timeline: &Timeline, verdict: Verdict, expected: bool) -> Option<String> {
    let text = match verdict {
        // An answer is not expected of a closed port.
        Verdict::Clean if !expected && timeline.outcome() == Outcome::Alive => {
            "Something listens on that port, which is expected to be closed (--expect closed)."
        }
        Verdict::Clean => return None,
        Verdict::Refused if expected => return None,
        Verdict::AckLeaked => match timeline.probe.half_open {
            HalfOpen::Enforced => {
                "The ACK guard was in effect but did not stop it. Please report this with your kernel version."
            }
            HalfOpen::NotEnforced => {
                "Use the ACK guard: drop --no-ack-guard, or give the agent CAP_BPF, CAP_NET_ADMIN and a \
                 cgroup v2 that it may use."
            }
        },
        Verdict::RstLostSynackRetransmit | Verdict::RstLostPortReuse => {
            "Once in a while, this is ordinary packet loss. If one target has it often, look for a firewall \
             or NAT on the path that drops RSTs."
        }
        Verdict::RstLostUnrecovered => {
            "Something on the path drops every RST, or answers in the server's place. Until the server \
             gives up (tcp_synack_retries, 63 s by default), each such probe occupies a place in its SYN \
             queue."
        }
        Verdict::StaleSynRecvChallengeAck => {
            "An earlier lost RST made this handshake slow, not the target. Let ports rest before they are \
             reused (--port-policy rotate)."
        }
        Verdict::StaleSynRecvReset => {
            "The target is up. This affects a checker that opens a fresh socket on the same port within \
             4 ms of a lost RST. Recycled sockets (the default) avoid it."
        }
        Verdict::LateSynack => {
            "The timeout is shorter than the target or the network sometimes needs. Raise --timeout, or \
             look for SYN-ACK loss."
        }
        Verdict::SynRetransmitted | Verdict::TimedOut => {
            return Some(silent(timeline));
        }
        Verdict::Refused => {
            "Nothing listens on that port, or a firewall rejects with a RST. If the server should be up, \
             check that it listens on that address."
        }
        Verdict::Unreachable => {
            "Check the route and the neighbour entry (ip route get ADDRESS, ip neigh), and look for a \
             firewall that rejects with ICMP."
        }
        Verdict::LocalError => return local(timeline.probe.errno),
    };
    Some(text.to_owned())
}

/// Advice for a SYN without an answer.
fn silent(timeline: &Timeline) -> String {
    let firewall = timeline
        .events
        .iter()
        .any(|e| matches!(e.kind, EventKind::SynRetransmit { error } if error == -libc::EPERM));
    if firewall {
        return "This host's own firewall drops the SYN. Check its output rules (nft list ruleset)."
            .to_owned();
    }
    "Packet loss, a firewall that drops silently, or a full queue on the server. On the server, check \
     ListenOverflows and TCPReqQFullDrop (nstat -az)."
        .to_owned()
}

/// Advice for an errno of this host.
fn local(errno: i32) -> Option<String> {
    let text = match errno {
        errno if NameError::from_errno(errno).is_some() => {
            "Check the name, and the name servers in /etc/resolv.conf. The name is looked up again."
        }
        libc::EADDRNOTAVAIL => {
            "The source address does not belong to this host (see --freebind), or no source port is free \
             (net.ipv4.ip_local_port_range)."
        }
        libc::EADDRINUSE => "Another socket uses that source port. Choose another --source-port.",
        libc::EPERM | libc::EACCES => {
            "A firewall rule on this host rejects it, or the agent lacks a capability: --mark, \
             --interface and --freebind need CAP_NET_ADMIN or CAP_NET_RAW."
        }
        libc::EMFILE | libc::ENFILE => "Too many open files. Raise `ulimit -n` or lower --slots.",
        libc::ENODEV => "There is no such network interface (see `ip link`).",
        libc::EINVAL => "The source address cannot reach the target (see `ip route get`).",
        _ => return None,
    };
    Some(text.to_owned())
}
