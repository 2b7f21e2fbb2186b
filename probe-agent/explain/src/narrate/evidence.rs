//! The evidence for a verdict. Each piece names its hook and its time after the RST or the SYN.

use crate::{
    synack::SynAckKind,
    timeline::{Coverage, Timeline},
};
use model::errno::errno_text;
use model::{
    event::{EventKind, RstReason},
    finding::Evidence,
    human::Elapsed,
    record::Closing,
    verdict::Verdict,
};

/// The evidence for a verdict on a probe.
pub(super) fn collect(timeline: &Timeline, verdict: Verdict) -> Vec<Evidence> {
    let mut evidence = match verdict {
        Verdict::RstLostSynackRetransmit | Verdict::RstLostUnrecovered => {
            let mut all = late_rsts(timeline);
            all.extend(later_probe(timeline));
            all.extend(silence(timeline));
            all
        }
        Verdict::RstLostPortReuse => {
            let mut all = late_rsts(timeline);
            all.extend(later_probe(timeline));
            all
        }
        Verdict::AckLeaked => leaked_ack(timeline),
        Verdict::StaleSynRecvChallengeAck | Verdict::StaleSynRecvReset => {
            stale_reply(timeline, false)
        }
        Verdict::LateSynack => stale_reply(timeline, true),
        Verdict::SynRetransmitted => {
            let mut all = events(timeline, |w| matches!(w, EventKind::SynRetransmit { .. }));
            all.extend(late_rsts(timeline).into_iter().filter(|_| no_rst_was_lost(timeline)));
            all.extend(earlier_probe(timeline).filter(|_| timeline.stale_reply_at().is_some()));
            all
        }
        Verdict::TimedOut => events(timeline, |w| matches!(w, EventKind::SynRetransmit { .. })),
        Verdict::Refused => events(timeline, |w| matches!(w, EventKind::RstReceived)),
        Verdict::Unreachable | Verdict::LocalError => Vec::new(),
        Verdict::Clean => clean(timeline),
    };
    if timeline.probe.errno != 0 {
        let error = errno_text(timeline.probe.errno);
        evidence.push(Evidence { at: None, text: format!("socket error: {error}") });
    }
    match timeline.coverage {
        Coverage::Full => {}
        Coverage::SocketsOnly => evidence.push(Evidence {
            at: None,
            text: "this kernel's tcp_send_reset does not report RSTs that no socket sends"
                .to_owned(),
        }),
        Coverage::Incomplete => evidence.push(Evidence {
            at: None,
            text: "not all kernel hooks are attached: no event shows what the probe's socket sent"
                .to_owned(),
        }),
        Coverage::EventsLost => evidence.push(Evidence {
            at: None,
            text: "kernel events were lost while this probe was open or followed".to_owned(),
        }),
        Coverage::None => evidence.push(Evidence {
            at: None,
            text: match timeline.probe.tcp_info {
                Some(info) => format!(
                    "no kernel tracing; TCP_INFO counts {} SYN retransmits",
                    info.retransmits
                ),
                None => "no kernel record of this probe".to_owned(),
            },
        }),
    }
    evidence
}

/// A stale reply: the RST that answered it or that it was, and the SYN retransmit that followed.
fn stale_reply(timeline: &Timeline, include_late: bool) -> Vec<Evidence> {
    let mut all = events(timeline, |w| match w {
        EventKind::RstSent { socket, .. } => socket.is_some() || include_late,
        EventKind::SynRetransmit { .. } | EventKind::RstReceived => true,
        EventKind::StateChange { .. }
        | EventKind::SegmentRetransmit { .. }
        | EventKind::AckHeldBack
        | EventKind::SynAckRetransmit => false,
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
    all.extend(timeline.probe.kernel.map(|k| Evidence {
        at: Some(k.closed_at),
        text: format!(
            "tcp_sock.segs_out was {} at the close: {} and {}, of which the ACK guard held back {}",
            k.segments_out,
            counted(u32::from(k.retransmits) + 1, "SYN"),
            counted(k.segments_out.saturating_sub(u32::from(k.retransmits) + 1), "ACK"),
            k.acks_held
        ),
    }));
    all
}

fn counted(n: u32, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
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
                "tcp_send_reset for the close, {} after SYN_SENT -> ESTABLISHED",
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
            "no tcp_send_reset without a socket for {} after the last RST",
            Elapsed(timeline.followed_until.saturating_sub(last))
        ),
    })
}

/// The RSTs that answered SYN-ACKs after the close, and the SYN-ACKs themselves if the server is on this
/// host.
fn late_rsts(timeline: &Timeline) -> Vec<Evidence> {
    let closed = timeline.probe.rst_at().unwrap_or(timeline.probe.ended_at);
    let mut evidence = Vec::new();
    for event in &timeline.events {
        let text = match event.kind {
            EventKind::RstSent { socket: None, reason } => {
                let copy = match timeline.synack_kind(event.at) {
                    SynAckKind::Duplicate => {
                        ": a second copy of the SYN-ACK, sent before our RST could arrive"
                    }
                    SynAckKind::LikelyRetransmit | SynAckKind::Retransmit => "",
                };
                let after = Elapsed(event.at.saturating_sub(closed));
                format!(
                    "tcp_send_reset {} on this flow, {after} after our RST{copy}",
                    named(reason)
                )
            }
            EventKind::SynAckRetransmit if event.at >= closed => format!(
                "tcp_retransmit_synack by the server on this host, {} after our RST",
                Elapsed(event.at - closed)
            ),
            EventKind::SynAckRetransmit
            | EventKind::RstSent { .. }
            | EventKind::StateChange { .. }
            | EventKind::RstReceived
            | EventKind::SynRetransmit { .. }
            | EventKind::AckHeldBack
            | EventKind::SegmentRetransmit { .. } => continue,
        };
        evidence.push(Evidence { at: Some(event.at), text });
    }
    evidence
}

/// The reset reason as the tracepoint prints it, if the kernel gives one.
fn named(reason: RstReason) -> String {
    if reason == RstReason::NONE {
        "(no reason given)".to_owned()
    } else {
        format!("reason={}", reason.0)
    }
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

/// The events of the wanted kinds, each with its hook and its time after the SYN.
fn events(timeline: &Timeline, wanted: impl Fn(&EventKind) -> bool) -> Vec<Evidence> {
    let syn = timeline.probe.syn_at();
    let describe = |what: &EventKind| match what {
        EventKind::RstSent { socket, reason } => format!(
            "tcp_send_reset {} {}",
            socket.map_or("without a socket".to_owned(), |s| format!("in {s}")),
            named(*reason)
        ),
        EventKind::RstReceived => "tcp_receive_reset".to_owned(),
        EventKind::SynRetransmit { error: 0 } => "tcp_retransmit_skb of the SYN".to_owned(),
        EventKind::SynRetransmit { error } => {
            format!("tcp_retransmit_skb of the SYN, err={error}")
        }
        EventKind::StateChange { from, to } => {
            format!("{} {from} -> {to}", timeline.probe.state_hook.name())
        }
        EventKind::SegmentRetransmit { state } => format!("tcp_retransmit_skb in {state}"),
        EventKind::SynAckRetransmit => "tcp_retransmit_synack by the server".to_owned(),
        EventKind::AckHeldBack => "ack_guard held back an ACK".to_owned(),
    };
    timeline
        .events
        .iter()
        .filter(|e| wanted(&e.kind))
        .map(|e| Evidence {
            at: Some(e.at),
            text: format!(
                "{}, {} after the SYN",
                describe(&e.kind),
                Elapsed(e.at.saturating_sub(syn))
            ),
        })
        .collect()
}
