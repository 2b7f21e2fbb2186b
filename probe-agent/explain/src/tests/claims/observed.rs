//! Each observation that a claim names exists: in the probe's record, its events or its links.

use crate::timeline::{Coverage, Timeline};
use model::{
    claim::{Gap, Moment, Observation, SocketCount},
    event::EventKind,
    flow,
};

/// Whether the timeline has it.
pub(super) fn exists(timeline: &Timeline, observation: &Observation) -> bool {
    let probe = &timeline.probe;
    match *observation {
        Observation::Event(event) => timeline.events.contains(&event),
        Observation::Recorded { moment, at } => at != 0 && recorded(timeline, moment) == at,
        Observation::Clock { moment, at } => {
            let by_clock = match moment {
                Moment::Syn => probe.started_at,
                Moment::SynAck => probe.answered_at,
                Moment::Rst | Moment::End => probe.ended_at,
            };
            recorded(timeline, moment) == 0 && by_clock == at
        }
        Observation::Count { what, value, acks_held } => {
            let kernel = probe
                .kernel
                .map_or((0, 0, 0), |k| (k.segments_out, u32::from(k.retransmits), k.acks_held));
            match what {
                SocketCount::SegmentsOut => (value, acks_held) == (kernel.0, kernel.2),
                SocketCount::Retransmits => (value, acks_held) == (kernel.1, kernel.2),
                SocketCount::TcpInfoRetransmits => {
                    probe.tcp_info.is_some_and(|info| info.retransmits == value)
                }
            }
        }
        Observation::NoWindow => {
            probe.kernel.is_some_and(|k| k.synack_flags & 0x12 == 0x12 && k.synack_window == 0)
        }
        Observation::Errno(errno) => probe.errno == errno,
        Observation::Icmp(icmp) => probe.icmp == Some(icmp),
        Observation::NoAnswer { since, until } => {
            timeline.coverage == Coverage::Full
                && until == timeline.followed_until
                && probe.rst_at().is_none_or(|rst| since >= rst)
                && !timeline.events.iter().any(|e| e.at > since && is_answer(timeline, &e.kind))
        }
        Observation::NoSynAck { since, until } => {
            (since, until) == (recorded(timeline, Moment::Syn), recorded(timeline, Moment::End))
                && recorded(timeline, Moment::SynAck) == 0
        }
        Observation::Earlier(known) => timeline.earlier.is_some_and(|earlier| {
            known.is_none_or(|(id, closing, at, port)| {
                let of = (earlier.id, earlier.closing, earlier.ended_at, earlier.other_port);
                of == (Some(id), Some(closing), at, port)
            })
        }),
        Observation::Later { id, at, was_answered, other_port } => {
            timeline.later.is_some_and(|later| {
                (later.id, later.at, later.recovered, later.other_port)
                    == (id, at, was_answered, other_port)
            })
        }
        Observation::Conntrack { real, of } => {
            probe.translation.as_deref().is_some_and(|t| (t.real, t.of) == (real, of))
        }
        Observation::EcnSetting(ecn) => probe.clues.as_deref().is_some_and(|c| c.ecn == ecn),
        Observation::XdpAttached(interface) => {
            probe.clues.as_deref().is_some_and(|c| c.xdp == interface)
        }
        Observation::BoundToLoopback => {
            probe.clues.as_deref().is_some_and(|c| c.is_bound_to_loopback)
        }
        Observation::CopyMet { id, at } => timeline.copy_met == Some((id, at)),
        Observation::CleanReuse => timeline.reused_cleanly,
        Observation::DoubtfulReuse => timeline.reuse_in_doubt,
        Observation::Confirmation { port, outcome } => timeline
            .confirmation
            .is_some_and(|probe| (probe.local_port, probe.outcome) == (port, outcome)),
        Observation::Redirect { asked, real } => {
            probe.redirected_from == Some(asked) && flow::remote(&probe.flow) == real
        }
        Observation::Gap(gap) => matches!(
            (gap, timeline.coverage),
            (Gap::SocketlessRsts, Coverage::SocketsOnly)
                | (Gap::HooksMissing, Coverage::Incomplete)
                | (Gap::EventsLost, Coverage::EventsLost)
                | (Gap::NoTracing { .. }, Coverage::None)
        ),
    }
}

/// A moment in the kernel's record; 0 if it has none.
fn recorded(timeline: &Timeline, moment: Moment) -> u64 {
    timeline.probe.kernel.map_or(0, |k| match moment {
        Moment::Syn => k.syn_sent_at,
        Moment::SynAck => k.established_at,
        Moment::Rst => k.rst_sent_at,
        Moment::End => k.closed_at,
    })
}

/// Whether it is the RST that answers a SYN-ACK of the probe's handshake.
fn is_answer(timeline: &Timeline, kind: &EventKind) -> bool {
    let end = timeline.probe.syn_end();
    matches!(kind, EventKind::RstSent { socket: None, answers: Some(segment), .. }
        if segment.flags.is_synack() && end == Some(segment.ack))
}
