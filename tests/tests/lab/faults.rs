//! Faults hit the intended segments, and count them.

use std::thread;

use lab::{Family, Fault, Lab, Reject, Segment, SocketEntry, TcpState};
use probe_agent_tests::privileged;

use crate::support::{SOON, connect, half_open, start_connect, stay_half_open};

#[test]
fn the_first_n_are_exact() {
    privileged!();
    for segment in [Segment::Syn, Segment::SynAck] {
        for family in Family::ALL {
            let lab = Lab::new().unwrap();
            let listener = lab.listen(family).unwrap();
            let other = lab.listen(family).unwrap();
            let fault = Fault::lost(segment).first(3).on_port(listener.address().port());
            let injected = lab.inject(&fault).unwrap();
            let clients: Vec<_> = (0..5).map(|_| start_connect(&lab, listener.address())).collect();
            // Traffic of another port is neither hit nor counted.
            connect(&lab, other.address()).unwrap();
            // Two of them are accepted, so all five have arrived.
            assert!(listener.wait_accepted(2, SOON));
            drop(clients);
            lab.settle().unwrap();
            assert_eq!(injected.hits().unwrap(), 3, "{segment:?} {family:?}");
            assert!(injected.seen().unwrap() >= 5);
            assert_eq!(injected.clear().unwrap(), 3);
            connect(&lab, listener.address()).unwrap();
        }
    }
}

#[test]
fn a_lost_first_rst_leaves_the_server_half_open() {
    privileged!();
    let lab = Lab::new().unwrap();
    let _guard = stay_half_open(&lab);
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        let port = listener.address().port();
        let lost = lab.inject(&Fault::lost(Segment::FirstRst).on_port(port)).unwrap();
        let answers = lab.inject(&Fault::counted(Segment::RecoveryRst).on_port(port)).unwrap();
        let client = half_open(&lab, listener.address());
        lab.settle().unwrap();
        let mine =
            |entry: &&SocketEntry| entry.local == listener.address() && entry.remote == client;
        let sockets = lab.server().sockets().unwrap();
        let states: Vec<_> = sockets.iter().filter(mine).map(|entry| entry.state).collect();
        // The client's kernel ends it with another RST, 1 s later at the earliest.
        if answers.seen().unwrap() == 0 {
            assert_eq!(states, [TcpState::SynRecv], "{sockets:?}");
        }
        assert_eq!(lost.hits().unwrap(), 1);
        assert_eq!(listener.accepted().unwrap(), 0);
    }
}

#[test]
fn a_held_back_syn_ack_is_released() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let held = lab.inject(&Fault::lost(Segment::SynAck)).unwrap();
    let probe = start_connect(&lab, listener.address());
    lab.settle().unwrap();
    drop(probe);
    assert_eq!(lab.server().sockets_in(TcpState::SynRecv).unwrap(), 1);
    assert!(held.clear().unwrap() >= 1);
    connect(&lab, listener.address()).unwrap();
    assert!(listener.wait_accepted(1, SOON));
}

#[test]
fn the_local_firewall_stops_what_leaves() {
    privileged!();
    let lab = Lab::new().unwrap();
    let _guard = stay_half_open(&lab);
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        let rsts = lab.inject(&Fault::firewalled(Segment::Rst)).unwrap();
        let arrived = lab.inject(&Fault::counted(Segment::FirstRst)).unwrap();
        half_open(&lab, listener.address());
        lab.settle().unwrap();
        assert!(rsts.clear().unwrap() >= 1);
        assert_eq!(arrived.seen().unwrap(), 0);
        let syns = lab.inject(&Fault::firewalled(Segment::Syn)).unwrap();
        drop(start_connect(&lab, listener.address()));
        assert!(syns.clear().unwrap() >= 1);
    }
}

#[test]
fn a_percentage_hits_some() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    for percent in [0, 50, 100] {
        let before = listener.accepted().unwrap();
        let fault = lab.inject(&Fault::lost(Segment::Syn).percent(percent)).unwrap();
        for _ in 0..64 {
            let client = start_connect(&lab, listener.address());
            lab.settle().unwrap();
            drop(client);
        }
        let (dropped, seen) = (fault.hits().unwrap(), fault.seen().unwrap());
        let plausible = match percent {
            0 => dropped == 0,
            100 => dropped == seen,
            // All or none of 64 happens once in 2^63 runs.
            _ => 0 < dropped && dropped < seen,
        };
        assert!(plausible, "{percent} % dropped {dropped} of {seen}");
        let accepted = u64::try_from(listener.accepted().unwrap() - before).unwrap();
        assert_eq!(accepted + dropped, seen);
        fault.clear().unwrap();
    }
}

#[test]
fn rejections_reach_the_client() {
    privileged!();
    // EACCES, ECONNREFUSED and EHOSTUNREACH of errno.h: icmp(7) and ipv6's icmpv6_err_convert.
    let table = [
        (Reject::TcpReset, 111, 111),
        (Reject::HostUnreachable, 113, 113),
        (Reject::PortUnreachable, 111, 111),
        (Reject::AdminProhibited, 113, 13),
    ];
    // All at once, because the answers by ICMP take effect with the first retransmit, 1 s later.
    thread::scope(|scope| {
        for (reject, v4, v6) in table {
            scope.spawn(move || {
                let lab = Lab::new().unwrap();
                let fault = lab.inject(&Fault::refused(reject)).unwrap();
                let lab = &lab;
                thread::scope(|scope| {
                    for (family, errno) in Family::ALL.into_iter().zip([v4, v6]) {
                        scope.spawn(move || {
                            let listener = lab.listen(family).unwrap();
                            let error = connect(lab, listener.address()).unwrap_err();
                            assert_eq!(error.raw_os_error(), Some(errno), "{reject:?} {family:?}");
                            assert_eq!(listener.accepted().unwrap(), 0);
                        });
                    }
                });
                assert!(fault.hits().unwrap() >= 2);
            });
        }
    });
}
