//! Which slot a probe gets.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use arrayvec::ArrayVec;
use kernel::prefetch::prefetch;
use model::flow;
use probe_agent_common::FlowKey;

use super::{SlotTable, unsettled::Remote};
use crate::{settings::PortPolicy, source_address};

/// How many free slots are considered before the first of them is reused early.
const MAX_CANDIDATES: usize = 8;

/// A slot that was chosen for a target.
pub(crate) struct ChosenSlot {
    pub(crate) slot: u32,
    /// The 4-tuple is used again before its last probe is settled.
    pub(crate) early_reuse: bool,
    /// The slot was moved from another source address while probes of it were not settled: their late events
    /// are not observed.
    pub(crate) relocated: bool,
}

impl SlotTable {
    /// Chooses a slot for a target, `now`, in nanoseconds of `CLOCK_MONOTONIC`. In this order: the slot idle
    /// for longest whose 4-tuple is settled, a new slot unless more of them would gain nothing, and the slot
    /// idle for longest although its 4-tuple is not settled. A confirmation probe gets the 4-tuple `avoid`
    /// only if no other port is free. What refused the first probe there is gone: a server drops the stale
    /// connection that it resets (`tcp_check_req`, path C).
    ///
    /// # Errors
    /// Any error of the system calls; `EADDRNOTAVAIL` if there is no slot.
    pub(crate) fn choose(
        &mut self,
        ip: IpAddr,
        target: SocketAddr,
        avoid: Option<&FlowKey>,
        now: u64,
    ) -> io::Result<ChosenSlot> {
        self.pace.on_start(now);
        let usual = |slot| ChosenSlot { slot, early_reuse: false, relocated: false };
        let pin = self.policy == PortPolicy::Pin && avoid.is_none();
        let remote = Remote::from(target);
        self.has_many_remotes |= *self.only_remote.get_or_insert(remote) != remote;
        let mut fallback = None;
        let mut avoided = None;
        let mut found = None;
        let candidates: ArrayVec<u32, MAX_CANDIDATES> =
            self.free_slots(ip).take(MAX_CANDIDATES).collect();
        for (at, index) in candidates.into_iter().enumerate() {
            let slot = &self.slots[index as usize];
            if is_loop(ip, slot.local.port(), target) {
                continue;
            }
            if avoid.is_some_and(|avoid| *avoid == flow::flow(slot.local, target)) {
                avoided = Some(at);
                continue;
            }
            if pin || slot.unsettled.last_closing(remote).is_none() {
                found = Some(at);
                break;
            }
            fallback = fallback.or(Some(at));
            // Those behind it were used later, and for the same target.
            if !self.has_many_remotes {
                break;
            }
        }
        if let Some(slot) = found.and_then(|at| self.take_free(ip, at)) {
            match self.ensure_socket(slot) {
                Ok(()) => return Ok(usual(slot)),
                // A process that is about to be started may hold the old socket a moment longer.
                Err(error)
                    if error.raw_os_error() == Some(libc::EADDRINUSE) && self.can_add_slot() => {}
                Err(error) => return Err(error),
            }
        }
        let gains_by_more = fallback.is_none() || !self.pace.is_too_fast();
        let fallback = fallback.or(avoided);
        while gains_by_more && self.can_add_slot() {
            match self.add_slot(ip, target) {
                Ok(slot) if is_loop(ip, self.slots[slot as usize].local.port(), target) => {
                    self.release(slot);
                }
                Ok(slot) => return Ok(usual(slot)),
                Err(error) if fallback.is_none() => return Err(error),
                // Out of ports or descriptors: use one of the existing slots.
                Err(_) => break,
            }
        }
        if let Some(slot) = fallback.and_then(|at| self.take_free(ip, at)) {
            self.ensure_socket(slot)?;
            return Ok(ChosenSlot { early_reuse: true, ..usual(slot) });
        }
        let (slot, relocated) = self.relocate(ip, target)?;
        Ok(ChosenSlot { relocated, ..usual(slot) })
    }

    /// The slot that the probe after the next one from a source address will probably get. Prefetches its
    /// entry, and that of the next candidate.
    pub(crate) fn look_ahead(&self, ip: IpAddr) -> Option<u32> {
        if let Some(candidate) = self.free_slots(ip).nth(MAX_CANDIDATES) {
            prefetch(&self.slots[candidate as usize]);
        }
        self.free_slots(ip).nth(1)
    }

    /// The free slots of a source address, the one idle for longest first.
    fn free_slots(&self, ip: IpAddr) -> impl Iterator<Item = u32> {
        self.free.get(&ip).into_iter().flatten().copied()
    }

    /// Takes a slot out of the free ones; `at` is its position in [`Self::free_slots`].
    pub(super) fn take_free(&mut self, ip: IpAddr, at: usize) -> Option<u32> {
        self.free.get_mut(&ip)?.remove(at)
    }

    /// Moves a slot from another source address to this one, for when no further slot may be made. Takes
    /// the slot idle for longest of the address with the most free slots, provided that its port is not the
    /// target's own. The slot keeps its port and is not among the free ones. Also returns whether probes of it are
    /// not settled.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if there is no such slot, and any error of the system calls.
    fn relocate(&mut self, ip: IpAddr, target: SocketAddr) -> io::Result<(u32, bool)> {
        let fits = |index: &u32| !is_loop(ip, self.slots[*index as usize].local.port(), target);
        let others = self.free.iter().filter(|(other, _)| **other != ip);
        let donors = others
            .filter_map(|(other, free)| Some((free.len(), *other, free.iter().position(fits)?)));
        let donor = donors.max_by_key(|(free, ..)| *free);
        let index = donor
            .and_then(|(_, other, at)| self.take_free(other, at))
            .ok_or(io::Error::from_raw_os_error(libc::EADDRNOTAVAIL))?;
        let slot = &mut self.slots[index as usize];
        slot.socket = None;
        // They ran on other 4-tuples.
        let were_unsettled = !slot.unsettled.is_empty();
        slot.unsettled.clear();
        slot.local = source_address::local(ip, slot.local.port(), target);
        self.ensure_socket(index)?;
        Ok((index, were_unsettled))
    }
}

/// Whether a probe would go to the same address and port that it comes from. Its SYN would reach its own
/// socket, which would answer it (simultaneous open; RFC 9293, section 3.5), so that a port of this host
/// where nothing listens would look alive.
fn is_loop(ip: IpAddr, port: u16, address: SocketAddr) -> bool {
    port == address.port() && ip.to_canonical() == address.ip().to_canonical()
}
