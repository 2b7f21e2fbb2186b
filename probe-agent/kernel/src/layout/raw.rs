//! The layout of what raw tracepoints hand over, from BTF.

use std::borrow::Cow;

use probe_agent_common::{ABSENT, PacketLayout, SocketLayout};

use super::{
    Hook, Kernel, RECEIVE_RESET, RETRANSMIT_SKB, RETRANSMIT_SYNACK, SEND_RESET, SET_STATE,
    Tracepoint,
};
use crate::btf::{Argument, KernelTypes};

/// What each name of `enum sk_rst_reason` begins with; the record's print line leaves it out too.
const REASON_PREFIX: &str = "SK_RST_REASON_";

const SOCKET: Argument<'static> = Argument::Pointer(Cow::Borrowed("sock"));
const PACKET: Argument<'static> = Argument::Pointer(Cow::Borrowed("sk_buff"));
const REQUEST: Argument<'static> = Argument::Pointer(Cow::Borrowed("request_sock"));

/// The programs of `tcp_send_reset`, as long as they can be typed.
pub(super) const CLOSE: &str = "raw_tcp_send_reset";
pub(super) const ANSWER: &str = "raw_tcp_send_reset_answer";

/// A program for a raw tracepoint.
const fn hook(tracepoint: Tracepoint, program: &'static str) -> Hook {
    Hook { program, category: None, tracepoint: tracepoint.name, skipping_loses: true }
}

impl Kernel {
    /// Takes in what BTF says of the raw tracepoints; `false`, with nothing taken in, if that is not
    /// enough to go by.
    pub(super) fn raw(&mut self, types: &KernelTypes) -> bool {
        let begins = |tracepoint: Tracepoint, arguments: &[Argument<'_>]| {
            types.arguments(tracepoint.name).filter(|found| found.starts_with(arguments))
        };
        let (Some(_), Some(reset), Some(socket), Some(packet)) = (
            begins(SET_STATE, &[SOCKET, Argument::Integer, Argument::Integer]),
            begins(SEND_RESET, &[SOCKET, PACKET]),
            socket(types),
            packet(types),
        ) else {
            return false;
        };
        let has = |found: &[Argument<'_>], wanted| found.get(2) == Some(&wanted);
        self.layout.raw.socket = socket;
        self.layout.raw.packet = packet;
        self.sees_socketless_rst = has(&reset, Argument::Enum("sk_rst_reason".into()));
        self.layout.raw.reason = if self.sees_socketless_rst { 2 } else { ABSENT };
        self.rst_reasons = types
            .enumerators("sk_rst_reason")
            .into_iter()
            .map(|(number, name)| {
                (number, name.strip_prefix(REASON_PREFIX).unwrap_or(&name).to_owned())
            })
            .collect();
        self.hooks.extend([
            Hook { skipping_loses: false, ..hook(SET_STATE, "raw_inet_sock_set_state") },
            Hook { skipping_loses: false, ..hook(SEND_RESET, CLOSE) },
            hook(SEND_RESET, ANSWER),
        ]);
        let retransmit = begins(RETRANSMIT_SKB, &[SOCKET, PACKET]);
        let with_error = retransmit.as_ref().is_some_and(|found| has(found, Argument::Integer));
        self.layout.raw.err = if with_error { 2 } else { ABSENT };
        for (there, tracepoint, program) in [
            (begins(RECEIVE_RESET, &[SOCKET]).is_some(), RECEIVE_RESET, "raw_tcp_receive_reset"),
            (retransmit.is_some(), RETRANSMIT_SKB, "raw_tcp_retransmit_skb"),
            (
                begins(RETRANSMIT_SYNACK, &[SOCKET, REQUEST]).is_some(),
                RETRANSMIT_SYNACK,
                "raw_tcp_retransmit_synack",
            ),
        ] {
            if there {
                self.hooks.push(hook(tracepoint, program));
            } else {
                self.lacks(tracepoint);
            }
        }
        true
    }
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
    })
}

fn packet(types: &KernelTypes) -> Option<PacketLayout> {
    Some(PacketLayout {
        head: types.member("sk_buff", &["head"])?,
        network: types.member("sk_buff", &["network_header"])?,
        transport: types.member("sk_buff", &["transport_header"])?,
    })
}
