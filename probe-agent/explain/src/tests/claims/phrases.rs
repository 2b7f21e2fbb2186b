//! Words that name a party or an act, and the claims that they need: in sentence, evidence, advice and ladder.

use crate::ExplainedProbe;
use model::{
    claim::{Act, Claim, Owner, Party},
    outcome::Outcome,
    packet_drop::DropReason,
};

type Needs = fn(&Claim) -> bool;

/// Each phrase, and whether a claim allows it. One such claim among all those of the probe must exist.
const PHRASES: &[(&str, Needs)] = &[
    ("This host dropped", is_dropped_here),
    ("which this host dropped", is_dropped_here),
    ("in another network namespace of this host", |claim| claim.party == Party::OtherNetns),
    ("nother network namespace of this host dropped", |claim| claim.party == Party::OtherNetns),
    ("in that network namespace", |claim| claim.party == Party::OtherNetns),
    ("This host's own firewall", |claim| match claim.act {
        Act::Dropped { packet, .. } | Act::DroppedClose { packet } => {
            claim.party == Party::ThisHost && packet.reason == DropReason::NETFILTER
        }
        Act::FailedToSendSyn { error } => error == -libc::EPERM,
        _ => false,
    }),
    ("This host refused to send", |claim| matches!(claim.act, Act::FailedToSendSyn { .. })),
    ("refusal came from this host", |claim| claim.act == Act::RefusedItself),
    ("made by this host's own firewall", |claim| claim.act == Act::RefusedItself),
    ("No SYN left", |claim| claim.act == Act::SentNoSyn),
    ("SYN has not left", |claim| {
        claim.act == Act::KeptSyn || matches!(claim.act, Act::FailedToSendSyn { .. })
    }),
    ("cannot have received our RST", is_missed),
    ("may not have received our RST", is_missed),
    ("did not receive our RST", is_missed),
    ("left the server in SYN_RECV", is_missed),
    ("perhaps lost", is_missed),
    ("our RST was dropped on its way", |claim| matches!(claim.act, Act::DroppedClose { .. })),
    ("retransmitted its SYN-ACK", |claim| {
        matches!(claim.act, Act::RetransmittedSynAck { .. })
            // In a reservation: what this kernel does not show.
            || matches!(claim.act, Act::Missed(_))
    }),
    ("its retransmit timer", |claim| matches!(claim.act, Act::RetransmittedSynAck { .. })),
    ("its SYN-ACK came again", |claim| matches!(claim.act, Act::RetransmittedSynAck { .. })),
    ("was then reset", |claim| claim.act == Act::HoldsNothing),
    ("cleared the stale connection", |claim| claim.act == Act::HoldsNothing),
    ("holds no half-open connection", |claim| claim.act == Act::HoldsNothing),
    ("may still be there", |claim| claim.act == Act::MayStillHold),
    ("the connection is still there", |claim| claim.act == Act::StillHolds),
    ("stayed in SYN_RECV", is_own_held),
    ("held the connection in SYN_RECV", is_own_held),
    ("met a stale connection", is_held),
    ("met the stale connection", |claim| matches!(claim.act, Act::Held { met_by: Some(_), .. })),
    ("that the server still held in SYN_RECV, left by probe", |claim| {
        matches!(claim.act, Act::Held { of: Owner::Probe { .. }, .. })
    }),
    ("still holds with this port", |claim| {
        matches!(claim.act, Act::Held { of: Owner::Unknown, .. })
    }),
    ("with a challenge ACK", |claim| matches!(claim.act, Act::AnsweredAnotherSyn { .. })),
    ("does not acknowledge our SYN", |claim| {
        matches!(claim.act, Act::AnsweredAnotherSyn { is_synack: Some(true), .. })
    }),
    ("replied with a RST", |claim| claim.act == Act::AnsweredWithRst),
    ("Our kernel answered with a RST", |claim| claim.act == Act::AnsweredWithRst),
    ("second copy of the SYN-ACK arrived", |claim| {
        matches!(claim.act, Act::SentCopy { has_arrived: true })
    }),
    ("a second copy", |claim| matches!(claim.act, Act::SentCopy { .. })),
    ("with another sequence number", |claim| claim.act == Act::SentOtherSynAck),
    ("further segment of this connection", |claim| matches!(claim.act, Act::SentSegment { .. })),
    ("receive window of 0", |claim| claim.act == Act::OfferedNoWindow),
    ("The SYN was retransmitted", |claim| matches!(claim.act, Act::RetransmittedSyn { .. })),
    ("retransmitted the SYN", |claim| matches!(claim.act, Act::RetransmittedSyn { .. })),
    ("server received the SYN", |claim| claim.act == Act::ReceivedSyn),
    ("The server answered, and", |claim| claim.act == Act::ReceivedSyn),
    ("lost, delayed or dropped", |claim| {
        matches!(claim.act, Act::LostSynOrAnswer | Act::ReceivedSyn)
    }),
    ("an answer came that our kernel did not", |claim| {
        matches!(claim.act, Act::SentUnacceptable { .. })
    }),
    ("Something answers with", |claim| match claim.act {
        Act::SentUnacceptable { .. } => true,
        Act::Dropped { packet, .. } => !packet.outgoing,
        _ => false,
    }),
    ("The peer answered", |claim| {
        matches!(claim.act, Act::AnsweredAnotherSyn { .. } | Act::SentSyn)
    }),
    ("SYN of its own", |claim| claim.act == Act::SentSyn),
    ("refused the connection", |claim| matches!(claim.act, Act::Refused { .. })),
    ("The refusal was false", is_disproved),
    ("meant for the stale connection", is_disproved),
    ("The target is up. This affects", is_disproved),
    ("the target is up, but", |claim| matches!(claim.act, Act::AnsweredLate { .. })),
    ("target's SYN-ACK arrived", |claim| matches!(claim.act, Act::AnsweredLate { .. })),
    ("A confirmation probe from", |claim| matches!(claim.act, Act::MetConfirmation { .. })),
    ("the target reset it", |claim| matches!(claim.act, Act::Reset { .. })),
    ("reset by the target", |claim| matches!(claim.act, Act::Reset { .. })),
    ("found no stale connection", |claim| claim.act == Act::AnsweredLaterSyn),
    ("from the same port was refused", |claim| claim.act == Act::RefusedLaterSyn),
    ("ACK of ours left", |claim| matches!(claim.act, Act::LeakedAck { .. })),
    ("ACKs of ours left", |claim| matches!(claim.act, Act::LeakedAck { .. })),
    ("The ACK guard was in effect", |claim| {
        matches!(claim.act, Act::LeakedAck { is_guarded: true, .. })
    }),
    ("before our RST.", |claim| matches!(claim.act, Act::LeakedAck { then_reset: true, .. })),
    ("What an earlier probe left", is_held),
    ("address translation on the way", |claim| matches!(claim.act, Act::SharedPort { .. })),
    ("This host translates", |claim| matches!(claim.act, Act::Translates { .. })),
    ("asked for ECN", |claim| matches!(claim.act, Act::AsksForEcn(_))),
    ("SYNs that ask for ECN", |claim| matches!(claim.act, Act::AsksForEcn(_))),
    ("XDP program is attached", |claim| matches!(claim.act, Act::RunsXdp { .. })),
    ("loopback interface", |claim| claim.act == Act::KeptSynOnLoopback),
    ("longer than the SYN's timer", |claim| matches!(claim.act, Act::TookLong { .. })),
    ("before an answer could come", |claim| matches!(claim.act, Act::HasShortTimer { .. })),
    ("another path leads to the target", |claim| matches!(claim.act, Act::AnsweredAsWell { .. })),
    ("RST that would end that connection", |claim| match claim.act {
        Act::Dropped { packet, .. } | Act::DroppedClose { packet } => packet.segment.flags.is_rst(),
        _ => false,
    }),
    ("two hosts (arping)", |claim| matches!(claim.act, Act::AnsweredAsWell { .. })),
    ("two hosts answer", |claim| matches!(claim.act, Act::AnsweredAsWell { .. })),
    ("cannot be reached", |claim| {
        matches!(claim.act, Act::SentIcmp(_) | Act::ReportedUnreachable { .. })
    }),
    ("Router ", |claim| matches!(claim.party, Party::Router(_))),
    ("The target's host", |claim| matches!(claim.party, Party::TargetHost(_))),
    ("answers with its own address", |claim| matches!(claim.party, Party::Other(_))),
    ("No SYN-ACK from", |claim| matches!(claim.act, Act::ReceivedNothing { .. })),
    ("No SYN-ACK of this handshake came again", |claim| {
        matches!(claim.act, Act::ReceivedNoCopy { .. })
    }),
    ("events were lost", |claim| matches!(claim.act, Act::Missed(_)) || claim.doubt().is_some()),
];

fn is_dropped_here(claim: &Claim) -> bool {
    claim.party == Party::ThisHost
        && matches!(claim.act, Act::Dropped { .. } | Act::DroppedClose { .. })
}

fn is_missed(claim: &Claim) -> bool {
    claim.act == Act::MissedRst
}

const fn is_own_held(claim: &Claim) -> bool {
    matches!(claim.act, Act::Held { of: Owner::ThisProbe, .. })
}

const fn is_held(claim: &Claim) -> bool {
    matches!(claim.act, Act::Held { .. })
}

const fn is_disproved(claim: &Claim) -> bool {
    matches!(claim.act, Act::MetConfirmation { outcome: Outcome::Alive, .. })
}

/// A phrase that no claim of the probe allows.
pub(super) fn unclaimed(probe: &ExplainedProbe) -> Option<String> {
    let claims: Vec<&Claim> = probe.findings.iter().flat_map(|f| &f.claims).collect();
    for finding in &probe.findings {
        let evidence = finding.evidence.iter().map(|evidence| &evidence.text);
        // What a verdict says must be in its own claims; its advice may look at the others.
        for text in evidence.chain([&finding.sentence]) {
            let own: Vec<&Claim> = finding.claims.iter().collect();
            if let Some(phrase) = missing(text, &own) {
                return Some(format!("'{phrase}' is in no claim of {:?}: {text}", finding.verdict));
            }
        }
        let advice = finding.advice.as_ref().and_then(|text| Some((missing(text, &claims)?, text)));
        if let Some((phrase, text)) = advice {
            return Some(format!("'{phrase}' is in no claim: {text}"));
        }
    }
    probe.steps.iter().find_map(|step| {
        let phrase = missing(&step.note, &claims)?;
        Some(format!("'{phrase}' is in no claim: {step:?}"))
    })
}

fn missing(text: &str, claims: &[&Claim]) -> Option<&'static str> {
    let is_allowed = |needs: &Needs| claims.iter().any(|claim| needs(claim));
    let found = PHRASES.iter().find(|(words, needs)| text.contains(words) && !is_allowed(needs));
    found.map(|(words, _)| *words)
}

/// The phrases that a text has.
pub(super) fn used(text: &str) -> impl Iterator<Item = &'static str> {
    PHRASES.iter().map(|(words, _)| *words).filter(|words| text.contains(words))
}

/// All phrases.
pub(super) fn all() -> impl Iterator<Item = &'static str> {
    PHRASES.iter().map(|(words, _)| *words)
}
