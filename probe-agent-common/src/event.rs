//! One kernel observation, as it travels through the ring buffer.

use crate::FlowKey;

/// `EventRecord::slot` of an event that no slot's socket was part of.
pub const NO_SLOT: u32 = u32::MAX;

/// One record of the ring buffer.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventRecord {
    /// `bpf_ktime_get_ns()`: nanoseconds of `CLOCK_MONOTONIC`.
    pub at: u64,
    /// The slot whose socket was part of the event, or [`NO_SLOT`].
    pub slot: u32,
    /// [`SlotRecord::generation`](crate::SlotRecord::generation) at that time; 0 without a slot.
    pub generation: u32,
    /// Depends on `kind`; see [`RecordKind`](crate::RecordKind).
    pub detail: i32,
    /// A [`RecordKind`](crate::RecordKind).
    pub kind: u8,
    /// TCP state of the socket, 0 without a socket (`net/tcp_states.h`).
    pub state: u8,
    /// The state before, for [`RecordKind::StateChange`](crate::RecordKind::StateChange); otherwise 0.
    pub old_state: u8,
    /// Flags of the packet that the event is about (`tcp_flags`: FIN to CWR), 0 if it is not known.
    pub flags: u8,
    /// The probe's 4-tuple, seen from the agent.
    pub flow: FlowKey,
    /// Sequence number of that packet; 0 if it is not known.
    pub seq: u32,
    /// Acknowledgment number of that packet; 0 if it is not known.
    pub ack: u32,
    /// Depends on `kind`; otherwise 0.
    pub place: u32,
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<EventRecord>() == 72 && align_of::<EventRecord>() == 8);
    assert!(offset_of!(EventRecord, detail) == 16);
    assert!(offset_of!(EventRecord, kind) == 20);
    assert!(offset_of!(EventRecord, flow) == 24);
    assert!(offset_of!(EventRecord, seq) == 60);
    assert!(offset_of!(EventRecord, place) == 68);
};
