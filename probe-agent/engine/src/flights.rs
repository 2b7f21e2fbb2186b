//! The probes in flight, by slot.

use model::record::ProbeId;
use model::target::TargetId;
use probe_agent_common::FlowKey;

/// A refusal for which another probe, from another port if one is free, decides whether it is genuine (path C).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Confirmation {
    pub(crate) target: TargetId,
    /// The 4-tuple of the refused probe.
    pub(crate) flow: FlowKey,
    /// The refused probe.
    pub(crate) first: ProbeId,
}

/// A probe that has started and not ended.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) target: TargetId,
    pub(crate) flow: FlowKey,
    pub(crate) generation: u32,
    pub(crate) started_at: u64,
    /// It is the first probe of its socket.
    pub(crate) fresh_socket: bool,
    /// If it is refused, a confirmation probe must decide whether the refusal is genuine.
    pub(crate) refusal_in_doubt: bool,
    pub(crate) early_reuse: bool,
    /// The refused probe, if this is a confirmation probe.
    pub(crate) confirms: Option<ProbeId>,
    /// Kernel events lost by the time it started.
    pub(crate) lost_before: u64,
}

/// All probes in flight.
#[derive(Debug, Default)]
pub(crate) struct Flights {
    by_slot: Vec<Option<Flight>>,
    count: usize,
}

impl Flights {
    pub(crate) fn len(&self) -> usize {
        self.count
    }

    pub(crate) fn insert(&mut self, slot: u32, flight: Flight) {
        let index = slot as usize;
        if self.by_slot.len() <= index {
            self.by_slot.resize_with(index + 1, || None);
        }
        if let Some(place) = self.by_slot.get_mut(index) {
            *place = Some(flight);
            self.count += 1;
        }
    }

    pub(crate) fn get(&self, slot: u32) -> Option<&Flight> {
        self.by_slot.get(slot as usize)?.as_ref()
    }

    pub(crate) fn remove(&mut self, slot: u32) -> Option<Flight> {
        let flight = self.by_slot.get_mut(slot as usize)?.take()?;
        self.count -= 1;
        Some(flight)
    }

    /// Whether this generation of a slot is in flight.
    pub(crate) fn contains(&self, slot: u32, generation: u32) -> bool {
        self.get(slot).is_some_and(|flight| flight.generation == generation)
    }

    /// The memory that [`Self::insert`] will write, for prefetching.
    pub(crate) fn entry(&self, slot: u32) -> Option<&Option<Flight>> {
        self.by_slot.get(slot as usize)
    }
}
