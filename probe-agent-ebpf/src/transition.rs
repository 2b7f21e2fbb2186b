//! What a probe's changes of state mean, for whichever hook reports them: the three of a clean probe
//! are noted in the slot's record, any other is emitted.

use aya_ebpf::{EbpfContext, helpers::bpf_ktime_get_ns};
use probe_agent_common::{FlowKey, PortEntry, RecordKind, SlotRecord};

use crate::{
    emit::{self, Details},
    filter,
    tcp_state::{CLOSE, ESTABLISHED, SYN_SENT},
};

/// A socket on one of the agent's ports goes from one state to another.
pub(crate) struct Transition {
    pub(crate) port: u16,
    /// Address of the kernel's `struct sock`.
    pub(crate) sk: u64,
    pub(crate) from: i32,
    pub(crate) to: i32,
}

/// What a socket has counted since it was last connected.
pub(crate) trait Counts {
    /// `tcp_sock.segs_out`; 0 where it cannot be read.
    fn segments_out(&self) -> u32;
    /// `tcp_sock.total_retrans`; 0 where it cannot be read.
    fn retransmits(&self) -> u32;
    /// `tcp_sock.snd_nxt`; 0 where it cannot be read.
    fn snd_nxt(&self) -> u32;
    /// `tcp_sock.rcv_nxt`; 0 where it cannot be read.
    fn rcv_nxt(&self) -> u32;
    /// `tcp_sock.srtt_us`, eight times the round trip; 0 where it cannot be read.
    fn srtt_us(&self) -> u32;
}

/// Where a SYN goes.
pub(crate) struct Remote {
    pub(crate) address: [u8; 16],
    pub(crate) port: u16,
}

/// `CLOSE -> SYN_SENT`: a probe begins on the slot that has the port, in the context of the agent's
/// `connect()`. The caller has made sure that the socket is the slot's.
#[inline(always)]
pub(crate) fn on_connect(entry: &PortEntry, sk: u64, remote: &Remote) {
    let Some(owner) = filter::owner_of(entry) else { return };
    *owner.record = SlotRecord {
        // SAFETY: the helper has no preconditions.
        syn_sent_at: unsafe { bpf_ktime_get_ns() },
        generation: owner.record.generation.wrapping_add(1),
        socket: sk,
        remote: remote.address,
        remote_port: remote.port,
        ..SlotRecord::default()
    };
}

/// `SYN_SENT -> ESTABLISHED`: an acceptable SYN-ACK has come.
#[inline(always)]
pub(crate) fn established(record: &mut SlotRecord, now: u64, counts: &impl Counts) {
    record.established_at = now;
    record.syn_end = counts.snd_nxt();
    record.synack_end = counts.rcv_nxt();
    record.round_trip = counts.srtt_us() >> 3;
}

/// Any later transition.
#[inline(always)]
pub(crate) fn on_state_change(
    ctx: &impl EbpfContext,
    change: &Transition,
    flow: impl FnOnce() -> FlowKey,
    counts: &impl Counts,
) {
    let Some(owner) = filter::owner_of_socket(change.port, change.sk) else { return };
    // SAFETY: the helper has no preconditions.
    let now = unsafe { bpf_ktime_get_ns() };
    match (change.from, change.to) {
        (SYN_SENT, ESTABLISHED) => {
            established(owner.record, now, counts);
            return;
        }
        (from, CLOSE) => {
            owner.record.closed_at = now;
            owner.record.segments_out = counts.segments_out();
            owner.record.retransmits = counts.retransmits().min(u32::from(u16::MAX)) as u16;
            if from == SYN_SENT {
                owner.record.syn_end = counts.snd_nxt();
            }
            if matches!(from, SYN_SENT | ESTABLISHED) {
                return;
            }
        }
        _ => {}
    }
    // A transition that a half-open probe does not have: the server sent data or a FIN, say.
    if !(1..=12).contains(&change.to) {
        emit::anomaly(ctx, "TCP state", change.to as u32);
    }
    emit::of_slot(
        owner,
        flow(),
        &Details {
            state: change.to as u8,
            old_state: change.from as u8,
            ..Details::of(RecordKind::StateChange)
        },
    );
}
