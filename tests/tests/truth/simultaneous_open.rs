//! The peer answers our SYN with a SYN, not with a SYN-ACK (RFC 9293, section 3.5). The socket becomes
//! writable, but no server answered.

use std::{net::SocketAddr, os::fd::AsFd as _, thread};

use lab::{Family, Lab};
use nix::{
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::eventfd::{EfdFlags, EventFd},
};
use probe_agent_tests::{network::ip, peer::Peer, privileged, segment::Segment, tun::Tun};

use crate::report::{Report, arguments, check};

#[test]
fn a_peer_that_answers_with_a_syn_is_not_alive() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = Family::ALL.map(|family| {
        Peer::start(&lab, family, |segment| {
            let answer = segment.is_syn().then(|| segment.answer(1_000).syn().packet());
            answer.into_iter().collect()
        })
    });
    let targets = peers.each_ref().map(|peer| SocketAddr::new(peer.address(), 80));
    let report = check(lab.client(), &format!("{} --timeout 500ms", arguments(&targets)));
    not_alive(&report, 2);
    for peer in peers {
        let received = peer.received();
        assert!(received.iter().any(Segment::is_synack), "{received:?}");
        assert!(!received.iter().any(Segment::is_bare_ack), "{received:?}");
    }
}

#[track_caller]
fn not_alive(report: &Report, probes: usize) {
    assert_eq!((report.code, report.probes.len()), (Some(1), probes), "{report:#?}");
    for probe in &report.probes {
        assert_eq!(probe.0["outcome"], "timed_out", "{probe:#?}");
        assert_eq!(probe.verdicts()[0], "simultaneous_open/confirmed", "{probe:#?}");
        probe.lacks(&["ack_leaked", "clean"]);
        probe.says(&["SYN of its own", "No server answered"]);
    }
}

/// Two agents probe each other from the ports that they probe. The wire between them holds the first SYN of
/// each back until both have sent one, so the SYNs cross. It loses RSTs: with them, the agent that ends first
/// would end the other's probe.
#[test]
fn two_agents_that_probe_each_other_are_not_alive() {
    privileged!();
    let lab = Lab::new().unwrap();
    let [here, there] = [lab.client_address(Family::V4), lab.server_address(Family::V4)];
    let ends = [(lab.client(), there), (lab.server(), here)].map(|(namespace, other)| {
        let tun = Tun::new(namespace, "wire0");
        ip(namespace, &format!("link set wire0 up\nroute add {other}/32 dev wire0\n"));
        tun
    });
    let stop = EventFd::from_flags(EfdFlags::EFD_CLOEXEC).unwrap();
    let (reports, carried) = thread::scope(|scope| {
        let wire = scope.spawn(|| carry(&ends, &stop));
        let agents = [(lab.client(), there), (lab.server(), here)].map(|(namespace, other)| {
            let flags = format!("{other}:41000 --source-port 41000 --timeout 8s --settle 0");
            scope.spawn(move || check(namespace, &flags))
        });
        let reports = agents.map(thread::ScopedJoinHandle::join);
        // Also if an agent failed: otherwise the wire would never end.
        stop.write(1).unwrap();
        (reports.map(Result::unwrap), wire.join().unwrap())
    });
    for end in [here, there] {
        let from = |wanted: fn(&Segment) -> bool| {
            carried.iter().any(|segment| segment.from.ip() == end && wanted(segment))
        };
        assert!(from(Segment::is_syn) && from(Segment::is_synack), "{carried:?}");
    }
    for report in &reports {
        not_alive(report, 1);
    }
}

/// Carries packets between two devices, once each has sent a SYN. Returns the segments that it carried.
fn carry(ends: &[Tun; 2], stop: &EventFd) -> Vec<Segment> {
    let mut held: [Option<Segment>; 2] = [None, None];
    let mut carried = Vec::new();
    loop {
        let mut ready = [ends[0].as_fd(), ends[1].as_fd(), stop.as_fd()]
            .map(|fd| PollFd::new(fd, PollFlags::POLLIN));
        poll(&mut ready, PollTimeout::NONE).unwrap();
        let ready = ready.map(|fd| fd.any() == Some(true));
        if ready[2] {
            return carried;
        }
        for at in [0, 1].into_iter().filter(|at| ready[*at]) {
            let Some(segment) = Segment::parse(&ends[at].receive().unwrap()) else { continue };
            if segment.header.rst {
                continue;
            }
            if held.iter().all(Option::is_some) {
                ends[1 - at].send(&segment.packet()).unwrap();
                carried.push(segment);
                continue;
            }
            // A SYN that is sent again while the other one is missing is the same.
            held[at].get_or_insert(segment);
            if let [Some(first), Some(second)] = &held {
                ends[1].send(&first.packet()).unwrap();
                ends[0].send(&second.packet()).unwrap();
                carried.extend([first.clone(), second.clone()]);
            }
        }
    }
}
