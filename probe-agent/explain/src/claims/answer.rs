//! The answers that end a probe: a RST, an ICMP error, a SYN; and the confirmation probe.

use super::{
    basis::{events, follows, moment, observed, or_end, shown},
    clean::answered,
    dropped, target,
};
use crate::timeline::Timeline;
use model::{
    claim::{Act, Claim, Moment, Observation, Party, Reason},
    event::{EventKind, TcpState},
    flow,
    icmp::IcmpError,
    record::Closing,
};

/// The target answered with a RST.
pub(super) fn refused(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let mut claims = vec![refused_after(timeline, why)];
    claims.extend(confirmation(timeline));
    claims.extend(answered_as_well(timeline));
    claims
}

/// The refusal, by its RST or by the error of the socket.
pub(super) fn refused_after(timeline: &Timeline, why: Option<Reason>) -> Claim {
    let after = timeline.probe.closed_at().saturating_sub(timeline.probe.syn_at());
    let act = Act::Refused { after };
    match timeline.rst_received_at() {
        Some(at) => shown(target(timeline), act, vec![observed(at, EventKind::RstReceived)], why),
        None => {
            let from = vec![Observation::Errno(timeline.probe.errno)];
            follows(target(timeline), act, from, why.or(Some(Reason::ErrnoOnly)))
        }
    }
}

/// A SYN-ACK that contradicts the refusal.
fn answered_as_well(timeline: &Timeline) -> Option<Claim> {
    let late = timeline.late_synacks().next()?;
    let act = Act::AnsweredAsWell { after: late.at.saturating_sub(timeline.probe.closed_at()) };
    let by = events(timeline, |e| e.at == late.at && timeline.shows_late_synack(e));
    Some(Claim::seen(target(timeline), act, or_end(by, timeline)))
}

/// What the confirmation probe met.
pub(super) fn confirmation(timeline: &Timeline) -> Option<Claim> {
    let probe = timeline.confirmation?;
    let (port, outcome) = (probe.local_port, probe.outcome);
    let by = vec![Observation::Confirmation { port, outcome }];
    Some(Claim::seen(target(timeline), Act::MetConfirmation { port, outcome }, by))
}

/// A SYN-ACK, and then a RST.
pub(super) fn target_reset(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let reset = timeline.rst_received_at().or(timeline.late_target_rst());
    let probe = &timeline.probe;
    let answer = probe.handshake_ns().map(|ns| probe.syn_at() + ns);
    let act = Act::Reset {
        after: answer.zip(reset).map(|(answer, at)| at.saturating_sub(answer)),
        before_ours: probe.closing == Closing::ByKernel,
    };
    let by = events(timeline, |e| {
        e.kind == EventKind::RstReceived || (Some(e.at) == reset && is_target_rst(&e.kind))
    });
    let reset = if by.is_empty() {
        let errno = vec![Observation::Errno(probe.errno)];
        follows(target(timeline), act, errno, why.or(Some(Reason::ErrnoOnly)))
    } else {
        shown(target(timeline), act, by, why)
    };
    vec![answered(timeline), reset]
}

fn is_target_rst(kind: &EventKind) -> bool {
    matches!(kind, EventKind::PacketDropped(drop) if !drop.outgoing && drop.segment.flags.is_rst())
}

/// The peer sent a SYN.
pub(super) fn simultaneous_open(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let by = events(timeline, |e| {
        let is_open = EventKind::StateChange { from: TcpState::SynSent, to: TcpState::Other(3) };
        e.kind == is_open
    });
    let client = Party::OtherClient(flow::remote(&timeline.probe.flow));
    vec![shown(client, Act::SentSyn, by, why)]
}

/// There is no way to the target, by ICMP or by this host.
pub(super) fn unreachable(timeline: &Timeline, why: Option<Reason>) -> Vec<Claim> {
    let probe = &timeline.probe;
    let mut claims = Vec::new();
    match probe.icmp {
        Some(icmp) => {
            let by = vec![Observation::Icmp(icmp)];
            claims.push(shown(sender(timeline, icmp), Act::SentIcmp(icmp), by, why));
        }
        None => {
            let by = vec![Observation::Errno(probe.errno)];
            let act = Act::ReportedUnreachable { errno: probe.errno };
            claims.push(shown(Party::ThisHost, act, by.clone(), why));
            if probe.kernel.is_none() && probe.tcp_info.is_none() {
                claims.push(Claim::concluded(Party::ThisHost, Act::SentNoSyn, by));
            }
        }
    }
    claims.extend(answered_as_well(timeline));
    claims.extend(dropped(timeline, |drop| !drop.packet.is_here()));
    claims
}

/// Who sent the ICMP error.
fn sender(timeline: &Timeline, icmp: IcmpError) -> Party {
    let Some(ip) = icmp.from.map(|ip| ip.to_canonical()) else { return Party::Unknown };
    if ip == flow::local(&timeline.probe.flow).ip().to_canonical() {
        Party::ThisHost
    } else if ip == flow::remote(&timeline.probe.flow).ip().to_canonical() {
        Party::TargetHost(ip)
    } else {
        Party::Router(ip)
    }
}

/// The end of the wait, for a claim about what did not come.
pub(super) fn waited(timeline: &Timeline) -> Observation {
    moment(&timeline.probe, Moment::End)
}
