//! One probe for each way that it can go.

use super::build::{Sample, at};
use explain::timeline::Confirmation;
use model::{
    claim::{Act, Assumption, Basis, Claim, Party},
    event::EventKind,
    fixtures::{REMOTE, rst_in_syn_sent, rst_without_socket},
    outcome::Outcome,
    record::{Closing, ProbeId},
    step::{
        Certainty::{Concluded, Lost, Seen},
        Direction::{Here, In, Out},
        StepKind,
    },
    verdict::{Proof, Verdict},
};

fn syn(sample: Sample) -> Sample {
    sample.step(0, StepKind::Syn, Out, Seen, "")
}

pub(crate) fn clean() -> Sample {
    syn(Sample::new(Outcome::Alive, 0).answered(70))
        .step(70, StepKind::SynAck, In, Seen, "handshake answered in 70 us")
        .step(124, StepKind::Rst, Out, Seen, "")
        .finding(
            Verdict::Clean,
            Proof::Confirmed,
            "The server answered in 70 us, was reset, and nothing came after for 1.5 s.",
            &[],
            None,
        )
}

pub(crate) fn path_a() -> Sample {
    let no_socket = rst_without_socket();
    syn(Sample::new(Outcome::Alive, 0).answered(70))
        .event(1_003_166, no_socket)
        .step(70, StepKind::SynAck, In, Seen, "handshake answered in 70 us")
        .step(124, StepKind::Rst, Out, Lost, "lost: left the server in SYN_RECV")
        .step(1_003_106, StepKind::SynAckRetransmit, In, Concluded, "its retransmit timer (1 s)")
        .step(
            1_003_166,
            StepKind::RecoveryRst,
            Out,
            Seen,
            "sent by the kernel: no socket (NO_SOCKET)",
        )
        .finding(
            Verdict::RstLostSynackRetransmit,
            Proof::Confirmed,
            "The server did not receive our RST: it stayed in SYN_RECV for 1.003 s, retransmitted its \
             SYN-ACK and was then reset.",
            &[
                (Some(124), "tcp_send_reset: our RST left the stack"),
                (
                    Some(1_003_166),
                    "tcp_send_reset reason=NO_SOCKET on this flow, 1003.042 ms after our RST left \
                     the stack",
                ),
            ],
            Some(
                "Once in a while, this is ordinary packet loss. If one target has it often, look for a \
                 firewall or NAT on the path that drops RSTs.",
            ),
        )
        .claims(vec![
            Claim::concluded(Party::Target(REMOTE.into()), Act::MissedRst, Vec::new()),
            Claim::seen(Party::ThisHost, Act::AnsweredWithRst, Vec::new()),
            Claim {
                party: Party::Target(REMOTE.into()),
                act: Act::HoldsNothing,
                basis: Basis::Concluded { from: Vec::new(), given: Some(Assumption::SynAckAgain) },
            },
        ])
}

pub(crate) fn path_b_earlier() -> Sample {
    syn(Sample::new(Outcome::Alive, 0).answered(66))
        .step(66, StepKind::SynAck, In, Seen, "handshake answered in 66 us")
        .step(110, StepKind::Rst, Out, Lost, "lost: left the server in SYN_RECV")
        .finding(
            Verdict::RstLostPortReuse,
            Proof::Confirmed,
            "The server did not receive our RST. The next probe from the same port met the stale \
             connection 20.1 ms later and cleared it.",
            &[(Some(20_140), "tcp_send_reset state=SYN_SENT reason=TCP_INVALID_ACK_SEQUENCE")],
            Some("Once in a while, this is ordinary packet loss."),
        )
        .link(3, 13)
}

pub(crate) fn path_b_later() -> Sample {
    let challenge = rst_in_syn_sent();
    syn(Sample::new(Outcome::Alive, 0).id(3, 13).answered(11_310))
        .event(61, challenge)
        .event(11_240, EventKind::SynRetransmit { error: 0 })
        .step(48, StepKind::ChallengeAck, In, Concluded, "from the stale connection of probe 3.12")
        .step(61, StepKind::RecoveryRst, Out, Seen, "TCP_INVALID_ACK_SEQUENCE: clears the stale connection")
        .step(11_240, StepKind::SynRetransmit, Out, Seen, "")
        .step(11_310, StepKind::SynAck, In, Seen, "handshake answered in 11.31 ms")
        .step(11_362, StepKind::Rst, Out, Seen, "")
        .finding(
            Verdict::StaleSynRecvChallengeAck,
            Proof::Confirmed,
            "Our SYN met a stale connection of an earlier probe. The server answered with a challenge ACK; \
             our kernel reset it and retransmitted the SYN.",
            &[(Some(61), "tcp_send_reset state=SYN_SENT reason=TCP_INVALID_ACK_SEQUENCE")],
            Some("Nothing here. Look at the probe that left the stale connection."),
        )
        .link(3, 12)
        .finding(
            Verdict::SynRetransmitted,
            Proof::Confirmed,
            "The SYN was sent twice: 11.24 ms of the handshake time were waiting.",
            &[(Some(11_240), "tcp_retransmit_skb state=SYN_SENT err=0")],
            None,
        )
}

pub(crate) fn path_c() -> Sample {
    let mut sample = syn(Sample::new(Outcome::Refused, libc::ECONNREFUSED).id(9, 1))
        .event(43, EventKind::RstReceived)
        .step(
            43,
            StepKind::RstReceived,
            In,
            Seen,
            "from the stale connection of probe 8.1, not from a closed port",
        )
        .finding(
            Verdict::StaleSynRecvReset,
            Proof::Confirmed,
            "The stale connection of an earlier probe took our SYN for a bad segment and reset it. The \
             target is up: a confirmation probe from another port was answered.",
            &[
                (Some(43), "tcp_receive_reset"),
                (None, "probe 8.1 on the same 4-tuple sent an unconfirmed RST 0.5 ms before"),
            ],
            Some("Do not open a new socket on a port that was just in use."),
        )
        .link(8, 1);
    sample.0.timeline.confirmation = Some(Confirmation {
        id: ProbeId { slot: 17, generation: 4 },
        local_port: 40_017,
        outcome: Outcome::Alive,
    });
    sample
}

pub(crate) fn refused() -> Sample {
    syn(Sample::new(Outcome::Refused, libc::ECONNREFUSED))
        .event(45, EventKind::RstReceived)
        .step(45, StepKind::RstReceived, In, Seen, "nothing listens")
        .finding(
            Verdict::Refused,
            Proof::Confirmed,
            "The target answered with a RST: it is reachable, but nothing listens on port 9000.",
            &[(Some(45), "tcp_receive_reset in SYN_SENT")],
            Some("Start the service, or check its port."),
        )
}

pub(crate) fn timed_out() -> Sample {
    let mut sample = syn(Sample::new(Outcome::TimedOut, 0))
        .event(1_008_000, EventKind::SynRetransmit { error: 0 })
        .step(1_008_000, StepKind::SynRetransmit, Out, Seen, "")
        .step(
            2_000_000,
            StepKind::TimedOut,
            Here,
            Concluded,
            "stopped waiting after 2 s; no RST is sent",
        )
        .finding(
            Verdict::TimedOut,
            Proof::Confirmed,
            "No answer to two SYNs arrived within 2 s.",
            &[(Some(1_008_000), "tcp_retransmit_skb state=SYN_SENT err=0")],
            Some("The host is down, or a firewall silently drops SYNs or SYN-ACKs."),
        );
    sample.0.timeline.probe.closing = Closing::Silent;
    sample.0.timeline.probe.ended_at = at(2_000_000);
    sample
}

pub(crate) fn unreachable() -> Sample {
    syn(Sample::new(Outcome::Unreachable, libc::EHOSTUNREACH))
        .event(1_024_000, EventKind::SynRetransmit { error: -16 })
        .step(1_024_000, StepKind::SynRetransmit, Out, Seen, "err=-16: it did not leave this host")
        .step(3_072_000, StepKind::Error, Here, Seen, "EHOSTUNREACH: no neighbour")
        .finding(
            Verdict::Unreachable,
            Proof::Confirmed,
            "No neighbour on the link answers for 10.77.0.2.",
            &[(Some(3_072_000), "inet_sock_set_state SYN_SENT -> CLOSE, error EHOSTUNREACH")],
            Some("Check that the host is up and on this network."),
        )
}

pub(crate) fn local_error() -> Sample {
    let mut sample = Sample::new(Outcome::LocalError, libc::EADDRNOTAVAIL)
        .step(0, StepKind::Error, Here, Seen, "EADDRNOTAVAIL from connect()")
        .finding(
            Verdict::LocalError,
            Proof::Confirmed,
            "This host could not send the SYN: the source address is not its own.",
            &[(None, "connect(): EADDRNOTAVAIL")],
            Some("Check --source, or use --freebind."),
        );
    sample.0.timeline.probe.kernel = None;
    sample.0.timeline.probe.started_at = super::SYN_AT;
    sample
}

/// This host gave the probe no socket and no port.
pub(crate) fn without_slot() -> Sample {
    let ProbeId { slot, generation } = ProbeId::without_slot(1, 1);
    local_error().id(slot, generation).flow("0.0.0.0:0", "10.77.0.2:9000")
}
