//! Another connection of the probe's port, which the target still holds, sends something after the
//! probe. It is no SYN-ACK, so it shows nothing about the target or about our RST.

use std::{collections::BTreeMap, net::SocketAddr};

use lab::{Family, Lab};
use probe_agent_tests::{peer::Peer, privileged, segment::Segment};

use crate::report::{Probe, arguments, check};

/// Sequence number of the peer's SYN-ACKs.
const OURS: u32 = 1_000;
/// Numbers of the old connection.
const OLD: [u32; 2] = [700_000_000, 900_000_000];

/// What arrives after the probe, made from the probe's SYN.
#[derive(Clone, Copy, Debug)]
enum Stray {
    Data,
    Fin,
    BareAck,
    /// Not stray at all: the SYN-ACK of this probe, late or once more.
    SynAck,
}

impl Stray {
    /// Each comes from its own port of the peer: its place in the list, from 1.
    const ALL: [Self; 4] = [Self::Data, Self::Fin, Self::BareAck, Self::SynAck];

    fn segment(self, syn: &Segment) -> Segment {
        let [seq, ack] = OLD;
        let old = syn.answer(seq).ack(ack);
        match self {
            Self::Data => old.data(b"late data"),
            Self::Fin => old.fin(),
            Self::BareAck => old,
            Self::SynAck => syn.synack(OURS),
        }
    }
}

/// Runs two probes of each port of a peer, 1.2 s apart, from different ports. When the second SYN arrives,
/// the first probe has ended long before, and the peer sends the stray segment to its port. Returns for
/// each kind the first probe, and what the peer received for its stray segment.
fn run(family: Family, answers: bool) -> Vec<(Stray, Probe, Vec<Segment>)> {
    let lab = Lab::new().unwrap();
    let mut first = BTreeMap::<u16, Segment>::new();
    let peer = Peer::start(&lab, family, move |segment| {
        let port = segment.to.port();
        let mut send = Vec::new();
        match first.get(&port) {
            _ if !segment.is_syn() => return send,
            None => drop(first.insert(port, segment.clone())),
            Some(first) if first.from != segment.from => {
                send.push(Stray::ALL[usize::from(port) - 1].segment(first).packet());
            }
            Some(_) => {}
        }
        if answers {
            send.push(segment.synack(OURS).packet());
        }
        send
    });
    let targets = [1, 2, 3, 4].map(|port| SocketAddr::new(peer.address(), port));
    let schedule = "--count 2 --interval 1200ms --timeout 500ms --source-port 41000-41031";
    let report = check(lab.client(), &format!("{} {schedule}", arguments(&targets)));
    let received = peer.received();
    let mut probes = report.probes;
    let mut result = Vec::new();
    for (stray, target) in Stray::ALL.into_iter().zip(targets) {
        let from = received.iter().find(|segment| segment.to == target).unwrap().from;
        let ours = received.iter().filter(|s| s.to == target && s.from == from).cloned().collect();
        let is_it =
            |probe: &Probe| probe.0["address"] == target.to_string() && probe.local() == from;
        let at = probes.iter().position(is_it).unwrap();
        result.push((stray, probes.swap_remove(at), ours));
    }
    result
}

/// The RST without ACK with which the kernel answers a segment that finds no socket.
fn was_reset(received: &[Segment]) -> bool {
    received.iter().any(|s| s.header.rst && !s.header.ack && s.header.sequence_number == OLD[1])
}

#[test]
fn after_a_timeout_only_a_synack_is_a_late_synack() {
    privileged!();
    for (stray, probe, received) in run(Family::V4, false) {
        if matches!(stray, Stray::SynAck) {
            assert!(received.iter().any(|segment| segment.header.rst), "{received:?}");
            probe.is("timed_out", &["late_synack/confirmed", "timed_out/confirmed"]);
        } else {
            assert!(was_reset(&received), "{stray:?}: {received:?}");
            probe.is("timed_out", &["timed_out/confirmed"]);
            probe.never_says(&["target is up", "SYN-ACK arrived"]);
        }
    }
}

#[test]
fn after_a_clean_probe_only_its_synack_is_a_lost_rst() {
    privileged!();
    for (stray, probe, received) in run(Family::V6, true) {
        if matches!(stray, Stray::SynAck) {
            let rsts = received.iter().filter(|segment| segment.header.rst);
            assert_eq!(rsts.count(), 2, "{received:?}");
            probe.is("alive", &["rst_lost_synack_retransmit/confirmed"]);
        } else {
            assert!(was_reset(&received), "{stray:?}: {received:?}");
            probe.is("alive", &["clean/confirmed"]);
        }
    }
}
