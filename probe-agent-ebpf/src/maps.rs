//! The maps and the read-only global that the hooks share with userspace.

use aya_ebpf::{
    helpers::bpf_get_smp_processor_id,
    macros::map,
    maps::{Array, RingBuf},
};
use probe_agent_common::{
    Counter, EventRecord, KernelLayout, OWNED_WORDS, PortEntry, RING_BYTES, SlotRecord, owned_bit,
    owned_word,
};

/// `BPF_F_MMAPABLE` (`include/uapi/linux/bpf.h`): userspace reads and writes the elements without a
/// system call. This is not only for speed: while `bpf()` looks up or updates an element, no tracing
/// program runs on that CPU (`bpf_disable_instrumentation`), for as long as the caller is scheduled out,
/// and those events are lost without a count.
const MMAPABLE: u32 = 1 << 10;

/// A bit for each local port that has an entry in [`PORTS`]. Every event of others asks this question;
/// 8 KiB stay in the cache, the 2 MiB of entries do not.
#[map]
static OWNED: Array<u64> = Array::with_max_entries(OWNED_WORDS, MMAPABLE);

/// Indexed by local port.
#[map]
static PORTS: Array<PortEntry> = Array::with_max_entries(1 << 16, MMAPABLE);

/// Indexed by slot; userspace sets the length before loading.
#[map]
static SLOTS: Array<SlotRecord> = Array::with_max_entries(1, MMAPABLE);

/// Indexed by slot; userspace sets the length before loading. When the last event that no socket was part
/// of was lost on the slot's port, by `bpf_ktime_get_ns()`; 0 if none was.
#[map]
static LAST_LOSS: Array<u64> = Array::with_max_entries(1, MMAPABLE);

/// Unusual events, in kernel time order per CPU.
#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Indexed by CPU and, within, by [`Counter`]; userspace sets the length before loading. An array per
/// CPU, which the kernel would keep apart itself, cannot be mapped.
#[map]
static COUNTERS: Array<u64> = Array::with_max_entries(Counter::COUNT, MMAPABLE);

/// Overwritten by userspace before loading. The map behind it is frozen: the verifier knows each offset
/// as a constant and drops the branches that this kernel does not need.
#[unsafe(no_mangle)]
static LAYOUT: KernelLayout = KernelLayout::NONE;

/// Reads one member of [`LAYOUT`], as `layout!(socket.local_port)`.
///
/// The read is volatile, so that the compiler does not put the initial value in its place.
macro_rules! layout {
    ($($member:tt)+) => {
        // SAFETY: the pointer comes from a reference-able member of a static; it is aligned and
        // its memory is never written while the program runs.
        unsafe { core::ptr::read_volatile(&raw const $crate::maps::layout_static().$($member)+) }
    };
}
pub(crate) use layout;

/// The static behind [`layout!`].
#[inline(always)]
pub(crate) fn layout_static() -> &'static KernelLayout {
    &LAYOUT
}

/// Whether a local port is the agent's.
#[inline(always)]
pub(crate) fn is_owned(port: u16) -> bool {
    OWNED.get(owned_word(port)).is_some_and(|word| word & owned_bit(port) != 0)
}

/// The filter's entry for a local port; `None` if the port is not the agent's.
#[inline(always)]
pub(crate) fn port(port: u16) -> Option<&'static PortEntry> {
    let entry = PORTS.get(u32::from(port))?;
    (entry.slot_plus_one != 0).then_some(entry)
}

/// The record of a slot.
#[inline(always)]
pub(crate) fn slot(index: u32) -> Option<&'static mut SlotRecord> {
    let record = SLOTS.get_ptr_mut(index)?;
    // SAFETY: the pointer is to an element of a map that lives as long as the program. The hooks
    // of one slot's socket run under its socket lock, one at a time; userspace reads only while
    // none of them can run (see `SlotRecord`).
    Some(unsafe { &mut *record })
}

/// Notes that an event on a slot's port was lost.
#[inline(always)]
pub(crate) fn lost_on(slot: u32, at: u64) {
    if let Some(last) = LAST_LOSS.get_ptr_mut(slot) {
        // SAFETY: the element is in a map that lives as long as the program, and is written as a whole.
        // Two CPUs may write at the same time: either time will do.
        unsafe { last.write_volatile(at) };
    }
}

/// Adds one to a counter.
#[inline(always)]
pub(crate) fn count(counter: Counter) {
    // SAFETY: the helper has no preconditions.
    let cpu = unsafe { bpf_get_smp_processor_id() };
    if let Some(value) = COUNTERS.get_ptr_mut(cpu * Counter::COUNT + counter as u32) {
        // SAFETY: the element is this CPU's own, and programs do not migrate while they run.
        unsafe { *value += 1 };
    }
}

/// Puts a record into the ring buffer; `false` if there was no room.
#[inline(always)]
pub(crate) fn send(record: &EventRecord) -> bool {
    let sent = EVENTS.output::<EventRecord>(record, 0).is_ok();
    count(if sent { Counter::Events } else { Counter::EventsLost });
    sent
}
