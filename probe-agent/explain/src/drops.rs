//! Packets of a probe that the kernel of this host dropped: which of them were the probe's, and what a
//! reason means.

use model::{
    event::EventKind,
    outcome::Outcome,
    packet_drop::{DropPlace, DropReason, PacketDrop},
    record::ProbeRecord,
};

use crate::timeline::{Coverage, Timeline};

/// How far apart two hooks may report one RST, in nanoseconds. A server's next SYN-ACK comes later.
const SAME_SEGMENT: u64 = 200_000_000;

/// A drop of a packet of the probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Drop {
    pub(crate) at: u64,
    pub(crate) packet: PacketDrop,
}

impl Timeline {
    /// The drops of this probe's SYNs, SYN-ACKs and RSTs, in time order. The ACKs that the guard holds back
    /// are none; neither are packets of another connection on the same 4-tuple, by their sequence numbers.
    pub(crate) fn drops(&self) -> impl Iterator<Item = Drop> {
        self.events.iter().filter_map(|event| match event.kind {
            EventKind::PacketDropped(packet) if self.owns(&packet) => {
                Some(Drop { at: event.at, packet })
            }
            _ => None,
        })
    }

    /// Those that the agent's own network namespace dropped. A RST of the target that finds no socket is
    /// none: it came.
    pub(crate) fn local_drops(&self) -> impl Iterator<Item = Drop> {
        self.drops().filter(|drop| drop.packet.is_here() && !is_unexpected_rst(&drop.packet))
    }

    /// The drop that kept the SYN or its answer back: before the SYN was sent again, if it was.
    pub(crate) fn cause_of_silence(&self) -> Option<Drop> {
        let again = self.events.iter().find(|e| e.kind.is_syn_retransmit()).map(|e| e.at);
        self.drops().find(|drop| {
            !drop.packet.segment.flags.is_rst() && again.is_none_or(|again| drop.at <= again)
        })
    }

    /// Whether a hook saw this host drop a packet of the probe, or its kernel refuse to send a SYN.
    pub(crate) fn is_dropped_here(&self) -> bool {
        let refused = |kind: EventKind| matches!(kind, EventKind::SynRetransmit { error } if error == -libc::EPERM);
        self.local_drops().next().is_some() || self.events.iter().any(|e| refused(e.kind))
    }

    /// When a RST of the target came that found no socket, because the probe had ended just before.
    pub(crate) fn late_target_rst(&self) -> Option<u64> {
        self.drops()
            .find(|drop| is_unexpected_rst(&drop.packet) && drop.packet.is_here())
            .map(|d| d.at)
    }

    /// The drop of the RST of the close, which has the ACK flag (`tcp_send_active_reset`). A RST that answers a
    /// SYN-ACK has not (`tcp_v4_send_reset`).
    pub(crate) fn dropped_close(&self) -> Option<Drop> {
        self.probe.rst_at()?;
        self.drops().find(|drop| {
            let flags = drop.packet.segment.flags;
            drop.packet.outgoing && flags.is_rst() && flags.has_ack()
        })
    }

    /// Whether silence, or a later SYN, shows that the server holds no connection of the probe.
    pub(crate) fn is_forgotten(&self) -> bool {
        let silent = self.coverage == Coverage::Full
            && self.followed_until >= self.silence_conclusive_at()
            && self.late_synacks().next().is_none();
        !self.reuse_in_doubt && (self.reused_cleanly || silent)
    }

    /// Whether any RST of the 4-tuple was seen being dropped on this host, whatever its numbers.
    pub(crate) fn rst_was_seen_dropped(&self) -> bool {
        self.events.iter().any(|e| {
            matches!(e.kind, EventKind::PacketDropped(drop)
                if drop.outgoing && drop.segment.flags.is_rst() && !drop.has_reached_tcp())
        })
    }

    /// Whether the RST that answered a late SYN-ACK at `at` was seen being dropped.
    pub(crate) fn answer_was_dropped(&self, at: u64) -> bool {
        self.drops().any(|drop| {
            drop.packet.outgoing
                && drop.packet.segment.flags.is_rst()
                && drop.at.abs_diff(at) < SAME_SEGMENT
        })
    }

    /// Whether this host dropped every SYN of the probe, as far as was seen: then no answer is the target's.
    pub(crate) fn no_syn_left(&self) -> bool {
        let dropped = self
            .local_drops()
            .filter(|drop| drop.packet.outgoing && drop.packet.segment.flags.is_syn())
            .count();
        // A SYN that the kernel could not send again is among the drops, unless it still waits for a neighbour.
        let refused = |kind: EventKind| matches!(kind, EventKind::SynRetransmit { error } if error != 0 && error != -libc::EBUSY);
        let refused = self.events.iter().filter(|e| refused(e.kind)).count();
        let left = self.syn_retransmits().saturating_sub(self.failed_syn_retransmits());
        self.probe.handshake_ns().is_none() && dropped.saturating_sub(refused) > left
    }

    /// Whether this host itself refused the SYN, although the socket was refused.
    pub(crate) fn was_refused_here(&self) -> bool {
        self.probe.outcome == Outcome::Refused && self.no_syn_left()
    }

    fn owns(&self, drop: &PacketDrop) -> bool {
        let segment = drop.segment;
        // A segment of the target that acknowledges our SYN is of the probe, whatever its flags.
        let is_wanted = !drop.outgoing
            || segment.flags.is_syn()
            || segment.flags.is_synack()
            || segment.flags.is_rst();
        let is_ours = has_numbers_of(&self.probe, drop);
        // What the server's TCP freed has arrived there: a listener ignores a RST (SYN cookies), a half-open
        // connection answers a second SYN. Only where it demands a signature it does not answer.
        let has_arrived = drop.outgoing && drop.has_reached_tcp();
        is_wanted && is_ours && !has_arrived
    }
}

/// Whether a packet has the sequence numbers of a probe, as far as they are known.
pub(crate) fn has_numbers_of(probe: &ProbeRecord, drop: &PacketDrop) -> bool {
    let segment = drop.segment;
    probe.syn_end().is_none_or(|end| {
        if drop.outgoing {
            segment.seq == end || segment.seq == end.wrapping_sub(1)
        } else if !segment.flags.is_rst() {
            segment.ack == end
        } else {
            // A RST that answers a SYN acknowledges it; another has the next number of its sender.
            let next = probe.synack_seq().map(|seq| seq.wrapping_add(1));
            segment.ack == end || Some(segment.seq) == next
        }
    })
}

fn is_unexpected_rst(drop: &PacketDrop) -> bool {
    !drop.outgoing && drop.segment.flags.is_rst() && drop.reason == DropReason::NO_SOCKET
}

/// What was dropped, as part of a sentence.
pub(crate) fn subject(drop: &PacketDrop) -> String {
    let flags = drop.segment.flags;
    if drop.outgoing { format!("our {flags}") } else { format!("the target's {flags}") }
        .replace("RST-ACK", "RST")
}

/// Where it was dropped, as part of a sentence.
pub(crate) const fn place(drop: &PacketDrop) -> &'static str {
    match drop.place {
        DropPlace::OurNetns => "this host",
        DropPlace::OtherNetns => "another network namespace of this host",
        DropPlace::Unknown => "the kernel of this host",
    }
}

/// What the reason means, after "because"; the name alone where it explains itself.
pub(crate) fn meaning(drop: &PacketDrop) -> String {
    let text = match drop.reason.0 {
        "NETFILTER_DROP" => "a packet filter rule dropped it (nftables, iptables or ip6tables)",
        "IP_RPFILTER" => {
            let at = interface(drop);
            return format!(
                "the reverse-path filter{at} found that it came in by the wrong interface"
            );
        }
        "NEIGH_FAILED" => "no neighbour answered (ARP or neighbour discovery failed)",
        "NEIGH_QUEUEFULL" => "too many packets waited for the same neighbour",
        "NEIGH_CREATEFAIL" | "NEIGH_HH_FILLFAIL" => "the neighbour entry could not be made",
        "NEIGH_DEAD" => "the neighbour entry was removed meanwhile",
        "IP_INNOROUTES" | "IP_OUTNOROUTES" | "IP_NOROUTES" => "there is no route",
        "IP_INADDRERRORS" | "IP_INVALID_DEST" => "its destination is no valid address here",
        "IP_INVALID_SOURCE" | "IP_LOCAL_SOURCE" => {
            "its source address cannot come from there (martian)"
        }
        "IP_LOCALNET" => "an address of 127.0.0.0/8 came from outside",
        "XFRM_POLICY" => "an IPsec policy forbids it",
        "TCP_MD5NOTFOUND" => {
            "the listener demands a TCP MD5 signature (RFC 2385), which a probe has not"
        }
        "TCP_MD5UNEXPECTED" => "it has a TCP MD5 signature that nobody expects",
        "TCP_MD5FAILURE" => "its TCP MD5 signature is wrong",
        "TCP_AONOTFOUND" | "TCP_AOKEYNOTFOUND" | "TCP_AOUNEXPECTED" | "TCP_AOFAILURE" => {
            "the TCP authentication option (RFC 5925) does not match"
        }
        "TCP_RFC7323_PAWS" | "TCP_RFC7323_PAWS_ACK" | "TCP_RFC7323_TW_PAWS" => {
            "its timestamp is older than one already seen (PAWS, RFC 7323)"
        }
        "SOCKET_FILTER" => "a filter on the socket refused it",
        "SOCKET_BACKLOG" | "SOCKET_RCVBUFF" | "PROTO_MEM" => "the socket's memory was used up",
        "TCP_MINTTL" => {
            "its time to live is too small for the listener (GTSM, RFC 5082: IP_MINTTL)"
        }
        "TCP_FLAGS" => "its flags are not those of an answer to a SYN",
        "TCP_OVERWINDOW" => {
            "its sequence number lies outside the receive window of a connection there"
        }
        "TCP_CSUM" | "IP_CSUM" | "SKB_CSUM" => "its checksum is wrong",
        "TCP_LISTEN_OVERFLOW" => "the accept queue was full",
        "BPF_CGROUP_EGRESS" => "a BPF program on the cgroup dropped it",
        "XDP" | "TC_INGRESS" | "TC_EGRESS" => "a BPF program on the interface dropped it",
        "QDISC_DROP" | "QDISC_OVERLIMIT" => "the queueing discipline of the interface dropped it",
        "QUEUE_PURGE" => {
            "the queue that it waited in was emptied, as when a link is down or a neighbour is gone"
        }
        "CPU_BACKLOG" => "the queue of received packets was full (netdev_max_backlog)",
        "NOT_SPECIFIED" => {
            "the kernel gives no reason (a martian address, or no way to the target from there)"
        }
        "NO_SOCKET" => "there was no socket for it any more",
        "OTHERHOST" => "it was addressed to another host's hardware address",
        name => return format!("the kernel gives the reason {name}"),
    };
    text.to_owned()
}

/// What to do about it.
pub(crate) fn advice(drop: &PacketDrop) -> String {
    let r#where = match drop.place {
        DropPlace::OurNetns => "on this host",
        DropPlace::OtherNetns => "in that network namespace",
        DropPlace::Unknown => "in the network namespaces of this host",
    };
    match drop.reason.0 {
        "NETFILTER_DROP" => {
            // On loopback, both ends are here.
            let chain = match (drop.is_here(), drop.outgoing) {
                (true, true) if drop.interface.as_str() != "lo" => "output",
                (true, true) => "output or input",
                (true, false) => "input",
                (false, true) => "input or forward",
                (false, false) => "output or forward",
            };
            let whose = if drop.is_here() { "This host's own firewall" } else { "A firewall" };
            format!("{whose} drops it. Check the rules of the {chain} path {where} (nft list ruleset).")
        }
        "IP_RPFILTER" if drop.outgoing => format!(
            "Our packet came in by another interface than the one that the route back to us uses. Check the \
             routes and rp_filter {where}."
        ),
        "IP_RPFILTER" => format!(
            "The answer comes in by another interface than the one that the route to the target uses. Check \
             the routes, and net.ipv4.conf.all.rp_filter and net.ipv4.conf.{}.rp_filter (the larger of the \
             two counts) {where}.",
            if drop.interface.is_empty() { "INTERFACE" } else { &drop.interface }
        ),
        name if name.starts_with("NEIGH_") => format!(
            "The target, or the gateway to it, does not answer on its network: it is down, has another \
             address, or is in another VLAN; or this host's own link is down. Check `ip link`, `ip neigh` and `ip route get ADDRESS` {where}."
        ),
        "TCP_MINTTL" => "The listener accepts neighbours only (ttl-security of a BGP session). Probe it from there."
            .to_owned(),
        "TCP_MD5NOTFOUND" | "TCP_MD5UNEXPECTED" | "TCP_MD5FAILURE" => {
            "The listener has a TCP MD5 key for this address, as BGP sessions have. A plain connect cannot \
             test it."
                .to_owned()
        }
        name => {
            let how = match name {
                "TC_INGRESS" | "TC_EGRESS" => {
                    "bpftool net; tc filter show dev INTERFACE ingress|egress"
                }
                "QDISC_DROP" | "QDISC_OVERLIMIT" => "tc -s qdisc show; ip link: does the link carry?",
                "QUEUE_PURGE" => "ip link: is it up, has it a carrier?; ip neigh",
                "TCP_FLAGS" => "capture what the peer sends: tcpdump",
                "XDP" => "ip link; bpftool net",
                "BPF_CGROUP_EGRESS" => "bpftool cgroup tree; systemctl show -p IPAddressDeny",
                "XFRM_POLICY" => "ip xfrm policy",
                "TCP_CSUM" | "IP_CSUM" | "SKB_CSUM" => "ethtool -k INTERFACE: checksum offloads",
                "SOCKET_FILTER" => {
                    "ss -b: filters on sockets; bpftool cgroup tree: BPF programs on the cgroup"
                }
                "OTHERHOST" => "ip neigh on the sender: its entry has another host's hardware address",
                "IP_INNOROUTES" | "IP_OUTNOROUTES" | "IP_NOROUTES" | "IP_INADDRERRORS" => {
                    "ip route get ADDRESS"
                }
                _ => "nstat -az",
            };
            format!("Check what dropped it {where} ({how}). The kernel's reason is {name}.")
        }
    }
}

fn interface(drop: &PacketDrop) -> String {
    if drop.interface.is_empty() { String::new() } else { format!(" of {}", drop.interface) }
}
