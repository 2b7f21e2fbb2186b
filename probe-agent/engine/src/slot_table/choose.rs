//! Which slot a probe gets.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use arrayvec::ArrayVec;
use kernel::prefetch::prefetch;
use model::flow;
use probe_agent_common::FlowKey;

use super::SlotTable;
use crate::{addresses, settings::PortPolicy};

/// The longest-rested slots that are considered before the first of them is used again early.
const RESTED_CANDIDATES: usize = 8;

/// A slot that was chosen for a target.
pub(crate) struct Chosen {
    pub(crate) slot: u32,
    /// The 4-tuple is used again before its last probe is settled.
    pub(crate) early_reuse: bool,
    /// The slot was moved from another source address: late events for the old one are not observed.
    pub(crate) relocated: bool,
}

impl SlotTable {
    /// Chooses a slot for a target: the longest-rested one if its 4-tuple is settled, else a new one,
    /// else the longest-rested one all the same. A confirmation probe must not have the 4-tuple `avoid`.
    ///
    /// # Errors
    /// Whatever the kernel refuses with; `EADDRNOTAVAIL` if there is no slot.
    pub(crate) fn choose(
        &mut self,
        ip: IpAddr,
        target: SocketAddr,
        avoid: Option<&FlowKey>,
    ) -> io::Result<Chosen> {
        let usual = |slot| Chosen { slot, early_reuse: false, relocated: false };
        let pin = self.policy == PortPolicy::Pin && avoid.is_none();
        let mut fallback = None;
        let mut found = None;
        let candidates: ArrayVec<u32, RESTED_CANDIDATES> =
            self.rested(ip).take(RESTED_CANDIDATES).collect();
        for (at, slot) in candidates.into_iter().enumerate() {
            let entry = &self.entries[slot as usize];
            if is_loop(ip, entry.local.port(), target)
                || avoid.is_some_and(|avoid| *avoid == flow::flow(entry.local, target))
            {
                continue;
            }
            if pin || entry.last_towards(target).is_none() {
                found = Some(at);
                break;
            }
            fallback = fallback.or(Some(at));
        }
        if let Some(slot) = found.and_then(|at| self.take(ip, at)) {
            match self.refresh(slot) {
                Ok(()) => return Ok(usual(slot)),
                // A process that is about to be started may hold the old socket a moment longer.
                Err(error) if error.raw_os_error() == Some(libc::EADDRINUSE) && self.can_grow() => {
                }
                Err(error) => return Err(error),
            }
        }
        while self.can_grow() {
            match self.grow(ip, target) {
                Ok(slot) if is_loop(ip, self.entries[slot as usize].local.port(), target) => {
                    self.give_back(slot);
                }
                Ok(slot) => return Ok(usual(slot)),
                Err(error) if fallback.is_none() => return Err(error),
                // Out of ports or descriptors: go on with the slots that there are.
                Err(_) => break,
            }
        }
        if let Some(slot) = fallback.and_then(|at| self.take(ip, at)) {
            self.refresh(slot)?;
            return Ok(Chosen { early_reuse: true, ..usual(slot) });
        }
        let slot = self.relocate(ip, target)?;
        Ok(Chosen { relocated: true, ..usual(slot) })
    }

    /// The slot that the probe after the next one from a source address is likely to get. Its entry, and
    /// that of the next candidate, are on their way to the processor's cache.
    pub(crate) fn look_ahead(&self, ip: IpAddr) -> Option<u32> {
        if let Some(candidate) = self.rested(ip).nth(RESTED_CANDIDATES) {
            prefetch(&self.entries[candidate as usize]);
        }
        self.rested(ip).nth(1)
    }

    /// The free slots of a source address, the longest-rested first.
    fn rested(&self, ip: IpAddr) -> impl Iterator<Item = u32> {
        self.free.get(&ip).into_iter().flatten().copied()
    }

    /// Takes a slot out of the free ones; `at` is its position in [`Self::rested`].
    pub(super) fn take(&mut self, ip: IpAddr, at: usize) -> Option<u32> {
        self.free.get_mut(&ip)?.remove(at)
    }

    /// Moves the longest-rested slot of another source address to this one, for when no further slot may
    /// be made. It keeps its port; it is not among the free ones.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if there is none, and whatever the kernel refuses with.
    fn relocate(&mut self, ip: IpAddr, target: SocketAddr) -> io::Result<u32> {
        let others = self.free.iter().filter(|(of, free)| **of != ip && !free.is_empty());
        let richest = others.max_by_key(|(_, free)| free.len()).map(|(of, _)| *of);
        let index = richest
            .and_then(|of| self.take(of, 0))
            .ok_or(io::Error::from_raw_os_error(libc::EADDRNOTAVAIL))?;
        let entry = &mut self.entries[index as usize];
        entry.socket = None;
        // They ran on other 4-tuples.
        entry.unsettled.clear();
        entry.local = addresses::local(ip, entry.local.port(), target);
        self.refresh(index)?;
        Ok(index)
    }
}

/// Whether a probe would go to the very address and port that it comes from. Its SYN would meet its own
/// socket, which would answer (simultaneous open; RFC 9293, section 3.5): a port of this host where
/// nothing listens would look alive.
fn is_loop(ip: IpAddr, port: u16, address: SocketAddr) -> bool {
    port == address.port() && ip.to_canonical() == address.ip().to_canonical()
}
