//! Which verdicts a timeline deserves, and how well each is proved.

use super::verdict::{Judgement, Judgements, Proof, Verdict};
use crate::{
    correlate::{
        settle::{SYNACK_SLACK, SYNACK_TIMER},
        timeline::{Coverage, Timeline},
    },
    probe::{outcome::Outcome, record::Closing},
    trace::event::Happening,
};

/// The settle window from which on silence says that the server got the RST, in nanoseconds: its
/// SYN-ACK would have come again after [`SYNACK_TIMER`].
pub const TELLING_WINDOW: u64 = SYNACK_TIMER + 100_000_000;

/// The verdicts on a probe, the most telling first; never empty.
#[must_use]
pub fn judge(timeline: &Timeline) -> Judgements {
    let mut verdicts = Judgements::new();
    match timeline.outcome() {
        Outcome::Alive => alive(timeline, &mut verdicts),
        Outcome::Refused => verdicts.push(refused(timeline)),
        Outcome::TimedOut => timed_out(timeline, &mut verdicts),
        Outcome::Unreachable => {
            verdicts.push(by(timeline, Verdict::Unreachable, Proof::Confirmed));
        }
        // The errno of the agent's own system call: there is nothing to doubt about it.
        Outcome::LocalError => {
            verdicts.push(Judgement { verdict: Verdict::LocalError, proof: Proof::Confirmed });
        }
    }
    verdicts
}

/// A judgement with the best proof that the coverage allows.
fn by(timeline: &Timeline, verdict: Verdict, best: Proof) -> Judgement {
    let proof = match timeline.coverage {
        Coverage::Full => best,
        Coverage::EventsLost => Proof::Unknown,
        Coverage::None => best.max(Proof::Inferred),
    };
    Judgement { verdict, proof }
}

fn alive(timeline: &Timeline, verdicts: &mut Judgements) {
    verdicts.extend(rst_lost(timeline));
    let met = met(timeline);
    verdicts.extend(met);
    // Where the SYN met a leftover, its retransmit is part of that and no loss of its own.
    if met.is_none() && timeline.syn_retransmits() > 0 {
        verdicts.push(by(timeline, Verdict::SynRetransmitted, Proof::Confirmed));
    }
    if verdicts.is_empty() {
        verdicts.push(clean(timeline));
    }
}

fn clean(timeline: &Timeline) -> Judgement {
    let followed = timeline
        .probe
        .rst_at()
        .is_some_and(|rst| timeline.followed_until.saturating_sub(rst) >= TELLING_WINDOW);
    match timeline.coverage {
        // Whether the RST arrived shows in later events only, and nobody was watching.
        Coverage::None if !timeline.reused_cleanly => {
            Judgement { verdict: Verdict::Clean, proof: Proof::Unknown }
        }
        Coverage::Full | Coverage::EventsLost | Coverage::None => {
            let sure = timeline.reused_cleanly || followed;
            by(timeline, Verdict::Clean, if sure { Proof::Confirmed } else { Proof::Inferred })
        }
    }
}

/// Paths A and B, on the probe whose RST was lost.
fn rst_lost(timeline: &Timeline) -> Option<Judgement> {
    if timeline.probe.closing != Closing::Reset {
        return None;
    }
    if let Some(later) = timeline.later {
        let verdict =
            if later.recovered { Verdict::RstLostPortReuse } else { Verdict::RstLostUnrecovered };
        return Some(by(timeline, verdict, Proof::Confirmed));
    }
    let (mut count, mut last) = (0_u32, 0);
    for at in timeline.late_rsts() {
        (count, last) = (count + 1, at);
    }
    if count == 0 {
        return None;
    }
    // After the n-th retransmit the timer runs for 2^n s; its silence shows that the server let go.
    let due = last + (SYNACK_TIMER << count.min(16)) + SYNACK_SLACK;
    let verdict = if timeline.reused_cleanly || timeline.followed_until >= due {
        by(timeline, Verdict::RstLostSynackRetransmit, Proof::Confirmed)
    } else if count == 1 {
        by(timeline, Verdict::RstLostSynackRetransmit, Proof::Inferred)
    } else {
        by(timeline, Verdict::RstLostUnrecovered, Proof::Confirmed)
    };
    Some(verdict)
}

/// Paths B and C and the late SYN-ACK, on the probe whose SYN met something.
fn met(timeline: &Timeline) -> Option<Judgement> {
    let earlier = timeline.earlier;
    let closing = earlier.and_then(|e| e.closing);
    // Without the earlier probe, what was met is known but not where it came from.
    let proof = if closing.is_some() { Proof::Confirmed } else { Proof::Inferred };
    if timeline.falsely_refused() {
        return Some(by(timeline, Verdict::StaleSynRecvReset, proof));
    }
    timeline.met_leftover_at()?;
    let verdict = match closing {
        Some(Closing::Silent) => Verdict::LateSynack,
        Some(Closing::Reset | Closing::ByKernel) | None => Verdict::StaleSynRecvChallengeAck,
    };
    Some(by(timeline, verdict, proof))
}

/// The hook sees every RST that a socket takes, so that a refusal without one came by ICMP.
fn refused(timeline: &Timeline) -> Judgement {
    by(timeline, Verdict::Refused, Proof::Confirmed)
}

/// Whether ICMP (port unreachable), and no RST, refused the connection.
pub(super) fn refused_by_icmp(timeline: &Timeline) -> bool {
    timeline.coverage == Coverage::Full
        && timeline.probe.outcome == Outcome::Refused
        && !timeline.events.iter().any(|e| e.what == Happening::RstReceived)
}

fn timed_out(timeline: &Timeline, verdicts: &mut Judgements) {
    if timeline.late_rsts().next().is_some() {
        verdicts.push(by(timeline, Verdict::LateSynack, Proof::Confirmed));
    }
    verdicts.extend(met(timeline));
    verdicts.push(by(timeline, Verdict::TimedOut, Proof::Confirmed));
    if timeline.syn_retransmits() > 0 {
        verdicts.push(by(timeline, Verdict::SynRetransmitted, Proof::Confirmed));
    }
}
