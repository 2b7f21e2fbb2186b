//! Types shared by the eBPF programs and userspace.
//!
//! Only fixed-width integers, arrays and explicit padding cross the kernel boundary. Size and
//! offsets of each record are asserted at compile time, on both sides, because both sides compile
//! this crate. Numbers that stand for an enum are decoded by `TryFrom`, never transmuted.
#![no_std]

mod counters;
mod event;
mod flow;
mod layout;
mod observation;
#[cfg(feature = "user")]
mod pod;
mod port;
mod slot_record;

pub use counters::Counter;
pub use event::{EventRecord, NO_SLOT};
pub use flow::{FlowKey, v4_mapped};
pub use layout::{ABSENT, DROP_REASON_WORDS, KernelLayout, PacketLayout, SocketLayout, TcpLayout};
pub use observation::{
    DROP_OTHER_NETNS, DROP_OUR_NETNS, DROP_OUTGOING, HOOKS, Hook, HookArgument, HookKind,
    KFREE_SKB, RECEIVE_RESET, RETRANSMIT_SKB, RETRANSMIT_SYNACK, RST_FUNCTIONS, RST_TRACEPOINT,
    RecordKind, SET_STATE, UnknownRecordKind,
};
pub use port::{OWNED_WORDS, PortEntry, owned_bit, owned_word};
pub use slot_record::SlotRecord;

/// Size of the ring buffer in bytes: about 52,000 event records of 72 + 8 bytes.
///
/// A power of two and a multiple of the page size, as `BPF_MAP_TYPE_RINGBUF` demands. Only unusual
/// events pass through it, so it holds seconds of trouble.
pub const RING_BYTES: u32 = 4 << 20;
