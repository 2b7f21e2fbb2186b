//! The verdicts on a timeline, and how well each is proved.

use crate::{
    synack::SynAckKind,
    timeline::{Coverage, StaleReply, Timeline},
};
use model::{
    event::EventKind,
    outcome::Outcome,
    record::Closing,
    verdict::{Judgement, Judgements, Proof, Verdict},
};

/// The verdicts on a probe, the most telling first; never empty.
pub(crate) fn judge(timeline: &Timeline) -> Judgements {
    let mut verdicts = Judgements::new();
    match timeline.outcome() {
        Outcome::Alive => alive(timeline, &mut verdicts),
        Outcome::Refused => {
            if timeline.was_opened_simultaneously() {
                verdicts.push(judgement(timeline, Verdict::SimultaneousOpen, Proof::Confirmed));
            }
            verdicts.push(refused(timeline));
            verdicts.extend(stale_reply(timeline));
        }
        Outcome::TimedOut => timed_out(timeline, &mut verdicts),
        Outcome::Unreachable => {
            // A SYN-ACK that acknowledges the same SYN contradicts it.
            let is_alone = timeline.late_synacks().next().is_none();
            let proof = if is_alone { Proof::Confirmed } else { Proof::Inferred };
            verdicts.push(judgement(timeline, Verdict::Unreachable, proof));
            verdicts.extend(stale_reply(timeline));
        }
        // A refusal that never left this host.
        Outcome::LocalError if timeline.was_refused_here() => {}
        // The errno of the agent's own system call leaves no doubt.
        Outcome::LocalError => {
            verdicts.push(Judgement { verdict: Verdict::LocalError, proof: Proof::Confirmed });
        }
    }
    // The drop itself was observed, whatever else was not.
    if timeline.is_dropped_here() {
        verdicts.retain(|judgement| judgement.verdict != Verdict::Clean);
        let first = verdicts.iter().filter(|j| j.verdict < Verdict::LocalDrop).count();
        let drop = Judgement { verdict: Verdict::LocalDrop, proof: Proof::Confirmed };
        // No probe has more verdicts than fit.
        let _ = verdicts.try_insert(first, drop);
    }
    verdicts
}

/// A judgement, with `best` as its proof unless the coverage allows less.
fn judgement(timeline: &Timeline, verdict: Verdict, best: Proof) -> Judgement {
    let proof = match timeline.coverage {
        Coverage::Full | Coverage::SocketsOnly => best,
        Coverage::EventsLost => Proof::Unknown,
        Coverage::Incomplete | Coverage::None => best.max(Proof::Inferred),
    };
    Judgement { verdict, proof }
}

fn alive(timeline: &Timeline, verdicts: &mut Judgements) {
    verdicts.extend(ack_leaked(timeline));
    verdicts.extend(rst_lost(timeline));
    let stale = stale_reply(timeline);
    verdicts.extend(stale);
    // After a stale reply the kernel retransmits the SYN, which is then no loss of its own.
    if stale.is_none() && timeline.syn_retransmits() > timeline.failed_syn_retransmits() {
        verdicts.push(syn_retransmitted(timeline));
    }
    if timeline.was_reset_by_target() {
        verdicts.push(target_reset(timeline));
    }
    if verdicts.is_empty() {
        verdicts.push(clean(timeline));
    }
}

/// A RST that was seen shows it; without one, the errno of a socket that had been established.
fn target_reset(timeline: &Timeline) -> Judgement {
    let seen = timeline.rst_received_at().is_some() || timeline.late_target_rst().is_some();
    let proof = if seen { Proof::Confirmed } else { Proof::Inferred };
    judgement(timeline, Verdict::TargetReset, proof)
}

/// The kernel's own counts show it, even if events were lost.
fn ack_leaked(timeline: &Timeline) -> Option<Judgement> {
    let leaked = timeline.acks_leaked() > 0;
    leaked.then_some(Judgement { verdict: Verdict::AckLeaked, proof: Proof::Confirmed })
}

fn clean(timeline: &Timeline) -> Judgement {
    let silent = timeline.followed_until >= timeline.silence_conclusive_at();
    // If a second copy of the SYN-ACK was reset too, it is unknown which RST the server received.
    let one_rst = timeline.late_rsts().next().is_none()
        && timeline.probe.kernel.is_none_or(|k| k.rst_sent_at != 0);
    let proof = match timeline.coverage {
        Coverage::Full
            if one_rst
                && timeline.late_synacks().next().is_none()
                && timeline.late_segments().next().is_none()
                && !timeline.probe.has_no_window()
                && !timeline.reuse_in_doubt
                && timeline.copy_met.is_none()
                && (timeline.reused_cleanly || silent) =>
        {
            Proof::Confirmed
        }
        Coverage::Full | Coverage::SocketsOnly | Coverage::Incomplete => Proof::Inferred,
        // Only later events show whether the RST arrived, and nothing recorded them.
        Coverage::None if timeline.reused_cleanly => Proof::Inferred,
        Coverage::EventsLost | Coverage::None => Proof::Unknown,
    };
    Judgement { verdict: Verdict::Clean, proof }
}

/// Paths A and B, on the probe whose RST was lost.
fn rst_lost(timeline: &Timeline) -> Option<Judgement> {
    if timeline.probe.closing != Closing::Reset {
        return None;
    }
    if let Some(later) = timeline.later {
        let verdict =
            if later.recovered { Verdict::RstLostPortReuse } else { Verdict::RstLostUnrecovered };
        let proof = if later.is_matched { Proof::Confirmed } else { Proof::Inferred };
        return Some(judgement(timeline, verdict, proof));
    }
    let Some(last) = timeline.recoveries().last() else {
        // Nothing shows that the server noticed it. If it would have asked again by now, it keeps no state.
        let is_held = timeline.dropped_close().is_some() && !timeline.is_forgotten();
        return is_held.then(|| judgement(timeline, Verdict::RstLostUnrecovered, Proof::Confirmed));
    };
    let certain = timeline.synack_kind(last) == SynAckKind::Retransmit;
    let dropped =
        timeline.reused_cleanly || timeline.followed_until >= timeline.silence_conclusive_at();
    // A second recovery shows that the RST of the first one was lost too.
    let repeated = timeline.recoveries().nth(1).is_some();
    // Where RSTs without a socket are not reported, none that answers is seen.
    let is_blind = matches!(timeline.coverage, Coverage::SocketsOnly | Coverage::Incomplete);
    let unanswered = timeline.retransmitted_synacks().last().is_some_and(|late| !late.is_answered);
    if unanswered && !is_blind {
        let proof = if certain { Proof::Confirmed } else { Proof::Inferred };
        return Some(judgement(timeline, Verdict::RstLostUnrecovered, proof));
    }
    let verdict = if repeated && !dropped {
        Verdict::RstLostUnrecovered
    } else {
        Verdict::RstLostSynackRetransmit
    };
    if timeline.answer_was_dropped(last) {
        return Some(judgement(timeline, Verdict::RstLostUnrecovered, Proof::Confirmed));
    }
    let proved = certain && (dropped || repeated) && !unanswered;
    Some(judgement(timeline, verdict, if proved { Proof::Confirmed } else { Proof::Inferred }))
}

/// Paths B and C and the late SYN-ACK, on the probe that got the stale reply.
fn stale_reply(timeline: &Timeline) -> Option<Judgement> {
    let earlier = timeline.earlier;
    let known = earlier.is_some_and(|e| e.id.is_some());
    if timeline.falsely_refused() {
        let proof = if known { Proof::Confirmed } else { Proof::Inferred };
        return Some(judgement(timeline, Verdict::StaleSynRecvReset, proof));
    }
    timeline.stale_reply_at()?;
    if !known {
        // Only the flags tell a challenge ACK from a late SYN-ACK.
        let seen = timeline.stale_reply().is_some_and(|segment| !segment.flags.is_synack());
        let proof = if seen { Proof::Confirmed } else { Proof::Inferred };
        return Some(judgement(timeline, Verdict::ChallengeAck, proof));
    }
    // Only the sequence numbers tell that probe's connection from another one on the 4-tuple.
    let matched = earlier.is_some_and(|e| e.is_matched);
    let proof = if matched { Proof::Confirmed } else { Proof::Inferred };
    Some(match earlier.map_or(StaleReply::Connection, |e| e.stale) {
        StaleReply::Connection => judgement(timeline, Verdict::StaleSynRecvChallengeAck, proof),
        StaleReply::LateAnswer => judgement(timeline, Verdict::LateSynack, proof),
        // The answer came before the SYN had to be sent again.
        StaleReply::DuplicateSynAck
            if timeline.syn_retransmits() <= timeline.failed_syn_retransmits() =>
        {
            return None;
        }
        StaleReply::DuplicateSynAck => syn_retransmitted(timeline),
    })
}

fn syn_retransmitted(timeline: &Timeline) -> Judgement {
    let seen = timeline.syn_retransmits() > 0;
    let proof = if seen { Proof::Confirmed } else { Proof::Inferred };
    judgement(timeline, Verdict::SynRetransmitted, proof)
}

fn refused(timeline: &Timeline) -> Judgement {
    let seen = timeline.events.iter().any(|e| e.kind == EventKind::RstReceived);
    let decided = match timeline.confirmation {
        Some(confirmation) => confirmation.outcome == Outcome::Refused,
        // Without a stale reply, the refusal may have come from an earlier probe's connection (path C).
        None => timeline.earlier.is_none() || timeline.stale_reply_at().is_some(),
    };
    // A SYN-ACK that acknowledges the same SYN contradicts it.
    let is_alone = timeline.late_synacks().next().is_none();
    let proof = if seen && decided && is_alone { Proof::Confirmed } else { Proof::Inferred };
    judgement(timeline, Verdict::Refused, proof)
}

fn timed_out(timeline: &Timeline, verdicts: &mut Judgements) {
    verdicts.extend(ack_leaked(timeline));
    if timeline.was_opened_simultaneously() {
        verdicts.push(judgement(timeline, Verdict::SimultaneousOpen, Proof::Confirmed));
    }
    // Where this host dropped the SYN-ACK at first, it was not late.
    let kept_out = timeline.local_drops().any(|drop| drop.packet.segment.flags.is_synack());
    let answered_late = timeline.late_rsts().next().is_some() && !kept_out;
    if answered_late {
        // After a stale reply, the late segment may be another challenge ACK.
        let certain = timeline.stale_reply_at().is_none();
        let proof = if certain { Proof::Confirmed } else { Proof::Inferred };
        verdicts.push(judgement(timeline, Verdict::LateSynack, proof));
    }
    let stale = stale_reply(timeline).map(|mut judgement| {
        // One verdict of a kind per probe: its own late answer takes precedence.
        if answered_late && judgement.verdict == Verdict::LateSynack {
            judgement.verdict = Verdict::StaleSynRecvChallengeAck;
        }
        judgement
    });
    verdicts.extend(stale);
    verdicts.push(judgement(timeline, Verdict::TimedOut, Proof::Confirmed));
    // A retransmit that did not leave this host is none.
    if stale.is_none() && timeline.syn_retransmits() > timeline.failed_syn_retransmits() {
        verdicts.push(syn_retransmitted(timeline));
    }
}
