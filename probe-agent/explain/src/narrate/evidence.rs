//! The evidence for a verdict. Each piece names its hook and its time after the RST or the SYN.

mod events;

use self::events::{events, late_rsts};
use crate::timeline::{Coverage, Timeline};
use model::{
    errno::errno_text,
    event::EventKind,
    finding::Evidence,
    human::{Elapsed, counted},
    record::Closing,
    verdict::Verdict,
};

/// The evidence for a verdict on a probe.
pub(super) fn collect(timeline: &Timeline, verdict: Verdict) -> Vec<Evidence> {
    let mut evidence = match verdict {
        Verdict::RstLostSynackRetransmit
        | Verdict::RstLostUnrecovered
        | Verdict::RstLostPortReuse => {
            let mut all = late_rsts(timeline);
            all.extend(later_probe(timeline));
            all.extend(silence(timeline).filter(|_| verdict != Verdict::RstLostPortReuse));
            all
        }
        Verdict::AckLeaked => leaked_ack(timeline),
        Verdict::StaleSynRecvChallengeAck | Verdict::StaleSynRecvReset => {
            stale_reply(timeline, false)
        }
        Verdict::LateSynack => stale_reply(timeline, true),
        Verdict::SynRetransmitted => {
            let mut all = events(timeline, EventKind::is_syn_retransmit);
            all.extend(late_rsts(timeline).into_iter().filter(|_| no_rst_was_lost(timeline)));
            all.extend(earlier_probe(timeline).filter(|_| timeline.stale_reply_at().is_some()));
            all
        }
        Verdict::TimedOut => events(timeline, EventKind::is_syn_retransmit),
        Verdict::Refused => events(timeline, |w| matches!(w, EventKind::RstReceived)),
        Verdict::Unreachable | Verdict::LocalError => Vec::new(),
        Verdict::Clean => clean(timeline),
    };
    let mut remark = |text: String| evidence.push(Evidence { at: None, text });
    // A negative one is no error of a socket: the name did not resolve.
    if timeline.probe.errno > 0 {
        remark(format!("socket error: {}", errno_text(timeline.probe.errno)));
    }
    match (timeline.coverage, timeline.probe.tcp_info) {
        (Coverage::Full, _) => {}
        (Coverage::SocketsOnly, _) => {
            remark("RSTs that no socket sends are not reported on this host".into());
        }
        (Coverage::Incomplete, _) => remark(
            "not all kernel hooks are attached: no event shows what the probe's socket sent".into(),
        ),
        (Coverage::EventsLost, _) => {
            remark("kernel events were lost while this probe was open or followed".into());
        }
        (Coverage::None, Some(info)) => {
            let n = info.retransmits;
            remark(format!("no kernel tracing; TCP_INFO counts {n} SYN retransmits"));
        }
        (Coverage::None, None) => remark("no kernel record of this probe".into()),
    }
    evidence
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
            "no {} without a socket for {} after the last RST",
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
            "the SYN of probe {} met the stale connection on the same 4-tuple and {end}",
            later.id
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
            format!(
                "probe {id} on the same 4-tuple {how} {} before this SYN",
                Elapsed(timeline.probe.syn_at().saturating_sub(earlier.ended_at))
            )
        }
        _ => "no earlier probe on the 4-tuple was still being followed".to_owned(),
    };
    Some(Evidence { at: (earlier.ended_at > 0).then_some(earlier.ended_at), text })
}
