//! What a drop means, and what to do about it.

use model::packet_drop::{DropPlace, PacketDrop};

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
        "IP_INADDRERRORS" => {
            "it is not addressed to that host, which does not forward packets (ip_forward is off)"
        }
        "IP_INVALID_DEST" => "its destination is no valid address here",
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
        "SOCKET_FILTER" => "a BPF filter refused it, on the socket or on its cgroup",
        "TCP_RESET" if !drop.segment.flags.is_ack() => {
            "it acknowledges nothing, and a RST that answers a SYN must (RFC 9293, section 3.10.7.3)"
        }
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
        "NOT_SPECIFIED" if drop.outgoing && drop.is_here() => {
            "the kernel gives no reason (as where an IPsec policy has no security association, or a route discards)"
        }
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
        "TCP_FLAGS" | "TCP_RESET" => {
            "Something answers with segments that TCP must ignore. Capture what the peer sends, or a device on the \
             path in its place (tcpdump)."
                .to_owned()
        }
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
                "XDP" => "ip link; bpftool net",
                "BPF_CGROUP_EGRESS" => "bpftool cgroup tree; systemctl show -p IPAddressDeny",
                "XFRM_POLICY" => "ip xfrm policy",
                "TCP_CSUM" | "IP_CSUM" | "SKB_CSUM" => "ethtool -k INTERFACE: checksum offloads",
                "SOCKET_FILTER" => {
                    "bpftool cgroup tree, systemctl show -p IPAddressDeny: BPF programs on the cgroup; ss -b: filters \
                     on sockets"
                }
                "NOT_SPECIFIED" if drop.outgoing && drop.is_here() => {
                    "ip xfrm policy; ip xfrm state; ip route get ADDRESS; nstat -az"
                }
                "IP_INADDRERRORS" => "sysctl net.ipv4.ip_forward; ip addr: is ADDRESS its own?",
                "OTHERHOST" => "ip neigh on the sender: its entry has another host's hardware address",
                "IP_INNOROUTES" | "IP_OUTNOROUTES" | "IP_NOROUTES" => "ip route get ADDRESS",
                _ => "nstat -az",
            };
            format!("Check what dropped it {where} ({how}). The kernel's reason is {name}.")
        }
    }
}

fn interface(drop: &PacketDrop) -> String {
    if drop.interface.is_empty() { String::new() } else { format!(" of {}", drop.interface) }
}
