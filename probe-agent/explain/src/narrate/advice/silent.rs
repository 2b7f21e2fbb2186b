//! Advice for a SYN without an answer.

use super::{super::view::View, OWN_FIREWALL};
use crate::drops;
use model::claim::{Act, Party};

/// With what on this host may be the cause, where none was seen.
pub(super) fn silent(all: View<'_>) -> String {
    if all.has(|act| *act == Act::KeptSynOnLoopback) {
        return "The SYN did not leave this host: its loopback interface leads nowhere else. Choose another \
                --interface."
            .to_owned();
    }
    let xdp = all.find(|claim| match claim.act {
        Act::RunsXdp { interface } => Some(interface),
        _ => None,
    });
    let mut text = by_claims(all);
    if all.has(|act| matches!(act, Act::AsksForEcn(_))) {
        text = format!(
            "A device on the path may drop SYNs that ask for ECN, as those of this host do: probe with \
             net.ipv4.tcp_ecn=2. If that makes no difference: {text}"
        );
    }
    if let Some(interface) = xdp {
        text = format!(
            "An XDP program is attached to {interface} of this host, and no hook shows what it drops: look there, \
             too (ip link show {interface}, bpftool net). {text}"
        );
    }
    text
}

/// By what the claims of all verdicts of the probe say of the SYN and of its answers.
fn by_claims(all: View<'_>) -> String {
    let refused = |error: i32| all.has(|act| *act == Act::FailedToSendSyn { error });
    if all.has(|act| matches!(act, Act::HasShortTimer { .. })) {
        return "Nothing need be lost: this host sends its SYN again before an answer can come. A BPF program may have \
                set the timer (BPF_SOCK_OPS_TIMEOUT_INIT: bpftool cgroup tree)."
            .to_owned();
    }
    if all.has(|act| matches!(act, Act::TookLong { .. })) {
        return "Measure the round trip (ping). If it is longer than 1 s, as by satellite or behind a long queue, \
                nothing was lost. Else it is packet loss."
            .to_owned();
    }
    let is_answered = all.answered().is_some();
    let is_received = all.has(|act| *act == Act::ReceivedSyn);
    // A drop after the answer, or after the SYN was sent again, is not the cause.
    let is_other_cause =
        all.has(|act| matches!(act, Act::LostSynOrAnswer | Act::SentUnacceptable { .. }));
    if let Some((_, packet, _)) = all.dropped(drops::is_of_handshake)
        && !is_other_cause
        && !(is_received && is_answered)
    {
        return drops::advice(&packet);
    }
    if is_received && is_answered {
        return "Packet loss on the way back from the server, or a firewall there that drops some SYN-ACKs."
            .to_owned();
    }
    if is_received {
        return "The server answered, and its SYN-ACKs do not reach this host's socket. Look at the way back: \
                its route, and firewalls on it."
            .to_owned();
    }
    let is_other = |act: &Act| matches!(act, Act::SentSyn | Act::AnsweredAnotherSyn { .. });
    if all.has(is_other) && !is_answered {
        return "The peer answered, and not with a SYN-ACK for this SYN: see the other verdict."
            .to_owned();
    }
    if refused(-libc::EPERM) {
        return OWN_FIREWALL.to_owned();
    }
    let is_failed = all.has(|act| matches!(act, Act::FailedToSendSyn { .. }));
    if is_failed && !refused(-libc::EBUSY) {
        return "This host did not send the SYN again: look for what drops it on the way out (tc -s qdisc show, \
                bpftool net, ip xfrm policy)."
            .to_owned();
    }
    if refused(-libc::EBUSY) || all.has(|act| *act == Act::KeptSyn) {
        return "The SYN has not left this host: most likely no neighbour answers (ARP or neighbour \
                discovery). Check `ip neigh` and `ip route get ADDRESS`: is the target, or the gateway to it, \
                on that network?"
            .to_owned();
    }
    let elsewhere = all.find(|claim| match (claim.party, claim.act) {
        (Party::Other(from), Act::Answered { .. }) => Some(from),
        _ => None,
    });
    if let Some(from) = elsewhere {
        return format!(
            "{from} answers with its own address. Its replies must pass the device that translates the target's \
             address: check the route back, or let that device translate the source address, too (masquerade)."
        );
    }
    if all.has(|act| matches!(act, Act::SentUnacceptable { .. })) {
        return "Something answers with segments that do not belong to this SYN: a stale NAT entry, two hosts \
                with one address, or a device that authenticates clients. Capture the answers (tcpdump) to see \
                what they acknowledge."
            .to_owned();
    }
    "Packet loss, a firewall that drops silently, or a full queue on the server. On the server, check \
     ListenOverflows and TCPReqQFullDrop (nstat -az)."
        .to_owned()
}
