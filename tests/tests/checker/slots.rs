//! Few slots for many backends.

use std::{collections::HashSet, net::SocketAddr, time::Duration};

use lab::{End, Family, Lab, Listener, ListenerOptions};
use probe_agent_checker::{Checker, Outcome};
use probe_agent_tests::privileged;

use crate::support::{PATIENCE, build, turn};

/// A slot is bound to a source address. It is bound again when it is needed for another one.
#[test]
fn one_slot_serves_backends_of_both_families() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| lab.listen(family).unwrap());
    let checker = build(&lab, Checker::builder().slots(1));
    for _ in 0..3 {
        for listener in &listeners {
            let report = checker.check_blocking(listener.address(), PATIENCE).unwrap();
            assert!(report.is_alive(), "{report:?}");
        }
    }
}

/// A socket would answer a SYN that is sent to its own port.
#[test]
fn a_closed_port_of_this_host_does_not_answer_itself() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let checker = build(&lab, Checker::builder().slots(2).source_ports(30_000..=30_001));
        for port in [30_000, 30_001, 30_000] {
            let address = SocketAddr::new(lab.client_address(family), port);
            let report = checker.check_blocking(address, PATIENCE).unwrap();
            assert_eq!(report.outcome, Outcome::Refused, "{report:?}");
            assert_ne!(report.local_port, Some(port), "{report:?}");
        }
    }
}

/// The route is looked up again after a failure, not only once for each checker.
#[test]
fn a_backend_that_comes_back_is_found() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let checker = build(&lab, Checker::builder().slots(4).settle(Duration::ZERO));
    let vip = lab.vip(Family::V4);
    let away = SocketAddr::new(vip, 80);
    for _ in 0..2 {
        assert!(!checker.check_blocking(away, Duration::from_millis(50)).unwrap().is_alive());
        lab.move_vip(Some(End::Server)).unwrap();
        let options = ListenerOptions::at(SocketAddr::new(vip, 0));
        let listener = Listener::open(lab.server(), &options).unwrap();
        assert!(checker.check_blocking(listener.address(), PATIENCE).unwrap().is_alive());
        lab.move_vip(None).unwrap();
        assert_eq!(listener.accepted().unwrap(), 0);
    }
}

/// While a port may not be used for one backend, it serves the others.
#[test]
fn backends_in_turn_share_the_source_ports() {
    privileged!();
    let _turn = turn();
    let lab = Lab::new().unwrap();
    let listeners = [(); 4].map(|()| lab.listen(Family::V4).unwrap());
    let checker = build(&lab, Checker::builder().slots(64).settle(Duration::from_secs(600)));
    let mut ports = HashSet::new();
    for _ in 0..5 {
        for listener in &listeners {
            let report = checker.check_blocking(listener.address(), PATIENCE).unwrap();
            assert!(report.is_alive(), "{report:?}");
            ports.insert(report.local_port);
        }
    }
    assert_eq!(ports.len(), 5, "{ports:?}");
}
