//! What to do about a verdict, if anything.

use super::met_duplicate_synack;
use crate::{drops, timeline::Timeline};
use model::{
    errno::NameError,
    event::EventKind,
    flow,
    outcome::Outcome,
    record::{HalfOpen, ProbeRecord, StartProblem},
    verdict::Verdict,
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
        Verdict::RstLostSynackRetransmit
        | Verdict::RstLostPortReuse
        | Verdict::RstLostUnrecovered
            if timeline.rst_was_dropped() =>
        {
            let dropped = timeline.drops().find(|drop| drop.packet.segment.flags.is_rst());
            return dropped.map(|drop| drops::advice(&drop.packet));
        }
        Verdict::RstLostSynackRetransmit | Verdict::RstLostPortReuse => {
            "Once in a while, this is ordinary packet loss. If one target has it often, look for a firewall \
             or NAT on the path that drops RSTs."
        }
        Verdict::RstLostUnrecovered => {
            "If this happens to most probes, something on the path drops every RST, or answers in the server's \
             place. Until the server gives up (tcp_synack_retries, 63 s by default), each such probe occupies a place in its SYN \
             queue."
        }
        Verdict::LocalDrop => {
            return Some(match timeline.local_drops().next() {
                Some(drop) => drops::advice(&drop.packet),
                None => "This host's own firewall drops the SYN. Check its output rules (nft list ruleset)."
                    .to_owned(),
            });
        }
        Verdict::ChallengeAck => {
            "Another program of this host, an earlier run, or a probe that was settled long ago used that port; \
             or a device that authenticates clients answers in the target's place. Keep the agent's ports to \
             itself (--source-port, net.ipv4.ip_local_reserved_ports)."
        }
        Verdict::TargetReset => {
            "Something in front of the service accepts connections and drops them: a load balancer or proxy \
             without a working backend, or a server that closes at once. Check the service behind the port."
        }
        Verdict::SimultaneousOpen => {
            "Another client, perhaps an agent that probes this host, connects from the port that you probe. \
             Probe the port of a server, or choose another --source-port there."
        }
        Verdict::StaleSynRecvChallengeAck
            if timeline.earlier.is_some_and(|earlier| earlier.other_port.is_some()) =>
        {
            "An earlier lost RST made this handshake slow, not the target. The address translation on the way used \
             a port again while the server still held it: give it more ports or addresses."
        }
        Verdict::StaleSynRecvChallengeAck => {
            "An earlier lost RST made this handshake slow, not the target. Let ports rest before they are \
             reused (--port-policy rotate)."
        }
        Verdict::StaleSynRecvReset => {
            "The target is up. This affects a checker that opens a fresh socket on the same port within \
             4 ms of a lost RST. Recycled sockets (the default) avoid it."
        }
        Verdict::LateSynack if timeline.is_dropped_here() => return None,
        Verdict::TimedOut if timeline.late_rsts().next().is_some() => return None,
        Verdict::LateSynack => {
            "The timeout is shorter than the target or the network sometimes needs. Raise --timeout, or \
             look for SYN-ACK loss."
        }
        Verdict::SynRetransmitted if met_duplicate_synack(timeline) => {
            "Nothing was lost that this shows. Let ports rest before they are reused (--port-policy rotate)."
        }
        Verdict::SynRetransmitted | Verdict::TimedOut => {
            return Some(silent(timeline));
        }
        Verdict::Refused if timeline.late_synacks().next().is_some() => {
            "Find out who has the address: two hosts (arping), or a firewall that resets in the target's place."
        }
        Verdict::Refused if timeline.doubt().is_some() => {
            "The next probe decides: a server drops the stale connection that it resets. Recycled sockets (the \
             default) avoid the doubt."
        }
        Verdict::Refused => {
            "Nothing listens on that port, or a firewall rejects with a RST. If the server should be up, \
             check that it listens on that address."
        }
        Verdict::Unreachable if timeline.late_synacks().next().is_some() => {
            "The target answers, on another path or after routes have changed. Compare the paths (traceroute), and \
             check the host that sent the ICMP message."
        }
        Verdict::Unreachable => match timeline.probe.icmp {
            Some(icmp) if icmp.is_loop() => {
                "The packet went round in a routing loop, or its time to live is too small. Look at the path \
                 (traceroute)."
            }
            Some(icmp) if icmp.is_prohibited() => {
                "A firewall on the host that sent the ICMP message forbids the connection. Check its rules."
            }
            Some(icmp) if icmp.is_port() => {
                "A firewall rejects the port with ICMP; a closed TCP port answers with a RST. Check the rules \
                 of the host that sent it."
            }
            Some(icmp) if icmp.from == Some(flow::local(&timeline.probe.flow).ip()) => {
                "This host found no way itself: check the neighbour entry of the target or its gateway (ip neigh, \
                 ip route get ADDRESS)."
            }
            Some(_) => {
                "Check the host that sent the ICMP message: does it have a route to the target, and does the \
                 target answer it (ip neigh there)?"
            }
            None if timeline.probe.errno == libc::EACCES => {
                "A `prohibit` route leads to the target, or it is a broadcast address (ip route get ADDRESS)."
            }
            None if timeline.probe.kernel.is_none() => {
                "No SYN left: this host has no route for the address, or the link of that route is down (ip \
                 route get ADDRESS, ip rule, ip link)."
            }
            None => {
                "Check the route and the neighbour entry (ip route get ADDRESS, ip neigh), and look for a \
                 firewall that rejects with ICMP."
            }
        },
        Verdict::LocalError => return local(&timeline.probe),
    };
    Some(text.to_owned())
}

/// Advice for a SYN without an answer.
fn silent(timeline: &Timeline) -> String {
    let refused =
        |error: i32| timeline.events.iter().any(|e| e.kind == EventKind::SynRetransmit { error });
    if let Some(drop) = timeline.cause_of_silence() {
        return drops::advice(&drop.packet);
    }
    if timeline.server_answered() && timeline.outcome() == Outcome::Alive {
        return "Packet loss on the way back from the server, or a firewall there that drops some SYN-ACKs."
            .to_owned();
    }
    if timeline.server_answered() {
        return "The server answered, and its SYN-ACKs do not reach this host's socket. Look at the way back: \
                its route, and firewalls on it."
            .to_owned();
    }
    let has_other_verdict =
        timeline.was_opened_simultaneously() || timeline.stale_reply_at().is_some();
    if has_other_verdict && timeline.outcome() != Outcome::Alive {
        return "The peer answered, and not with a SYN-ACK for this SYN: see the other verdict."
            .to_owned();
    }
    if refused(-libc::EPERM) {
        return "This host's own firewall drops the SYN. Check its output rules (nft list ruleset)."
            .to_owned();
    }
    if timeline.failed_syn_retransmits() > 0 && !refused(-libc::EBUSY) {
        return "This host did not send the SYN again: look for what drops it on the way out (tc -s qdisc show, \
                bpftool net, ip xfrm policy)."
            .to_owned();
    }
    if refused(-libc::EBUSY) || timeline.syn_is_stuck() {
        return "The SYN has not left this host: most likely no neighbour answers (ARP or neighbour \
                discovery). Check `ip neigh` and `ip route get ADDRESS`: is the target, or the gateway to it, \
                on that network?"
            .to_owned();
    }
    if let Some(from) = timeline.answered_from_elsewhere() {
        return format!(
            "{from} answers with its own address. Its replies must pass the device that translates the target's \
             address: check the route back, or let that device translate the source address, too (masquerade)."
        );
    }
    if timeline.early_retransmit().is_some() {
        return "Something answers with segments that do not belong to this SYN: a stale NAT entry, two hosts \
                with one address, or a device that authenticates clients. Capture the answers (tcpdump) to see \
                what they acknowledge."
            .to_owned();
    }
    "Packet loss, a firewall that drops silently, or a full queue on the server. On the server, check \
     ListenOverflows and TCPReqQFullDrop (nstat -az)."
        .to_owned()
}

const POLICY: &str = "A policy of this host forbids the connection: a BPF program on the cgroup (bpftool cgroup \
                      tree, systemctl show -p IPAddressDeny), an LSM, seccomp or IPsec (ip xfrm policy).";

/// Advice for an errno of this host.
fn local(probe: &ProbeRecord) -> Option<String> {
    let source = probe.start_problem;
    // A probe without a port had no socket yet.
    let is_connect = probe.flow.local_port != 0;
    let text = match probe.errno {
        errno if NameError::from_errno(errno).is_some() => {
            "Check the name, and the name servers in /etc/resolv.conf. The name is looked up again."
        }
        _ if source == StartProblem::Tentative => {
            "This host's IPv6 address for the target is tentative: duplicate address detection has not \
             finished (`ip -6 addr`). Wait, or set net.ipv6.conf.INTERFACE.optimistic_dad."
        }
        _ if source == StartProblem::NoIpv6 => {
            "This host has no IPv6 address that leads to other hosts, or IPv6 is disabled \
             (net.ipv6.conf.all.disable_ipv6)."
        }
        _ if source == StartProblem::Broadcast => {
            "The target is a broadcast address; TCP needs one host's."
        }
        _ if source == StartProblem::Prohibited => {
            "A `prohibit` route leads to the target (ip route get ADDRESS)."
        }
        _ if source == StartProblem::Policy => POLICY,
        _ if source == StartProblem::PrivilegedPort => {
            "A source port below 1024 needs CAP_NET_BIND_SERVICE (net.ipv4.ip_unprivileged_port_start)."
        }
        _ if source == StartProblem::NoFreePort => {
            "No source port is free: other sockets, also in TIME_WAIT, use all of \
             net.ipv4.ip_local_port_range, or net.ipv4.ip_local_reserved_ports excludes them."
        }
        _ if source == StartProblem::NoFreeSourcePort => {
            "Another socket uses that source port. Choose another --source-port."
        }
        _ if source == StartProblem::Duplicate => {
            "This host's IPv6 address for the target failed duplicate address detection: another host has it \
             (`ip -6 addr` shows dadfailed)."
        }
        libc::EADDRNOTAVAIL => {
            "The source address does not belong to this host (see --freebind), or no source port is free \
             (net.ipv4.ip_local_port_range)."
        }
        libc::EADDRINUSE => "Another socket uses that source port. Choose another --source-port.",
        libc::EPERM if is_connect => POLICY,
        libc::EACCES => {
            "A `prohibit` rule or route, or another policy of this host, forbids it (ip rule, ip route get \
             ADDRESS mark MARK), or the agent lacks a capability."
        }
        libc::EPERM => {
            "A firewall rule on this host rejects it, or the agent lacks a capability: --mark, \
             --interface and --freebind need CAP_NET_ADMIN or CAP_NET_RAW."
        }
        libc::EMFILE | libc::ENFILE => "Too many open files. Raise `ulimit -n` or lower --slots.",
        libc::ENODEV => "There is no such network interface (see `ip link`).",
        libc::EINVAL => {
            "The source address cannot reach the target, or a `blackhole` route leads to it (see `ip route \
             get`)."
        }
        libc::EAGAIN => {
            "The kernel has no free source port or memory for the connection at the moment."
        }
        _ => return None,
    };
    Some(text.to_owned())
}
