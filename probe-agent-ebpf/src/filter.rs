//! Whose event is it? Events of others are dropped here.

use probe_agent_common::{FlowKey, PortEntry, SlotRecord};

use crate::maps;

/// A slot that an event belongs to.
pub(crate) struct Owner {
    /// Its index.
    pub(crate) slot: u32,
    /// Its record.
    pub(crate) record: &'static mut SlotRecord,
}

/// The slot that owns a local port; `None`, after a look at one bit, for the port of anybody else.
#[inline(always)]
pub(crate) fn owner(port: u16) -> Option<Owner> {
    if !maps::is_owned(port) {
        return None;
    }
    owner_of(maps::port(port)?)
}

/// The slot that has the port of this entry.
#[inline(always)]
pub(crate) fn owner_of(entry: &PortEntry) -> Option<Owner> {
    let slot = entry.slot_plus_one - 1;
    Some(Owner { slot, record: maps::slot(slot)? })
}

/// The slot that owns a local port and whose socket is `sk`.
///
/// The socket was checked when its SYN left, so this comparison covers address and network namespace
/// as well.
#[inline(always)]
pub(crate) fn owner_of_socket(port: u16, sk: u64) -> Option<Owner> {
    let owner = owner(port)?;
    (owner.record.socket == sk).then_some(owner)
}

/// Whether an address is the one that the port's slot is bound to.
#[inline(always)]
pub(crate) fn address_matches(entry: &PortEntry, address: &[u8; 16]) -> bool {
    let (a, b) = (halves(&entry.address), halves(address));
    // One branch, not three: the verifier follows each.
    (a.0 ^ b.0 | a.1 ^ b.1) & u64::from(entry.bound).wrapping_neg() == 0
}

/// Whether the last probe of the port's slot is to the remote end of a flow.
#[inline(always)]
pub(crate) fn is_probing(entry: &PortEntry, flow: &FlowKey) -> bool {
    let Some(record) = maps::slot(entry.slot_plus_one - 1) else { return false };
    record.remote_port == flow.remote_port && halves(&record.remote) == halves(&flow.remote)
}

/// Two comparisons in place of a call of `memcmp`, which BPF does not have.
#[inline(always)]
fn halves(address: &[u8; 16]) -> (u64, u64) {
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = *address;
    (u64::from_ne_bytes([a, b, c, d, e, f, g, h]), u64::from_ne_bytes([i, j, k, l, m, n, o, p]))
}
