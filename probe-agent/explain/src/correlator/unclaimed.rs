//! Stale replies that no probe of their own 4-tuple left.
//!
//! An address translation on the way may give two of the agent's ports the same port. Then the SYN of one probe
//! meets the connection of a probe from another port, and the numbers of the reply tell whose it is. A reply
//! waits here for a probe that has them to come to the end of its window. As long as no reply waits, no
//! probe is looked at.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use model::{record::ProbeRecord, segment::Segment};
use probe_agent_common::FlowKey;

use super::PendingRef;

/// The target, and what the reply acknowledges.
type Key = ([u8; 16], u16, u32);

/// A reply that did not acknowledge the SYN of the probe that received it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reply {
    /// When it arrived.
    pub(super) at: u64,
    /// The flow that it arrived on.
    pub(super) flow: FlowKey,
    /// The reply; `None` if it was not read.
    pub(super) segment: Option<Segment>,
    /// Whether the probe that received it was answered afterwards.
    pub(super) recovered: bool,
    /// That probe.
    pub(super) probe: PendingRef,
}

/// The replies whose origin is not known. Each belongs to a probe that waits, which bounds their number.
#[derive(Debug, Default)]
pub(super) struct Unclaimed {
    replies: HashMap<Key, Reply, RandomState>,
}

impl Unclaimed {
    pub(super) fn is_empty(&self) -> bool {
        self.replies.is_empty()
    }

    /// Keeps a reply. What was not read cannot be recognised.
    pub(super) fn keep(&mut self, reply: Reply) {
        if let Some(segment) = reply.segment {
            // Of two that acknowledge the same, the first shows most.
            self.replies.entry(key(&reply.flow, segment.ack)).or_insert(reply);
        }
    }

    /// Takes the reply that belongs to the connection of a probe from another port.
    pub(super) fn take(&mut self, probe: &ProbeRecord) -> Option<Reply> {
        let key = key(&probe.flow, probe.syn_end()?);
        let reply = *self.replies.get(&key)?;
        // What is left of a probe of the same 4-tuple is the business of its chain.
        let is_other = reply.flow != probe.flow && reply.at >= probe.closed_at();
        (is_other && reply.segment.is_some_and(|reply| has_number_of(probe, reply)))
            .then(|| self.replies.remove(&key))?
    }

    /// Forgets a reply on a flow that a probe received, which waits no more.
    pub(super) fn forget(&mut self, flow: &FlowKey, segment: Segment, probe: PendingRef) {
        let key = key(flow, segment.ack);
        if self.replies.get(&key).is_some_and(|reply| reply.probe == probe) {
            self.replies.remove(&key);
        }
    }
}

fn key(flow: &FlowKey, ack: u32) -> Key {
    (flow.remote, flow.remote_port, ack)
}

/// Whether a reply has the sequence number of the server's end of a probe's connection, where that is known.
fn has_number_of(probe: &ProbeRecord, reply: Segment) -> bool {
    probe.synack_seq().is_none_or(|seq| {
        // A challenge ACK has the next one (`tcp_check_req`).
        let next = u32::from(!reply.flags.is_synack());
        reply.seq == seq.wrapping_add(next)
    })
}
