//! Puts one event into the ring buffer and counts it in the slot's record.

use aya_ebpf::{EbpfContext, helpers::bpf_ktime_get_ns};
use aya_log_ebpf::warn;
use probe_agent_common::{Counter, EventRecord, FlowKey, NO_SLOT, PortEntry, RecordKind};

use crate::{filter::Owner, maps, packet::Segment};

/// What a hook knows of an event beyond its flow.
pub(crate) struct Details {
    pub(crate) kind: RecordKind,
    pub(crate) state: u8,
    pub(crate) old_state: u8,
    pub(crate) detail: i32,
    pub(crate) place: u32,
    /// The packet that the event is about.
    pub(crate) segment: Segment,
}

impl Details {
    /// An event about which nothing else is to be said.
    #[inline(always)]
    pub(crate) const fn of(kind: RecordKind) -> Self {
        Self { kind, state: 0, old_state: 0, detail: 0, place: 0, segment: Segment::UNKNOWN }
    }
}

/// Sends an event that a slot's socket was part of.
#[inline(always)]
pub(crate) fn of_slot(owner: Owner, flow: FlowKey, details: &Details) {
    owner.record.events += 1;
    if !send(owner.slot, owner.record.generation, flow, details) {
        owner.record.events_lost += 1;
    }
}

/// Sends an event that no socket of the agent was part of. The flow's local port is that of `entry`: if
/// the event is lost, it concerns the probes of that slot alone.
#[inline(always)]
pub(crate) fn of_flow(entry: &PortEntry, flow: FlowKey, details: &Details) {
    if !send(NO_SLOT, 0, flow, details) {
        maps::lost_on(entry.slot_plus_one - 1, now());
    }
}

#[inline(always)]
fn now() -> u64 {
    // SAFETY: the helper has no preconditions.
    unsafe { bpf_ktime_get_ns() }
}

#[inline(always)]
fn send(slot: u32, generation: u32, flow: FlowKey, details: &Details) -> bool {
    maps::send(&EventRecord {
        at: now(),
        slot,
        generation,
        detail: details.detail,
        kind: details.kind as u8,
        state: details.state,
        old_state: details.old_state,
        flags: details.segment.flags,
        flow,
        seq: details.segment.seq,
        ack: details.segment.ack,
        place: details.place,
    })
}

/// Reports something that no known kernel does.
#[inline(always)]
pub(crate) fn anomaly(ctx: &impl EbpfContext, what: &'static str, value: u32) {
    maps::count(Counter::Anomalies);
    warn!(ctx, "unexpected {}: {}", what, value);
}
