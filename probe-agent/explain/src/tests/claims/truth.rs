//! Each claim agrees with what really happened in a simulated world.
//!
//! A claim that names a reservation may be untrue. So may one that rests on a documented assumption
//! (docs/verdicts.md, "Limits"), but only where nothing reached the client that could have shown it.

use super::super::world::{Fate, Segment, World};
use crate::timeline::Timeline;
use model::{
    claim::{Act, Assumption, Claim, Observation, Owner, Party},
    packet_drop::{DropPlace, PacketDrop},
    record::ProbeId,
};

/// Whether the claim is true.
pub(super) fn is_true(world: &World, timeline: &Timeline, claim: &Claim) -> bool {
    match claim.basis.assumption() {
        Some(Assumption::NotShown(_)) => true,
        Some(Assumption::SynAckAgain) => {
            let case = Case { world, timeline };
            case.is_true(claim) || !case.was_shown(claim)
        }
        // It is worded with `if`.
        Some(Assumption::Arrival) => true,
        None => Case { world, timeline }.is_true(claim),
    }
}

struct Case<'a> {
    world: &'a World,
    timeline: &'a Timeline,
}

impl Case<'_> {
    const fn of(&self) -> u32 {
        self.timeline.probe.id.generation
    }

    /// Whether anything reached the client in the time of silence that shows that the server still held the
    /// connection.
    fn was_shown(&self, claim: &Claim) -> bool {
        let came = |o: &Observation| match *o {
            Observation::NoAnswer { since, until } => {
                self.arrived(since, until, |s| is_any_reply(s) && s.of() == self.of()) > 0
            }
            _ => false,
        };
        claim.basis.observations().iter().any(came)
    }

    fn is_true(&self, claim: &Claim) -> bool {
        let (of, truth) = (self.of(), &self.world.truth);
        let probe = &self.timeline.probe;
        let by_target = matches!(claim.party, Party::Target(_));
        let here = claim.party == Party::ThisHost;
        let end = probe.closed_at();
        match claim.act {
            Act::Answered { after } => {
                by_target && self.arrived_at(probe.syn_at() + after, |s| is_synack(s, of))
            }
            Act::AnsweredLate { .. } => {
                by_target && self.arrived(end, u64::MAX, |s| is_synack(s, of)) > 0
            }
            Act::AnsweredAsWell { .. } => {
                let mut synacks = truth.segments(|s| is_synack(s, of));
                by_target && synacks.any(|sent| sent.at + self.slack() >= end)
            }
            Act::AnsweredEarlierSyn { of: Owner::Probe { id, .. } } => {
                by_target && self.arrived(probe.syn_at(), end, |s| is_reply(s, id)) > 0
            }
            Act::AnsweredAnotherSyn { times, .. } => {
                let others = |s: &Segment| is_any_reply(s) && s.of() != of;
                by_target && self.arrived(probe.syn_at(), end, others) == times
            }
            Act::Refused { .. } => {
                let is_rst =
                    |s: &Segment| matches!(s, Segment::TargetRst { of: o, .. } if *o == of);
                by_target && self.arrived(probe.syn_at(), end, is_rst) > 0
            }
            Act::Reset { .. } => {
                let is_rst =
                    |s: &Segment| matches!(s, Segment::TargetRst { of: o, .. } if *o == of);
                by_target && self.arrived(probe.syn_at(), u64::MAX, is_rst) > 0
            }
            Act::RetransmittedSynAck { times, .. } => {
                by_target && self.sent_after_rst() >= times && truth.lost.contains(&of)
            }
            Act::SentCopy { .. } => by_target && self.are_copies(claim),
            Act::SentOtherSynAck => {
                by_target && truth.segments(|s| is_synack(s, of)).any(|s| server(&s.segment) == 1)
            }
            Act::OfferedNoWindow => by_target && truth.proxied.contains(&of),
            Act::ReceivedSyn => {
                let is_syn = |s: &Segment| matches!(s, Segment::Syn { of: o, .. } if *o == of);
                by_target
                    && truth.segments(is_syn).any(|sent| matches!(sent.fate, Fate::Arrives(_)))
            }
            Act::MissedRst => by_target && truth.lost.contains(&of),
            Act::Held { of: Owner::ThisProbe, lasted: Some(lasted), .. } => {
                let at = probe.rst_at().unwrap_or_default() + lasted;
                by_target && self.was_held(of, at)
            }
            Act::Held { of: Owner::Probe { id, .. }, .. } => {
                by_target && self.was_held_while_open(id.generation)
            }
            // The reply may have left before the SYN of this probe arrived.
            Act::Held { of: Owner::Unknown, .. } => {
                let until = probe.syn_at().saturating_sub(self.slack());
                let mut held = truth.held.iter();
                by_target && held.any(|h| h.of != of && h.from < end && h.until > until)
            }
            Act::HoldsNothing => by_target && self.holds_nothing(),
            Act::AnsweredLaterSyn => {
                by_target
                    && (of + 1..=of + 30)
                        .any(|later| truth.segments(|s| is_synack(s, later)).next().is_some())
            }
            Act::SentRst => {
                let is_rst =
                    |s: &Segment| matches!(s, Segment::Rst { of: o, first: true, .. } if *o == of);
                here && truth.segments(is_rst).count() == 1
            }
            Act::AnsweredWithRst => {
                let is_rst = |s: &Segment| matches!(s, Segment::Rst { first: false, .. });
                let n = truth.segments(is_rst).filter(|s| s.at >= probe.syn_at()).count();
                here && n >= claim.basis.observations().len()
            }
            Act::RetransmittedSyn { times } => here && self.repeated_syns() >= times,
            Act::FailedToSendSyn { .. } => here && self.syns(true) > 0,
            Act::SentNoSyn => here && self.syns(false) == 0,
            Act::Dropped { packet, .. } | Act::DroppedClose { packet } => {
                self.was_dropped(claim.party, &packet)
                    && (!matches!(claim.act, Act::DroppedClose { .. }) || truth.lost.contains(&of))
            }
            Act::ReceivedNothing { .. } => here && !truth.arrives.contains_key(&of),
            Act::ReceivedNoCopy { within } => {
                let until = self.timeline.followed_until;
                here && self.arrived(until - within, until, |s| is_synack(s, of)) == 0
            }
            Act::LostSynOrAnswer => claim.party == Party::Unknown && self.lost_something(),
            Act::SentUnacceptable { .. } => {
                self.arrived(probe.syn_at(), end, |s| is_any_reply(s) && s.of() != of) > 0
            }
            // Possibilities, the agent's own clock, and what it could not see.
            Act::MayStillHold | Act::Missed(_) | Act::ReportedError { .. } | Act::StillHolds => {
                true
            }
            // No world makes these.
            Act::AnsweredEarlierSyn { .. }
            | Act::SentSyn
            | Act::SentSegment { .. }
            | Act::SentIcmp(_)
            | Act::Held { .. }
            | Act::Accepted
            | Act::MetConfirmation { .. }
            | Act::RefusedLaterSyn
            | Act::KeptSyn
            | Act::LeakedAck { .. }
            | Act::ActedUnexpectedly
            | Act::RefusedItself
            | Act::ReportedUnreachable { .. }
            | Act::FailedToRun { .. }
            | Act::Redirected { .. } => false,
        }
    }

    /// How many segments of a kind reached the client after one time and until another.
    fn arrived(&self, after: u64, until: u64, is_wanted: impl Fn(&Segment) -> bool) -> usize {
        let truth = &self.world.truth;
        let arrives = |fate| match fate {
            Fate::Arrives(at) => after < at && at <= until,
            Fate::Lost(_) => false,
        };
        truth.segments(|s| !s.is_outgoing() && is_wanted(s)).filter(|s| arrives(s.fate)).count()
    }

    /// Whether one reached it at a time, as far as a busy kernel is on time.
    fn arrived_at(&self, at: u64, is_wanted: impl Fn(&Segment) -> bool) -> bool {
        self.arrived(at.saturating_sub(1_000), at, is_wanted) > 0
    }

    /// The SYN-ACKs that a server sent when the RST should have reached it.
    fn sent_after_rst(&self) -> usize {
        let truth = &self.world.truth;
        let Some(arrives) = truth.arrives.get(&self.of()) else { return 0 };
        truth.segments(|s| is_synack(s, self.of())).filter(|s| s.at > *arrives).count()
    }

    /// Whether the SYN-ACKs behind a claim left before the RST could arrive.
    fn are_copies(&self, claim: &Claim) -> bool {
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
    fn was_held(&self, of: u32, at: u64) -> bool {
        self.world
            .truth
            .held
            .iter()
            .any(|h| h.of == of && h.from <= at && h.until + self.slack() > at)
    }

    fn was_held_while_open(&self, of: u32) -> bool {
        let probe = &self.timeline.probe;
        let (from, until) = (probe.syn_at(), probe.closed_at());
        self.world
            .truth
            .held
            .iter()
            .any(|h| h.of == of && h.from < until && h.until + self.slack() > from)
    }

    /// A segment was on its way for so long.
    fn slack(&self) -> u64 {
        self.world.one_way() + 1_000
    }

    /// Whether the server that the RST was sent to holds nothing when the verdict is made, or one way later.
    fn holds_nothing(&self) -> bool {
        let (of, truth) = (self.of(), &self.world.truth);
        let at = self.timeline.followed_until + self.slack();
        let is_rst = |s: &Segment| matches!(s, Segment::Rst { of: o, first: true, .. } if *o == of);
        let server = truth.segments(is_rst).next().map(|sent| server(&sent.segment));
        // The later SYN may have reached the first one: a documented limit.
        server.is_some_and(|server| server == 1 || !truth.is_held(server, of, at))
    }

    /// The SYNs of the probe that this host dropped itself, or the others.
    fn syns(&self, dropped_here: bool) -> usize {
        let is_syn = |s: &Segment| matches!(s, Segment::Syn { of, .. } if *of == self.of());
        let here = |fate| matches!(fate, Fate::Lost(Some((DropPlace::OurNetns, _))));
        self.world.truth.segments(is_syn).filter(|s| here(s.fate) == dropped_here).count()
    }

    /// The SYNs that left after the first one.
    fn repeated_syns(&self) -> usize {
        let first = self.timeline.probe.syn_at();
        let is_syn = |s: &Segment| matches!(s, Segment::Syn { of, .. } if *of == self.of());
        let here = |fate| matches!(fate, Fate::Lost(Some((DropPlace::OurNetns, _))));
        let later = self.world.truth.segments(is_syn).filter(|s| s.at > first);
        later.filter(|s| !here(s.fate)).count()
    }

    /// Whether a party dropped such a segment of the probe.
    fn was_dropped(&self, party: Party, packet: &PacketDrop) -> bool {
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
    fn lost_something(&self) -> bool {
        let of = self.of();
        let mut all = self.world.truth.segments(|s| match s {
            Segment::Syn { of: o, .. } | Segment::SynAck { of: o, .. } => *o == of,
            _ => false,
        });
        // A SYN that met another connection got no answer of its own.
        all.any(|s| matches!(s.fate, Fate::Lost(_))) || 2 * self.world.one_way() >= 900_000_000
    }
}

fn is_synack(segment: &Segment, of: u32) -> bool {
    matches!(segment, Segment::SynAck { of: o, .. } if *o == of)
}

fn is_reply(segment: &Segment, id: ProbeId) -> bool {
    is_any_reply(segment) && segment.of() == id.generation
}

const fn is_any_reply(segment: &Segment) -> bool {
    matches!(segment, Segment::SynAck { .. } | Segment::Challenge { .. })
}

const fn server(segment: &Segment) -> usize {
    match segment {
        Segment::Syn { server, .. }
        | Segment::SynAck { server, .. }
        | Segment::Challenge { server, .. }
        | Segment::Rst { server, .. }
        | Segment::TargetRst { server, .. } => *server,
    }
}
