//! Events that came before their probe ended.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
};

use foldhash::fast::RandomState;
use probe_agent_common::FlowKey;

use super::MAX_EVENTS;
use crate::drops;
use model::{
    event::{Event, EventKind, FlowEvent},
    flow,
    record::ProbeRecord,
};

/// At most so many events without a socket wait for their probe. Most wait in vain: a server that
/// gets no RST asks again long after its probe was settled. The oldest give way; none of them could
/// change a verdict, so that this is no loss.
const MAX_OF_FLOWS: usize = 4096;

/// Events that wait for their probe to end. Bounded by slots, by [`MAX_EVENTS`] for each, and by
/// [`MAX_OF_FLOWS`].
#[derive(Debug, Default)]
pub(super) struct EarlyEvents {
    of_slots: HashMap<u32, OfSlot, RandomState>,
    of_flows: VecDeque<(FlowKey, Event)>,
}

/// The events of the probe that a slot is running.
#[derive(Debug, Default)]
struct OfSlot {
    generation: u32,
    events: Vec<Event>,
    /// There were more than are kept.
    dropped: bool,
}

impl EarlyEvents {
    /// Keeps an event; `false` if there was no room for it and the evidence is incomplete now.
    pub(super) fn keep(&mut self, event: &FlowEvent) -> bool {
        let Some((slot, generation)) = event.socket else {
            if self.of_flows.len() >= MAX_OF_FLOWS {
                self.of_flows.pop_front();
            }
            self.of_flows.push_back((event.flow, event.event));
            return true;
        };
        let entry = self.of_slots.entry(slot).or_default();
        if entry.generation != generation {
            *entry = OfSlot { generation, ..OfSlot::default() };
        }
        if entry.events.len() >= MAX_EVENTS {
            entry.dropped = true;
            return false;
        }
        entry.events.push(event.event);
        true
    }

    /// Number of events that no socket took part in.
    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.of_flows.len()
    }

    /// The events of a probe that has just ended, in time order, and whether some were dropped.
    pub(super) fn claim(&mut self, record: &ProbeRecord) -> (Vec<Event>, bool) {
        let own =
            if self.of_slots.is_empty() { None } else { self.of_slots.remove(&record.id.slot) };
        let own = own.filter(|own| generation_is(record, own.generation)).unwrap_or_default();
        let OfSlot { mut events, dropped, .. } = own;
        if !self.of_flows.is_empty() {
            self.of_flows.retain(|(flow, event)| {
                if let Some(from) = synack_from_elsewhere(record, flow, event) {
                    let kind = EventKind::SynAckFromElsewhere { from };
                    events.push(Event { at: event.at, kind });
                    return false;
                }
                let mine = *flow == record.flow && without_socket_is_of(record, event);
                if mine {
                    events.push(*event);
                }
                !mine
            });
        }
        events.sort_by_key(|e| e.at);
        (events, dropped)
    }

    /// Forgets events of flows that nobody claimed until `before`.
    pub(super) fn forget(&mut self, before: u64) {
        while self.of_flows.front().is_some_and(|(_, event)| event.at < before) {
            self.of_flows.pop_front();
        }
    }
}

/// Who sent the SYN-ACK that a RST answers, if it acknowledges the record's SYN and comes from another address:
/// an address translation that works one way only.
fn synack_from_elsewhere(
    record: &ProbeRecord,
    flow: &FlowKey,
    event: &Event,
) -> Option<SocketAddr> {
    let EventKind::RstSent { socket: None, answers: Some(segment), .. } = event.kind else {
        return None;
    };
    let is_same_end = (flow.local, flow.local_port) == (record.flow.local, record.flow.local_port);
    let acknowledges = segment.flags.is_synack() && record.syn_end() == Some(segment.ack);
    (is_same_end && acknowledges && *flow != record.flow).then(|| flow::remote(flow))
}

/// Whether an event of the record's flow that no socket took part in is of this probe, or of one
/// after it.
pub(super) fn without_socket_is_of(record: &ProbeRecord, event: &Event) -> bool {
    if is_of_twin(record, &event.kind) {
        return false;
    }
    if event.kind.may_precede_close() {
        return record.syn_at() <= event.at;
    }
    // As long as there is a socket, that answers.
    record.kernel.is_some_and(|k| k.closed_at != 0 && k.closed_at <= event.at)
}

/// Whether the sequence numbers show that an event of another network namespace is of another flow, which has
/// the same addresses and ports there.
fn is_of_twin(record: &ProbeRecord, kind: &EventKind) -> bool {
    match kind {
        EventKind::SynAckRetransmit { segment: Some(segment) } => {
            record.syn_end().is_some_and(|end| segment.ack != end)
        }
        EventKind::PacketDropped(drop) => !drop.is_here() && !drops::has_numbers_of(record, drop),
        _ => false,
    }
}

/// Whether the sequence numbers of an event are known, and those of the record's connection.
pub(super) fn numbers_are_of(record: &ProbeRecord, kind: &EventKind) -> bool {
    let Some(end) = record.syn_end() else { return false };
    match kind {
        EventKind::RstSent { socket: None, answers: Some(segment), .. }
        | EventKind::SynAckRetransmit { segment: Some(segment) } => segment.ack == end,
        EventKind::PacketDropped(drop) => drops::has_numbers_of(record, drop),
        _ => false,
    }
}

/// Whether an event of the slot's `generation` (the kernel's count) is of this probe.
pub(super) fn generation_is(record: &ProbeRecord, generation: u32) -> bool {
    record.kernel.is_some_and(|k| k.generation == generation)
}
