//! Which slot a probe gets.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use arrayvec::ArrayVec;

use super::{Engine, launch::Second};
use crate::settings::PortPolicy;
use kernel::prefetch::prefetch;
use model::{flow, target::TargetId};

/// How many of the longest-rested slots are asked whether they have rested long enough for a
/// target before the first is taken early.
const RESTED_CANDIDATES: usize = 8;

/// A slot that was chosen for a target.
pub(super) struct Chosen {
    pub(super) slot: u32,
    pub(super) early_reuse: bool,
}

impl Engine {
    /// Finds a slot for a target: the longest-rested one if its 4-tuple has rested, else a new one,
    /// else the longest-rested one all the same.
    pub(super) fn choose(
        &mut self,
        target: TargetId,
        second: Option<&Second>,
    ) -> io::Result<Chosen> {
        let address = self.book[target].address;
        let ip = self.book.source(target, &mut self.routes, &self.settings.socket)?;
        let pin = self.settings.port_policy == PortPolicy::Pin && second.is_none();
        let mut fallback = None;
        let mut place = None;
        let rested: ArrayVec<u32, { RESTED_CANDIDATES + 1 }> =
            self.pool.rested(ip).take(RESTED_CANDIDATES + 1).collect();
        self.look_ahead(&rested);
        for (at, slot) in rested.into_iter().take(RESTED_CANDIDATES).enumerate() {
            let local = self.pool.entry(slot).local;
            // The second opinion must come from another port than the first.
            if is_loop(ip, local.port(), address)
                || second.is_some_and(|s| s.flow == flow::flow(local, address))
            {
                continue;
            }
            if pin || !self.is_unsettled(slot, address) {
                place = Some(at);
                break;
            }
            fallback = fallback.or(Some(at));
        }
        if let Some(slot) = place.and_then(|at| self.pool.take(ip, at)) {
            match self.pool.refresh(slot) {
                Ok(()) => return Ok(Chosen { slot, early_reuse: false }),
                // A process that is about to be started may hold the old socket a moment longer.
                Err(error)
                    if error.raw_os_error() == Some(libc::EADDRINUSE) && self.pool.can_grow() => {}
                Err(error) => return Err(error),
            }
        }
        while self.pool.can_grow() {
            match self.pool.grow(ip, address) {
                Ok(slot) if is_loop(ip, self.pool.entry(slot).local.port(), address) => {
                    self.pool.give_back(slot);
                }
                Ok(slot) => return Ok(Chosen { slot, early_reuse: false }),
                Err(error) if fallback.is_none() => return Err(error),
                // Out of ports or descriptors: go on with the slots that there are.
                Err(_) => break,
            }
        }
        let Some(slot) = fallback.and_then(|at| self.pool.take(ip, at)) else {
            let slot = self.pool.relocate(ip, address)?;
            // The hooks do not hear any more of what comes late for its old address.
            self.unheard += u64::from(self.tracing.is_some() && !self.settling.is_empty());
            return Ok(Chosen { slot, early_reuse: false });
        };
        self.pool.refresh(slot)?;
        Ok(Chosen { slot, early_reuse: true })
    }

    /// Asks for what the next probe will look at, which was last looked at when its slot was last used.
    fn look_ahead(&mut self, rested: &[u32]) {
        if let Some(&next) = rested.get(1) {
            if let Some(flight) = self.in_flight.get(next as usize) {
                prefetch(flight);
            }
            let place = self.pool.entry(next).place;
            if let Some(pending) = place.and_then(|place| self.settling.will_read(place)) {
                prefetch(pending);
            }
            if let Some(tracing) = &self.tracing {
                tracing.tracer.slots.look_ahead(self.pool.number(next));
            }
        }
        if let Some(&candidate) = rested.get(RESTED_CANDIDATES) {
            prefetch(self.pool.entry(candidate));
        }
    }

    /// Whether an earlier probe from this slot to an address still waits.
    fn is_unsettled(&mut self, slot: u32, address: SocketAddr) -> bool {
        let now = self.now;
        let entry = self.pool.entry(slot);
        // Where few targets keep all slots busy, this answers without a look into the store.
        let known = entry.resting.is_some_and(|r| now < r.until && r.remote == address);
        known || {
            let flow = flow::flow(entry.local, address);
            self.settling.unsettled(&flow).is_some()
        }
    }

    /// Whether the source address that a target is probed from is no longer one of this host.
    pub(super) fn lacks_source(&mut self, target: TargetId) -> bool {
        let entry = &self.book[target];
        let ip = entry.source.or(self.settings.socket.source);
        let address = entry.address;
        ip.is_some_and(|ip| self.routes.is_gone(ip, address, &self.settings.socket, self.now))
    }
}

/// Whether a probe would go to the very address and port that it comes from. Its SYN would meet its own
/// socket, and that would answer (simultaneous open; RFC 9293, section 3.5): a port of this host where
/// nobody listens would look alive.
fn is_loop(ip: IpAddr, port: u16, address: SocketAddr) -> bool {
    port == address.port() && ip.to_canonical() == address.ip().to_canonical()
}
