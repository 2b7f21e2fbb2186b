//! Puts together the [`KernelLayout`] of the running kernel from its BTF.

#[cfg(test)]
mod tests;

use std::collections::HashMap;

use probe_agent_common::{
    ABSENT, DROP_REASON_WORDS, Hook, HookArgument, HookKind, KernelLayout, PacketLayout,
    RETRANSMIT_SKB, RST_FUNCTIONS, SocketLayout, TcpLayout,
};

use model::packet_drop::DropReason;

use crate::btf::{Argument, KernelTypes};

/// The type of a RST's reason, since about 6.10.
const REASON: &str = "sk_rst_reason";

/// What each of its names begins with.
const REASON_PREFIX: &str = "SK_RST_REASON_";

/// Why the kernel drops a packet, since 5.17.
const DROP: &str = "skb_drop_reason";

/// What its names begin with: most of them, and the two that are no drops (`SKB_CONSUMED`).
const DROP_PREFIXES: [&str; 2] = ["SKB_DROP_REASON_", "SKB_"];

/// The reasons with which the kernel frees packets of every healthy connection, or which say nothing.
const UNREPORTED: [&str; 4] = ["NOT_DROPPED_YET", "CONSUMED", "SOCKET_CLOSE", "MAX"];

/// The layout of this kernel, without the cookie; `None` where BTF does not describe sockets or packets.
/// What only some kernels have is [`ABSENT`].
pub(crate) fn read(types: &KernelTypes) -> Option<KernelLayout> {
    let optional = |structure, member| types.member(structure, &[member]).unwrap_or(ABSENT);
    let [active_reset_reason, v4_reset_reason, v6_reset_reason] =
        RST_FUNCTIONS.map(|hook| third(types, &hook, &Argument::Enum(REASON.to_owned())));
    Some(KernelLayout {
        socket: socket(types)?,
        packet: packet(types)?,
        tcp: TcpLayout {
            segs_out: optional("tcp_sock", "segs_out"),
            total_retrans: optional("tcp_sock", "total_retrans"),
            snd_nxt: optional("tcp_sock", "snd_nxt"),
            rcv_nxt: optional("tcp_sock", "rcv_nxt"),
            srtt_us: optional("tcp_sock", "srtt_us"),
            request_rcv_isn: optional("tcp_request_sock", "rcv_isn"),
            request_snt_isn: optional("tcp_request_sock", "snt_isn"),
        },
        drop_reasons: reported_drops(types),
        no_socket: drop_reason(types, DropReason::NO_SOCKET),
        not_specified: drop_reason(types, DropReason::NOT_SPECIFIED),
        tcp_reset: drop_reason(types, DropReason::TCP_RESET),
        dev_net: optional("net_device", "nd_net"),
        dev_index: optional("net_device", "ifindex"),
        net_cookie: optional("net", "net_cookie"),
        active_reset_reason,
        v4_reset_reason,
        v6_reset_reason,
        retransmit_error: third(types, &RETRANSMIT_SKB, &Argument::Integer),
        ..KernelLayout::NONE
    })
}

/// Whether the layout leads from a socket and from a packet to the cookie of its network namespace.
pub(crate) const fn has_netns(layout: &KernelLayout) -> bool {
    layout.net_cookie != ABSENT && layout.dev_net != ABSENT
}

/// Whether this kernel has IPv6.
pub(crate) const fn has_v6(layout: &KernelLayout) -> bool {
    layout.socket.local_v6 != ABSENT
}

/// Names of `enum sk_rst_reason`, by this kernel's numbers.
pub(crate) fn rst_reasons(types: &KernelTypes) -> HashMap<i32, String> {
    let short = |name: String| name.strip_prefix(REASON_PREFIX).map(str::to_owned).unwrap_or(name);
    types.enumerators(REASON).into_iter().map(|(number, name)| (number, short(name))).collect()
}

/// Names of `enum skb_drop_reason`, by this kernel's numbers.
pub(crate) fn drop_reasons(types: &KernelTypes) -> HashMap<i32, String> {
    let short = |name: String| {
        let rest = DROP_PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
        rest.map(str::to_owned).unwrap_or(name)
    };
    types.enumerators(DROP).into_iter().map(|(number, name)| (number, short(name))).collect()
}

/// This kernel's number of a reason.
fn drop_reason(types: &KernelTypes, reason: DropReason) -> u16 {
    let found = drop_reasons(types).into_iter().find(|(_, name)| name == reason.0);
    found.and_then(|(number, _)| u16::try_from(number).ok()).unwrap_or(ABSENT)
}

/// A bit for each reason that the hook reports.
fn reported_drops(types: &KernelTypes) -> [u64; DROP_REASON_WORDS] {
    let mut words = [0; DROP_REASON_WORDS];
    for (number, name) in drop_reasons(types) {
        let word = usize::try_from(number / 64).ok().and_then(|word| words.get_mut(word));
        if let Some(word) = word
            && !UNREPORTED.contains(&name.as_str())
        {
            *word |= 1 << (number % 64);
        }
    }
    words
}

/// What this kernel hands over to a hook; `None` if it does not have what the hook is attached to.
pub(crate) fn arguments(types: &KernelTypes, hook: &Hook) -> Option<Vec<Argument>> {
    match hook.kind {
        HookKind::Tracepoint => types.tracepoint(hook.target),
        HookKind::Function => types.parameters(hook.target),
    }
}

/// Whether the arguments begin as the hook's program expects.
pub(crate) fn fit(found: &[Argument], hook: &Hook) -> bool {
    let same = |(found, wanted): (&Argument, &HookArgument)| match (found, wanted) {
        (Argument::Pointer(name), HookArgument::Pointer(wanted))
        | (Argument::Enum(name), HookArgument::Enum(wanted)) => name == wanted,
        (Argument::Integer, HookArgument::Integer) | (_, HookArgument::Opaque) => true,
        _ => false,
    };
    found.len() >= hook.arguments.len() && found.iter().zip(hook.arguments).all(same)
}

/// 2 if a hook's third argument is of this type.
fn third(types: &KernelTypes, hook: &Hook, wanted: &Argument) -> u16 {
    let found = arguments(types, hook).unwrap_or_default();
    if found.get(2) == Some(wanted) { 2 } else { ABSENT }
}

/// Offsets within a socket, provided that a request socket begins in the same way.
fn socket(types: &KernelTypes) -> Option<SocketLayout> {
    let common = types.member("sock", &["__sk_common"])?;
    if types.member("request_sock", &["__req_common"])? != common {
        return None;
    }
    let of = |member| Some(common + types.member("sock_common", &[member])?);
    Some(SocketLayout {
        family: of("skc_family")?,
        state: of("skc_state")?,
        local_port: of("skc_num")?,
        remote_port: of("skc_dport")?,
        local_v4: of("skc_rcv_saddr")?,
        remote_v4: of("skc_daddr")?,
        local_v6: of("skc_v6_rcv_saddr").unwrap_or(ABSENT),
        remote_v6: of("skc_v6_daddr").unwrap_or(ABSENT),
        protocol: types.member("sock", &["sk_protocol"])?,
        net: of("skc_net")?,
    })
}

fn packet(types: &KernelTypes) -> Option<PacketLayout> {
    let of = |member| types.member("sk_buff", &[member]);
    Some(PacketLayout {
        head: of("head")?,
        network: of("network_header")?,
        transport: of("transport_header")?,
        tcp_flags: of("cb")? + types.member("tcp_skb_cb", &["tcp_flags"])?,
        dev: of("dev")?,
        sk: of("sk")?,
    })
}
