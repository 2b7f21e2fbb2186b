//! One kernel observation, as it travels through the ring buffer.

use crate::FlowKey;

/// `EventRecord::slot` of an event that no slot's socket was part of.
pub const NO_SLOT: u32 = u32::MAX;

/// What the kernel did. The discriminants are the wire values of `EventRecord::kind`.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum RecordKind {
    /// `inet_sock_set_state`: the socket went from `old_state` to `state`.
    StateChange = 1,
    /// `tcp_send_reset`: a RST was generated (which is not yet transmission). `detail` is the
    /// value of `enum sk_rst_reason`, or -1 where the kernel has none.
    RstSent = 2,
    /// `tcp_receive_reset`: an acceptable RST arrived for a socket.
    RstReceived = 3,
    /// `tcp_retransmit_skb`: the socket sent a segment again; in `SYN_SENT` that is the SYN.
    /// `detail` is the result of the transmission (0 or a negative errno), 0 where the kernel
    /// does not say.
    SegmentRetransmit = 4,
    /// `tcp_retransmit_synack`: a server on this host sent its SYN-ACK again. The flow is turned
    /// round, so that it is the probe's.
    SynAckRetransmit = 5,
    /// The ACK guard (`cgroup_skb/egress`) held back a bare ACK of the probe's socket.
    AckHeldBack = 6,
}

/// A value of `EventRecord::kind` that this version does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnknownRecordKind(pub u8);

impl TryFrom<u8> for RecordKind {
    type Error = UnknownRecordKind;

    fn try_from(value: u8) -> Result<Self, Self::Error> {
        Ok(match value {
            1 => Self::StateChange,
            2 => Self::RstSent,
            3 => Self::RstReceived,
            4 => Self::SegmentRetransmit,
            5 => Self::SynAckRetransmit,
            6 => Self::AckHeldBack,
            other => return Err(UnknownRecordKind(other)),
        })
    }
}

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
    /// Depends on `kind`; see [`RecordKind`].
    pub detail: i32,
    /// An [`RecordKind`].
    pub kind: u8,
    /// TCP state of the socket, 0 without a socket (`net/tcp_states.h`).
    pub state: u8,
    /// The state before, for [`RecordKind::StateChange`]; otherwise 0.
    pub old_state: u8,
    /// Explicit padding, always 0.
    pub _pad: u8,
    /// The probe's 4-tuple, seen from the agent.
    pub flow: FlowKey,
    /// Explicit padding, always 0.
    pub _pad2: [u8; 4],
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<EventRecord>() == 64 && align_of::<EventRecord>() == 8);
    assert!(offset_of!(EventRecord, detail) == 16);
    assert!(offset_of!(EventRecord, kind) == 20);
    assert!(offset_of!(EventRecord, flow) == 24);
};

#[cfg(test)]
mod tests {
    use super::RecordKind;

    #[test]
    fn every_kind_decodes_from_its_wire_value_and_no_other_does() {
        let decoded = (0..=u8::MAX).filter_map(|v| Some((v, RecordKind::try_from(v).ok()?)));
        for (value, kind) in decoded.clone() {
            assert_eq!(kind as u8, value);
        }
        assert_eq!(decoded.count(), 6);
    }
}
