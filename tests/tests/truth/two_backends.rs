//! A load balancer sends the retransmitted SYN to another backend than the first one, and both answer
//! (projectcalico/calico#4290).

use std::net::SocketAddr;

use lab::{Family, Lab};
use probe_agent_tests::{peer::Peer, privileged, segment::Segment};

use crate::report::{arguments, check};

/// Sequence numbers of the SYN-ACK that comes first, and of the other backend's.
const FIRST: u32 = 900_000;
const OTHER: u32 = 1_000;

#[test]
fn the_answer_of_another_backend_is_no_lost_rst() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = Family::ALL.map(|family| {
        let mut syn: Option<Segment> = None;
        let mut syns = 0;
        Peer::start(&lab, family, move |segment| {
            if segment.is_syn() {
                syns += 1;
                syn = Some(segment.clone());
                return if syns == 2 { vec![segment.synack(FIRST).packet()] } else { Vec::new() };
            }
            // Our RST for the first answer is on its way when the other one arrives.
            let other = syn.take().filter(|_| segment.header.rst).map(|syn| syn.synack(OTHER));
            other.iter().map(Segment::packet).collect()
        })
    });
    let targets = peers.each_ref().map(|peer| SocketAddr::new(peer.address(), 80));
    let report = check(lab.client(), &arguments(&targets));
    for (peer, target) in peers.iter().zip(targets) {
        let received = peer.received();
        let [syns, rsts] = [Segment::is_syn, |s: &Segment| s.header.rst]
            .map(|wanted: fn(&Segment) -> bool| received.iter().filter(|s| wanted(s)).count());
        assert_eq!((syns, rsts), (2, 2), "{received:?}");
        report.to(target).is("alive", &["syn_retransmitted/confirmed"]);
    }
}
