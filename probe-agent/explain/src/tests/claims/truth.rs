//! Each claim agrees with what really happened in a simulated world.
//!
//! A claim that names a reservation may be untrue. So may one that rests on a documented assumption
//! (docs/verdicts.md, "Limits"), but only where nothing reached the client that could have shown it.

use super::{
    super::world::{Fate, Segment, World},
    journal::{Case, is_any_reply, is_reply, is_synack, server},
};
use crate::timeline::Timeline;
use model::claim::{Act, Assumption, Claim, Owner, Party};

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

impl Case<'_> {
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
            // A probe that met what another server held may have been answered by the first one at once, so that
            // a copy of its SYN-ACK looks like a retransmit: a documented limit.
            Act::MissedRst => {
                let is_limit = self.world.has_other_server() && self.timeline.earlier.is_some();
                by_target && (is_limit || truth.lost.contains(&of))
            }
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
            // Worded as a possibility beside a loss.
            Act::TookLong { .. } => claim.party == Party::Unknown && self.lost_something(),
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
            | Act::Redirected { .. }
            | Act::SharedPort { .. }
            | Act::HasShortTimer { .. }
            | Act::AsksForEcn(_)
            | Act::RunsXdp { .. }
            | Act::KeptSynOnLoopback
            | Act::Translates { .. } => false,
        }
    }
}
