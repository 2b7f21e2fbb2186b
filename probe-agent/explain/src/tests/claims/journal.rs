//! What a simulated world did to one probe.

use super::super::world::{Fate, Segment, World};
use crate::timeline::Timeline;
use model::{
    claim::{Claim, Observation, Party},
    packet_drop::{DropPlace, PacketDrop},
    record::ProbeId,
};

/// A probe and the world that it ran in.
pub(super) struct Case<'a> {
    pub(super) world: &'a World,
    pub(super) timeline: &'a Timeline,
}

impl Case<'_> {
    pub(super) const fn of(&self) -> u32 {
        self.timeline.probe.id.generation
    }

    /// Whether anything reached the client in the time of silence that shows that the server still held the
    /// connection.
    pub(super) fn was_shown(&self, claim: &Claim) -> bool {
        let came = |o: &Observation| match *o {
            Observation::NoAnswer { since, until } => {
                self.arrived(since, until, |s| is_any_reply(s) && s.of() == self.of()) > 0
            }
            _ => false,
        };
        claim.basis.observations().iter().any(came)
    }

    /// How many segments of a kind reached the client after one time and until another.
    pub(super) fn arrived(
        &self,
        after: u64,
        until: u64,
        is_wanted: impl Fn(&Segment) -> bool,
    ) -> usize {
        let truth = &self.world.truth;
        let arrives = |fate| match fate {
            Fate::Arrives(at) => after < at && at <= until,
            Fate::Lost(_) => false,
        };
        truth.segments(|s| !s.is_outgoing() && is_wanted(s)).filter(|s| arrives(s.fate)).count()
    }

    /// Whether one reached it at a time, as far as a busy kernel is on time.
    pub(super) fn arrived_at(&self, at: u64, is_wanted: impl Fn(&Segment) -> bool) -> bool {
        self.arrived(at.saturating_sub(1_000), at, is_wanted) > 0
    }

    /// The SYN-ACKs that a server sent when the RST should have reached it.
    pub(super) fn sent_after_rst(&self) -> usize {
        let truth = &self.world.truth;
        let Some(arrives) = truth.arrives.get(&self.of()) else { return 0 };
        truth.segments(|s| is_synack(s, self.of())).filter(|s| s.at > *arrives).count()
    }

    /// Whether the SYN-ACKs behind a claim left before the RST could arrive.
    pub(super) fn are_copies(&self, claim: &Claim) -> bool {
        let truth = &self.world.truth;
        let Some(arrives) = truth.arrives.get(&self.of()) else { return false };
        claim.basis.observations().iter().all(|o| match o {
            Observation::Event(event) => truth.segments(|s| is_synack(s, self.of())).any(|s| {
                let seen = match s.fate {
                    Fate::Arrives(at) | Fate::Lost(Some((_, at))) => at,
                    Fate::Lost(None) => s.at,
                };
                let is_it = event.at.abs_diff(seen) < 1_000 || event.at.abs_diff(s.at) < 1_000;
                is_it && s.at <= *arrives
            }),
            _ => false,
        })
    }

    /// Whether a server held the connection of a probe when something left it that was seen at a time.
    pub(super) fn was_held(&self, of: u32, at: u64) -> bool {
        self.world
            .truth
            .held
            .iter()
            .any(|h| h.of == of && h.from <= at && h.until + self.slack() > at)
    }

    pub(super) fn was_held_while_open(&self, of: u32) -> bool {
        let probe = &self.timeline.probe;
        let (from, until) = (probe.syn_at(), probe.closed_at());
        self.world
            .truth
            .held
            .iter()
            .any(|h| h.of == of && h.from < until && h.until + self.slack() > from)
    }

    /// A segment was on its way for so long.
    pub(super) fn slack(&self) -> u64 {
        self.world.one_way() + 1_000
    }

    /// Whether the server that the RST was sent to holds nothing when the verdict is made, or one way later.
    pub(super) fn holds_nothing(&self) -> bool {
        let (of, truth) = (self.of(), &self.world.truth);
        // The RST of a later probe needs its time, too; the watermark may be behind.
        let met = self.timeline.later.map_or(0, |later| later.at);
        let at = self.timeline.followed_until.max(met) + self.slack();
        let is_rst = |s: &Segment| matches!(s, Segment::Rst { of: o, first: true, .. } if *o == of);
        let server = truth.segments(is_rst).next().map(|sent| server(&sent.segment));
        // The later SYN may have reached the first one: a documented limit.
        server.is_some_and(|server| server == 1 || !truth.is_held(server, of, at))
    }

    /// The SYNs of the probe that this host dropped itself, or the others.
    pub(super) fn syns(&self, dropped_here: bool) -> usize {
        let is_syn = |s: &Segment| matches!(s, Segment::Syn { of, .. } if *of == self.of());
        let here = |fate| matches!(fate, Fate::Lost(Some((DropPlace::OurNetns, _))));
        self.world.truth.segments(is_syn).filter(|s| here(s.fate) == dropped_here).count()
    }

    /// The SYNs that left after the first one.
    pub(super) fn repeated_syns(&self) -> usize {
        let first = self.timeline.probe.syn_at();
        let is_syn = |s: &Segment| matches!(s, Segment::Syn { of, .. } if *of == self.of());
        let here = |fate| matches!(fate, Fate::Lost(Some((DropPlace::OurNetns, _))));
        let later = self.world.truth.segments(is_syn).filter(|s| s.at > first);
        later.filter(|s| !here(s.fate)).count()
    }

    /// Whether a party dropped such a segment of the probe.
    pub(super) fn was_dropped(&self, party: Party, packet: &PacketDrop) -> bool {
        let place = match party {
            Party::ThisHost => DropPlace::OurNetns,
            Party::OtherNetns => DropPlace::OtherNetns,
            _ => return false,
        };
        let truth = &self.world.truth;
        let sent = truth.segments(|s| s.header() == packet.segment);
        sent.filter(|s| s.segment.is_outgoing() == packet.outgoing)
            .any(|s| matches!(s.fate, Fate::Lost(Some((dropped, _))) if dropped == place))
    }

    /// Whether a SYN of the probe or its answer was lost, or came after the timer of the SYN.
    pub(super) fn lost_something(&self) -> bool {
        let (of, truth) = (self.of(), &self.world.truth);
        let mut all = truth.segments(|s| match s {
            Segment::Syn { of: o, .. } | Segment::SynAck { of: o, .. } => *o == of,
            _ => false,
        });
        // A server that holds another connection drops a SYN for which it must not send a challenge ACK (RFC 5961,
        // section 7).
        let meets_other =
            |at| truth.held.iter().any(|h| h.of != of && h.from <= at && at < h.until);
        2 * self.world.one_way() >= 900_000_000
            || all.any(|sent| match sent.fate {
                Fate::Arrives(at) => sent.segment.is_outgoing() && meets_other(at),
                Fate::Lost(_) => true,
            })
    }
}

pub(super) fn is_synack(segment: &Segment, of: u32) -> bool {
    matches!(segment, Segment::SynAck { of: o, .. } if *o == of)
}

pub(super) fn is_reply(segment: &Segment, id: ProbeId) -> bool {
    is_any_reply(segment) && segment.of() == id.generation
}

pub(super) const fn is_any_reply(segment: &Segment) -> bool {
    matches!(segment, Segment::SynAck { .. } | Segment::Challenge { .. })
}

pub(super) const fn server(segment: &Segment) -> usize {
    match segment {
        Segment::Syn { server, .. }
        | Segment::SynAck { server, .. }
        | Segment::Challenge { server, .. }
        | Segment::Rst { server, .. }
        | Segment::TargetRst { server, .. } => *server,
    }
}
