//! The evidence for a verdict. Each piece names its hook and its time after the RST or the SYN.

mod events;
mod limits;

use self::{
    events::{drops, events, late_rsts},
    limits::{limit, limits},
};
use crate::timeline::{Coverage, Timeline};
use model::{
    errno::errno_text,
    event::EventKind,
    finding::Evidence,
    flow,
    human::{Elapsed, counted},
    packet_drop::PacketDrop,
    record::Closing,
    verdict::Verdict,
};

/// The evidence for a verdict on a probe.
pub(super) fn collect(timeline: &Timeline, verdict: Verdict) -> Vec<Evidence> {
    let mut evidence = match verdict {
        Verdict::RstLostSynackRetransmit
        | Verdict::RstLostUnrecovered
        | Verdict::RstLostPortReuse => {
            let mut all = drops(timeline, |drop| !drop.is_here() && !drop.segment.flags.is_syn());
            all.extend(late_rsts(timeline));
            all.extend(later_probe(timeline));
            all.extend(silence(timeline).filter(|_| verdict != Verdict::RstLostPortReuse));
            all
        }
        Verdict::AckLeaked => leaked_ack(timeline),
        Verdict::StaleSynRecvChallengeAck | Verdict::StaleSynRecvReset => {
            stale_reply(timeline, false)
        }
        Verdict::ChallengeAck => {
            let mut all = stale_reply(timeline, false);
            all.extend(events(timeline, |kind| {
                matches!(kind, EventKind::PacketDropped(drop)
                    if drop.outgoing && drop.segment.flags.is_rst())
            }));
            all
        }
        Verdict::LocalDrop => {
            let mut all = drops(timeline, PacketDrop::is_here);
            all.extend(events(
                timeline,
                |kind| matches!(kind, EventKind::SynRetransmit { error } if *error != 0),
            ));
            all
        }
        Verdict::TargetReset => {
            let mut all = events(timeline, |w| matches!(w, EventKind::RstReceived));
            all.extend(drops(timeline, |drop| !drop.outgoing && drop.segment.flags.is_rst()));
            all
        }
        Verdict::SimultaneousOpen => {
            events(timeline, |w| matches!(w, EventKind::StateChange { .. }))
        }
        Verdict::LateSynack => stale_reply(timeline, true),
        Verdict::SynRetransmitted => {
            let mut all = events(timeline, EventKind::is_syn_retransmit);
            all.extend(drops(timeline, |drop| !drop.is_here() && !drop.segment.flags.is_rst()));
            all.extend(late_rsts(timeline).into_iter().filter(|_| no_rst_was_lost(timeline)));
            all.extend(earlier_probe(timeline).filter(|_| timeline.stale_reply_at().is_some()));
            all
        }
        Verdict::TimedOut => {
            let mut all = Vec::new();
            // Otherwise the verdict on the retransmits has them.
            if timeline.syn_retransmits() == 0 {
                all.extend(drops(timeline, |drop| !drop.is_here()));
            }
            all.extend(unanswered_synacks(timeline));
            all.extend(events(timeline, |w| matches!(w, EventKind::SynAckFromElsewhere { .. })));
            all.extend(stuck(timeline));
            all
        }
        Verdict::Refused => {
            let mut all = events(timeline, |w| matches!(w, EventKind::RstReceived));
            all.extend(late_rsts(timeline));
            all
        }
        Verdict::Unreachable => {
            let seen = icmp(timeline).into_iter().chain(drops(timeline, |drop| !drop.is_here()));
            seen.chain(late_rsts(timeline)).collect()
        }
        Verdict::LocalError => Vec::new(),
        Verdict::Clean => clean(timeline),
    };
    let mut remark = |text: String| evidence.push(Evidence { at: None, text });
    if let Some(asked) = timeline.probe.redirected_from {
        let real = flow::remote(&timeline.probe.flow);
        let hook = timeline.probe.state_hook.name();
        let why = if asked.ip().is_unspecified() {
            "the kernel takes the unspecified address for loopback"
        } else {
            "a program on the cgroup replaced the address"
        };
        remark(format!("{hook}: the SYN went to {real}, not to {asked}: {why}"));
    }
    // A negative one is no error of a socket: the name did not resolve.
    if timeline.probe.errno > 0 {
        remark(format!("socket error: {}", errno_text(timeline.probe.errno)));
    }
    if limits(timeline.coverage, verdict) {
        remark(limit(timeline));
    }
    evidence
}

/// The SYN-ACKs that a server on this host sent again while the probe was open.
fn unanswered_synacks(timeline: &Timeline) -> Vec<Evidence> {
    let end = timeline.probe.closed_at();
    let mut all = events(
        timeline,
        |kind| matches!(kind, EventKind::SynAckRetransmit { segment } if timeline.acknowledges_syn(*segment)),
    );
    all.retain(|evidence| evidence.at.is_some_and(|at| at < end));
    all
}

fn stuck(timeline: &Timeline) -> Option<Evidence> {
    timeline.syn_is_stuck().then(|| Evidence {
        at: None,
        text: "total_retrans was 0 at the close, although the SYN's timer had expired: the kernel does not \
               send a SYN again that has not left this host"
            .to_owned(),
    })
}

fn icmp(timeline: &Timeline) -> Option<Evidence> {
    let icmp = timeline.probe.icmp?;
    let from = icmp.from.map_or_else(|| "an unknown host".to_owned(), |ip| ip.to_string());
    Some(Evidence {
        at: Some(timeline.probe.closed_at()),
        text: format!(
            "IP_RECVERR: {} type {}, code {} ({}) from {from}",
            icmp.protocol(),
            icmp.kind,
            icmp.code,
            icmp.meaning()
        ),
    })
}

/// A stale reply: the RST that answered it or that it was, and the SYN retransmit that followed.
fn stale_reply(timeline: &Timeline, include_late: bool) -> Vec<Evidence> {
    let mut all = events(timeline, |w| match w {
        EventKind::RstSent { socket, .. } => socket.is_some() || include_late,
        EventKind::SynRetransmit { .. } | EventKind::RstReceived => true,
        _ => false,
    });
    all.extend(earlier_probe(timeline));
    all
}

/// What the kernel counted for the socket, and what the socket did that no half-open probe should.
fn leaked_ack(timeline: &Timeline) -> Vec<Evidence> {
    let mut all = events(timeline, |w| {
        matches!(
            w,
            EventKind::StateChange { .. }
                | EventKind::SegmentRetransmit { .. }
                | EventKind::AckHeldBack
        )
    });
    all.extend(timeline.probe.kernel.map(|k| {
        let syns = u32::from(k.retransmits) + 1;
        let text = format!(
            "tcp_sock.segs_out was {} at the close: {} and {}, of which the ACK guard held back {}",
            k.segments_out,
            counted(syns.into(), "SYN"),
            counted(k.segments_out.saturating_sub(syns).into(), "ACK"),
            k.acks_held
        );
        Evidence { at: Some(k.closed_at), text }
    }));
    all
}

/// Whether the RSTs that no socket sent are not yet part of the evidence for a lost RST.
fn no_rst_was_lost(timeline: &Timeline) -> bool {
    timeline.later.is_none() && timeline.recoveries().next().is_none()
}

fn clean(timeline: &Timeline) -> Vec<Evidence> {
    let mut evidence = Vec::new();
    if let Some(kernel) = timeline.probe.kernel.filter(|k| k.rst_sent_at != 0) {
        evidence.push(Evidence {
            at: Some(kernel.rst_sent_at),
            text: format!(
                "{} for the close, {} after SYN_SENT -> ESTABLISHED",
                timeline.probe.close_hook(),
                Elapsed(kernel.rst_sent_at.saturating_sub(kernel.established_at))
            ),
        });
    }
    evidence.extend(late_rsts(timeline));
    evidence.extend(timeline.late_segments().map(|(at, segment)| Evidence {
        at: Some(at),
        text: format!(
            "{} in answer to a {} of this connection, {} after the SYN",
            timeline.probe.answer_hook(),
            segment.flags,
            Elapsed(at.saturating_sub(timeline.probe.syn_at()))
        ),
    }));
    evidence.extend(silence(timeline));
    evidence
}

/// That nothing arrived after the RST, and for how long the probe was followed.
fn silence(timeline: &Timeline) -> Option<Evidence> {
    if timeline.reused_cleanly {
        return Some(Evidence {
            at: None,
            text: "a later SYN on the same 4-tuple found no stale connection".to_owned(),
        });
    }
    let would_show = match timeline.coverage {
        Coverage::Full | Coverage::EventsLost => timeline.later.is_none(),
        Coverage::SocketsOnly | Coverage::Incomplete | Coverage::None => false,
    };
    let last = timeline.late_rsts().last().or(timeline.probe.rst_at())?;
    would_show.then(|| Evidence {
        at: Some(timeline.followed_until),
        text: format!(
            "no {} in answer to a SYN-ACK of this handshake for {} after the last RST",
            timeline.probe.answer_hook(),
            Elapsed(timeline.followed_until.saturating_sub(last))
        ),
    })
}

fn later_probe(timeline: &Timeline) -> Option<Evidence> {
    let later = timeline.later?;
    let end = if later.recovered { "was eventually answered" } else { "was not answered" };
    Some(Evidence {
        at: Some(later.at),
        text: format!(
            "the SYN of probe {} met the stale connection on the same 4-tuple{} and {end}",
            later.id,
            later.other_port.map_or_else(String::new, |port| format!(
                " (after an address translation; it left from port {port})"
            ))
        ),
    })
}

fn earlier_probe(timeline: &Timeline) -> Option<Evidence> {
    let earlier = timeline.earlier?;
    let text = match (earlier.id, earlier.closing) {
        (Some(id), Some(closing)) => {
            let how = match closing {
                Closing::Reset => "sent its RST",
                Closing::Silent => "timed out without a RST",
                Closing::ByKernel => "ended",
            };
            let place = earlier.other_port.map_or_else(
                || "on the same 4-tuple".to_owned(),
                |port| format!("from port {port}, whose SYN the reply acknowledges,"),
            );
            format!(
                "probe {id} {place} {how} {} before this SYN",
                Elapsed(timeline.probe.syn_at().saturating_sub(earlier.ended_at))
            )
        }
        _ => "no earlier probe on the 4-tuple was still being followed".to_owned(),
    };
    Some(Evidence { at: (earlier.ended_at > 0).then_some(earlier.ended_at), text })
}
