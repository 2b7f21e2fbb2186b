//! What a claim states agrees with the observations that it names: the party, the act and its numbers.

use crate::timeline::Timeline;
use model::{
    claim::{Act, Answers, Basis, Claim, Moment, Observation, Owner, Party, SocketCount},
    event::{EventKind, TcpState},
    flow,
    outcome::Outcome,
    packet_drop::{DropPlace, PacketDrop},
    segment::Segment,
};

/// Whether it agrees.
pub(super) fn agrees(timeline: &Timeline, claim: &Claim) -> bool {
    let observations = claim.basis.observations();
    let party = is_party_of(timeline, claim);
    let is_shown = match &claim.basis {
        Basis::Seen(_) => observations.iter().all(|seen| shows(timeline, claim, seen)),
        Basis::Concluded { .. } => true,
    };
    !observations.is_empty() && party && is_shown && has_right_numbers(timeline, claim)
}

/// Whether such an act can be of this party, with its right address.
fn is_party_of(timeline: &Timeline, claim: &Claim) -> bool {
    let target = flow::remote(&timeline.probe.flow);
    match (claim.party, &claim.act) {
        (Party::Target(address) | Party::OtherClient(address), _) if address != target => false,
        (Party::Agent, act) => matches!(act, Act::Missed(_)),
        (Party::OtherNetns | Party::SomeNetns, act) => {
            matches!(act, Act::Dropped { .. } | Act::DroppedClose { .. })
        }
        (Party::OtherClient(_), act) => *act == Act::SentSyn,
        (Party::Other(from), act) => matches!(act, Act::Answered { .. }) && from != target,
        (Party::Router(ip), Act::SentIcmp(icmp)) => {
            icmp.from.is_some_and(|from| from.to_canonical() == ip) && ip != target.ip()
        }
        (Party::TargetHost(ip), Act::SentIcmp(_)) => ip == target.ip(),
        (Party::Router(_) | Party::TargetHost(_), _) => false,
        (Party::Unknown, act) => {
            matches!(
                act,
                Act::LostSynOrAnswer
                    | Act::SentUnacceptable { .. }
                    | Act::SentIcmp(_)
                    | Act::SharedPort { .. }
                    | Act::TookLong { .. }
            )
        }
        (Party::ThisHost | Party::Target(_), _) => true,
    }
}

/// Whether the observation by itself shows the act.
fn shows(timeline: &Timeline, claim: &Claim, seen: &Observation) -> bool {
    let party = claim.party;
    match (&claim.act, seen) {
        (Act::Answered { .. }, Observation::Event(e)) => {
            matches!(e.kind, EventKind::SynAckFromElsewhere { from } if party == Party::Other(from))
        }
        (
            Act::Answered { .. },
            Observation::Recorded { moment: Moment::SynAck, .. }
            | Observation::Clock { moment: Moment::SynAck, .. },
        )
        | (Act::SentRst, Observation::Recorded { moment: Moment::Rst, .. })
        | (Act::OfferedNoWindow, Observation::NoWindow)
        | (Act::SentIcmp(_), Observation::Icmp(_))
        | (Act::AnsweredLaterSyn, Observation::CleanReuse)
        | (Act::RefusedLaterSyn, Observation::DoubtfulReuse)
        | (Act::MetConfirmation { .. }, Observation::Confirmation { .. })
        | (Act::ReceivedNoCopy { .. }, Observation::NoAnswer { .. })
        | (Act::ReceivedNothing { .. }, Observation::NoSynAck { .. })
        | (Act::Redirected { .. }, Observation::Redirect { .. })
        | (Act::Missed(_), Observation::Gap(_))
        | (Act::Translates { .. }, Observation::Conntrack { .. })
        | (Act::AsksForEcn(_), Observation::EcnSetting(_))
        | (Act::RunsXdp { .. }, Observation::XdpAttached(_))
        | (Act::KeptSynOnLoopback, Observation::BoundToLoopback)
        | (
            Act::RetransmittedSyn { .. },
            Observation::Count {
                what: SocketCount::Retransmits | SocketCount::TcpInfoRetransmits,
                ..
            },
        )
        | (
            Act::ReportedError { .. } | Act::ReportedUnreachable { .. } | Act::FailedToRun { .. },
            Observation::Errno(_),
        ) => true,
        (act, Observation::Event(event)) => event_shows(timeline, act, party, &event.kind),
        _ => false,
    }
}

fn event_shows(timeline: &Timeline, act: &Act, party: Party, kind: &EventKind) -> bool {
    let end = timeline.probe.syn_end();
    let is_synack = |segment: &Segment| segment.flags.is_synack() && end == Some(segment.ack);
    match (act, kind) {
        (
            Act::AnsweredLate { .. } | Act::SentOtherSynAck | Act::AnsweredAsWell { .. },
            EventKind::RstSent { socket: None, answers: Some(segment), .. },
        ) => is_synack(segment),
        (Act::AnsweredAsWell { .. } | Act::SentOtherSynAck, EventKind::SynAckRetransmit { .. }) => {
            true
        }
        (Act::AnsweredAsWell { .. } | Act::SentOtherSynAck, EventKind::PacketDropped(drop)) => {
            is_synack(&drop.segment)
        }
        (Act::SentSegment { flags }, EventKind::RstSent { answers: Some(segment), .. }) => {
            !segment.flags.is_synack() && segment.flags == *flags && end == Some(segment.ack)
        }
        (
            Act::AnsweredAnotherSyn { is_synack: Some(_), .. },
            EventKind::RstSent { socket: Some(TcpState::SynSent), .. },
        )
        | (Act::Refused { .. } | Act::Reset { .. }, EventKind::RstReceived)
        | (Act::AnsweredWithRst, EventKind::RstSent { .. })
        | (Act::RetransmittedSyn { .. }, EventKind::SynRetransmit { error: 0 })
        | (
            Act::ActedUnexpectedly,
            EventKind::StateChange { .. }
            | EventKind::SegmentRetransmit { .. }
            | EventKind::AckHeldBack,
        )
        | (
            Act::SentSyn,
            EventKind::StateChange { from: TcpState::SynSent, to: TcpState::Other(3) },
        ) => true,
        (Act::Reset { .. }, EventKind::PacketDropped(drop)) => {
            !drop.outgoing && drop.segment.flags.is_rst()
        }
        (Act::FailedToSendSyn { error }, EventKind::SynRetransmit { error: reported }) => {
            *error != 0 && error == reported
        }
        (Act::Dropped { packet, .. }, EventKind::PacketDropped(drop)) => {
            is_place(party, drop)
                && (drop.outgoing, drop.reason) == (packet.outgoing, packet.reason)
        }
        (Act::DroppedClose { packet }, EventKind::PacketDropped(drop)) => {
            let is_rst = drop.outgoing && drop.segment.flags.is_rst();
            is_place(party, drop) && drop == packet && is_rst
        }
        _ => false,
    }
}

/// Whether a party is where the drop was.
fn is_place(party: Party, drop: &PacketDrop) -> bool {
    party
        == match drop.place {
            DropPlace::OurNetns => Party::ThisHost,
            DropPlace::OtherNetns => Party::OtherNetns,
            DropPlace::Unknown => Party::SomeNetns,
        }
}

/// Whether counts and times are those of the observations.
fn has_right_numbers(timeline: &Timeline, claim: &Claim) -> bool {
    let observations = claim.basis.observations();
    let probe = &timeline.probe;
    let retransmitted =
        timeline.events.iter().filter(|e| e.kind == EventKind::SynRetransmit { error: 0 }).count();
    match claim.act {
        Act::Dropped { times, .. } => times == observations.len(),
        Act::RetransmittedSyn { times } => observations.iter().all(|o| match *o {
            Observation::Event(_) => times >= retransmitted,
            Observation::Count { value, .. } => times == value as usize,
            _ => true,
        }),
        Act::RetransmittedSynAck { times, answers, .. } => {
            let answered = observations.iter().filter(|o| is_answer(o)).count();
            times > 0 && (answers != Answers::All || answered == times)
        }
        Act::Held { of: Owner::Probe { id, .. }, .. } => {
            timeline.earlier.is_some_and(|earlier| earlier.id == Some(id))
        }
        Act::LeakedAck { count, then_reset, .. } => {
            let kernel = probe.kernel.unwrap_or_default();
            let syns = 1 + u32::from(kernel.retransmits);
            let acks = kernel.segments_out - u32::from(kernel.acks_held);
            count > 0 && count <= acks - syns.min(acks) && then_reset == probe.rst_at().is_some()
        }
        Act::Answered { after } if claim.party != Party::Unknown => {
            observations.iter().all(|o| match *o {
                Observation::Recorded { at, .. } => at == probe.syn_at() + after,
                _ => true,
            })
        }
        Act::MetConfirmation { outcome, .. } => {
            outcome != Outcome::Alive || timeline.falsely_refused()
        }
        _ => true,
    }
}

fn is_answer(observation: &Observation) -> bool {
    matches!(observation, Observation::Event(event)
        if matches!(event.kind, EventKind::RstSent { socket: None, .. }))
}
