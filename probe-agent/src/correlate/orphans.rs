//! Events that came before the end of their probe was told.

use std::collections::{HashMap, VecDeque};

use probe_agent_common::FlowKey;

use crate::{
    probe::record::ProbeRecord,
    trace::event::{Event, FlowEvent},
};

/// At most so many events without a socket wait for their probe; they are rare (a server on this
/// host that sends its SYN-ACK again while the probe still waits for the first).
const MAX_OF_FLOWS: usize = 4096;

/// Events that wait for their probe to end. Bounded: by slots and events of one probe, and by
/// [`MAX_OF_FLOWS`].
#[derive(Debug, Default)]
pub(super) struct Orphans {
    of_slots: HashMap<u32, (u32, Vec<Event>)>,
    of_flows: VecDeque<(FlowKey, Event)>,
}

impl Orphans {
    /// Keeps an event; `false` if another had to be dropped for it.
    pub(super) fn keep(&mut self, event: &FlowEvent) -> bool {
        let Some((slot, generation)) = event.socket else {
            self.of_flows.push_back((event.flow, event.event));
            return self.of_flows.len() <= MAX_OF_FLOWS || self.of_flows.pop_front().is_none();
        };
        let entry = self.of_slots.entry(slot).or_default();
        if entry.0 != generation {
            *entry = (generation, Vec::new());
        }
        entry.1.push(event.event);
        true
    }

    /// The events of a probe that has just ended, in time order.
    pub(super) fn claim(&mut self, record: &ProbeRecord) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some((_, own)) =
            self.of_slots.remove(&record.id.slot).filter(|(g, _)| generation_is(record, *g))
        {
            events = own;
        }
        if !self.of_flows.is_empty() {
            let syn_at = record.syn_at();
            self.of_flows.retain(|(flow, event)| {
                let mine = *flow == record.flow && event.at >= syn_at;
                if mine {
                    events.push(*event);
                }
                !mine
            });
        }
        events.sort_by_key(|e| e.at);
        events
    }

    /// Forgets events of flows that nobody claimed until `before`.
    pub(super) fn forget(&mut self, before: u64) {
        while self.of_flows.front().is_some_and(|(_, event)| event.at < before) {
            self.of_flows.pop_front();
        }
    }
}

/// Whether an event of the slot's `generation` (the kernel's count) is of this probe.
pub(super) fn generation_is(record: &ProbeRecord, generation: u32) -> bool {
    record.kernel.is_some_and(|k| k.generation == generation)
}
