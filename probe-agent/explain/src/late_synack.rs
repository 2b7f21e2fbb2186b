//! SYN-ACKs that came after a probe had ended, by whichever event shows them.
//!
//! Three events do: the RST that the kernel sent in answer, the server's own retransmit (if the server is
//! on this host), and a SYN-ACK that this host dropped on its way in. One SYN-ACK may show in all three.
//! Sequence numbers tell the probe's own SYN-ACK from other segments of the same 4-tuple.

use model::{
    event::{Event, EventKind},
    segment::Segment,
};

use crate::timeline::Timeline;

/// How long, in nanoseconds, a SYN-ACK may take from a server on this host to the agent's end.
pub(crate) const ON_THE_WAY: u64 = 500_000_000;

/// A SYN-ACK that came after the end of the probe whose SYN it acknowledges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LateSynAck {
    /// When it was seen, nanoseconds of `CLOCK_MONOTONIC`.
    pub(crate) at: u64,
    /// Whether the kernel was seen to answer it with a RST.
    pub(crate) is_answered: bool,
    /// Whether it may be the SYN-ACK that was accepted, sent again. Not if its sequence number is another:
    /// then it comes from another server, or from one that keeps no state.
    pub(crate) is_repeated: bool,
}

impl Timeline {
    /// The SYN-ACKs that came after the probe had ended, in time order.
    pub(crate) fn late_synacks(&self) -> impl Iterator<Item = LateSynAck> {
        self.events.iter().filter_map(|event| self.late_synack(event))
    }

    /// When RSTs that no socket sent answered a SYN-ACK that came after the probe had ended, in time order.
    pub fn late_rsts(&self) -> impl Iterator<Item = u64> {
        self.late_synacks().filter(|late| late.is_answered).map(|late| late.at)
    }

    /// When the first SYN-ACK was answered that came after the probe had timed out. A probe that was answered may
    /// get further copies, which are no late answer.
    pub(crate) fn late_answer(&self) -> Option<u64> {
        self.late_rsts().next().filter(|_| self.probe.rst_at().is_none())
    }

    /// The segments of this very connection, other than its SYN-ACK, that the kernel answered with a RST after
    /// the probe had ended, in time order: whoever sends them has not dropped the connection.
    pub(crate) fn late_segments(&self) -> impl Iterator<Item = (u64, Segment)> {
        let end = self.probe.syn_end();
        self.events.iter().filter_map(move |event| match event.kind {
            EventKind::RstSent { socket: None, answers: Some(segment), .. }
                if !segment.flags.is_synack() && end == Some(segment.ack) =>
            {
                Some((event.at, segment))
            }
            _ => None,
        })
    }

    fn late_synack(&self, event: &Event) -> Option<LateSynAck> {
        let (segment, is_answered) = self.shown_synack(event)?;
        let is_repeated = self
            .probe
            .synack_seq()
            .is_none_or(|seq| segment.is_none_or(|segment| segment.seq == seq));
        Some(LateSynAck { at: event.at, is_answered, is_repeated })
    }

    /// The SYN-ACK that an event shows, unless a later event shows it better, and whether the event is its
    /// answer.
    fn shown_synack(&self, event: &Event) -> Option<(Option<Segment>, bool)> {
        match event.kind {
            EventKind::RstSent { socket: None, answers, .. } => {
                self.acknowledges_syn(answers).then_some((answers, true))
            }
            EventKind::SynAckRetransmit { segment } => {
                let is_ours = self.acknowledges_syn(segment) && event.at >= self.probe.closed_at();
                let is_shown = |kind: &EventKind| {
                    self.answers_synack(kind) || self.drops_synack(kind).is_some()
                };
                let is_last = !self.follows(event.at, is_shown);
                (is_ours && is_last).then_some((segment, false))
            }
            ref kind => {
                let segment = self.drops_synack(kind)?;
                let is_late = event.at >= self.probe.closed_at();
                is_late.then_some((Some(segment), false))
            }
        }
    }

    /// Whether an event shows a SYN-ACK of the handshake that came after the probe had ended.
    pub(crate) fn shows_late_synack(&self, event: &Event) -> bool {
        let is_late = event.at >= self.probe.closed_at();
        match event.kind {
            EventKind::RstSent { socket: None, answers, .. } => self.acknowledges_syn(answers),
            EventKind::SynAckRetransmit { segment } => is_late && self.acknowledges_syn(segment),
            ref kind => is_late && self.drops_synack(kind).is_some(),
        }
    }

    /// Whether a server on this host was seen sending its SYN-ACK again while the probe waited for it.
    pub(crate) fn server_answered(&self) -> bool {
        self.events.iter().any(|e| match e.kind {
            EventKind::SynAckRetransmit { segment } => {
                self.acknowledges_syn(segment) && e.at <= self.probe.closed_at()
            }
            _ => false,
        })
    }

    /// Whether a segment is a SYN-ACK that acknowledges the probe's SYN, as far as this can be told.
    pub(crate) fn acknowledges_syn(&self, segment: Option<Segment>) -> bool {
        segment.is_none_or(|segment| {
            segment.flags.is_synack() && self.probe.syn_end().is_none_or(|end| segment.ack == end)
        })
    }

    fn answers_synack(&self, kind: &EventKind) -> bool {
        matches!(kind, EventKind::RstSent { socket: None, answers, .. }
            if self.acknowledges_syn(*answers))
    }

    fn drops_synack(&self, kind: &EventKind) -> Option<Segment> {
        match kind {
            EventKind::PacketDropped(drop) if !drop.outgoing => {
                self.acknowledges_syn(Some(drop.segment)).then_some(drop.segment)
            }
            _ => None,
        }
    }

    /// Whether such an event follows within the time that a segment is on its way.
    fn follows(&self, at: u64, is_wanted: impl Fn(&EventKind) -> bool) -> bool {
        let mut rest = self.events.iter().filter(|e| e.at >= at && e.at - at < ON_THE_WAY);
        rest.any(|e| is_wanted(&e.kind))
    }
}
