//! What the kernel noted about the probe that a slot is running.

/// One element of the memory-mapped `SLOTS` array; the hooks write it, the slot's worker reads it.
///
/// This record alone describes a clean probe, which puts nothing into the ring buffer. The worker
/// reads it after its own `connect(AF_UNSPEC)` or `close()`: every write to it happened under the
/// socket lock before that call returned, and the next comes only with the worker's next
/// `connect()`.
///
/// Times are `bpf_ktime_get_ns()`, nanoseconds of `CLOCK_MONOTONIC`; 0 means that it did not happen.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SlotRecord {
    /// `CLOSE -> SYN_SENT` or, with `sock_ops`, `tcp_connect()`: just before the SYN leaves.
    pub syn_sent_at: u64,
    /// `SYN_SENT -> ESTABLISHED`: the SYN-ACK was accepted.
    pub established_at: u64,
    /// `* -> CLOSE`.
    pub closed_at: u64,
    /// The RST of the disconnect: a RST of this socket that answers nothing, in `CLOSE`.
    pub rst_sent_at: u64,
    /// Counts the probes of this slot: incremented with each `CLOSE -> SYN_SENT`.
    pub generation: u32,
    /// Events of this probe that went into the ring buffer, or should have (see `events_lost`).
    pub events: u32,
    /// Of those, the ones for which the ring buffer had no room.
    pub events_lost: u32,
    /// `enum sk_rst_reason` of the disconnect's RST, or -1 where the kernel has none.
    pub rst_reason: i32,
    /// Address of the kernel's `struct sock`, noted with `CLOSE -> SYN_SENT`. It tells later events
    /// from those of another socket that has the same local port (in another network namespace).
    pub socket: u64,
    /// `tcp_sock.segs_out` when the socket was closed: the SYN, its retransmits, and every ACK that
    /// the stack made, held back or not; 0 where it cannot be read.
    pub segments_out: u32,
    /// ACKs that the ACK guard held back.
    pub acks_held: u16,
    /// `tcp_sock.total_retrans` when the socket was closed: times that the SYN was sent again; 0
    /// where it cannot be read.
    pub retransmits: u16,
    /// Where the SYN really goes: a program on the cgroup may have replaced the address that `connect()`
    /// was given (`BPF_CGROUP_INET4_CONNECT`). As in a [`FlowKey`](crate::FlowKey).
    pub remote: [u8; 16],
    /// The acknowledgment number that an answer to the SYN must have (`snd_nxt`); 0 if it is not known.
    pub syn_end: u32,
    /// Sequence number of the SYN-ACK, plus 1 (`rcv_nxt`); 0 if it is not known.
    pub synack_end: u32,
    /// The round trip in microseconds, as the kernel measured it with the SYN-ACK (`srtt_us`); with
    /// timestamps, it belongs to the SYN that was answered. 0 if it is not known.
    pub round_trip: u32,
    /// The port that belongs to `remote`, in host order.
    pub remote_port: u16,
    /// The receive window that the SYN-ACK offers.
    pub synack_window: u16,
    /// The flags of the SYN-ACK; 0 if its header was not read (before 5.10, or without `sock_ops`).
    pub synack_flags: u8,
    /// Explicit padding, always 0.
    pub _pad: [u8; 7],
}

const _: () = {
    use core::mem::offset_of;
    assert!(size_of::<SlotRecord>() == 104 && align_of::<SlotRecord>() == 8);
    assert!(offset_of!(SlotRecord, generation) == 32);
    assert!(offset_of!(SlotRecord, rst_reason) == 44);
    assert!(offset_of!(SlotRecord, socket) == 48);
    assert!(offset_of!(SlotRecord, remote) == 64);
    assert!(offset_of!(SlotRecord, synack_flags) == 96);
};
