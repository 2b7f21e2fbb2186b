//! This host's own firewall rejects the SYN (kubernetes/kubernetes#97360: kube-proxy does so for a service
//! without endpoints), or a router's does. Only a RST of the target is a refusal.

use std::net::SocketAddr;

use lab::{Action, ClosedPort, Family, Fault, Lab, Listener, Reject};
use probe_agent_tests::{peer::Peer, privileged, segment::Segment};

use crate::report::{Report, arguments, check};

/// The firewall of the client rejects all SYNs, on their way out.
fn rejected(with: Reject) -> Fault {
    Fault { action: Action::Reject(with), ..Fault::firewalled(lab::Segment::Syn) }
}

/// Probes one target of each family while the client's firewall rejects the SYNs, which do not leave. Only
/// closed ports are as expected.
fn run(with: Reject) -> (Lab, Report) {
    let lab = Lab::new().unwrap();
    let targets = Family::ALL.map(|family| lab.listen(family).unwrap());
    let rejected = lab.inject(&rejected(with)).unwrap();
    let left = lab.inject(&Fault::counted(lab::Segment::Syn)).unwrap();
    let targets = arguments(&targets.each_ref().map(Listener::address));
    let report = check(lab.client(), &format!("{targets} --expect closed --settle 0"));
    assert!(rejected.hits().unwrap() >= 2, "{report:?}");
    assert_eq!(left.hits().unwrap(), 0);
    assert_eq!((report.code, report.probes.len()), (Some(1), 2), "{report:?}");
    (lab, report)
}

const BLAMES_OTHERS: [&str; 4] = ["refused the connection", "neighbour", "ARP", "Nothing listens"];

#[test]
fn a_rst_of_our_own_firewall_is_not_the_targets() {
    privileged!();
    let (_lab, report) = run(Reject::TcpReset);
    for probe in &report.probes {
        probe.is("local_error", &["local_drop/confirmed"]);
        probe.says(&["This host dropped our SYN", "refusal came from this host", "output path"]);
        probe.never_says(&BLAMES_OTHERS);
    }
}

#[test]
fn an_icmp_error_of_our_own_firewall_is_not_the_targets() {
    privileged!();
    let (_lab, report) = run(Reject::PortUnreachable);
    for probe in &report.probes {
        probe.is("unreachable", &["local_drop/confirmed", "unreachable/confirmed"]);
        let own = format!("This host ({})", probe.local().ip());
        probe.says(&["This host dropped our SYN", &own, "port unreachable", "the output path"]);
        probe.never_says(&BLAMES_OTHERS);
    }
}

#[test]
fn a_routers_port_unreachable_is_no_refusal() {
    privileged!();
    let lab = Lab::new().unwrap();
    let routers = [("203.0.113.9", 3, 3), ("2001:db8::9", 1, 4)];
    let peers = Family::ALL.map(|family| {
        let (router, kind, code) = routers[usize::from(family == Family::V6)];
        let router = router.parse().unwrap();
        Peer::start(&lab, family, move |syn| vec![syn.icmp_error(router, kind, code)])
    });
    let targets = peers.each_ref().map(|peer| SocketAddr::new(peer.address(), 80));
    let flags = format!("{} --expect closed --settle 0", arguments(&targets));
    let report = check(lab.client(), &flags);
    for ((peer, target), (router, ..)) in peers.iter().zip(targets).zip(routers) {
        assert!(peer.received().iter().any(Segment::is_syn));
        let probe = report.to(target);
        probe.is("unreachable", &["unreachable/confirmed"]);
        probe.says(&[&format!("Router {router}"), "port unreachable"]);
        probe.never_says(&BLAMES_OTHERS);
    }
    assert_eq!(report.code, Some(1), "{report:?}");
}

#[test]
fn a_rst_of_the_target_is_a_refusal() {
    privileged!();
    let lab = Lab::new().unwrap();
    let closed = Family::ALL.map(|family| lab.closed_port(family).unwrap());
    let targets = arguments(&closed.each_ref().map(ClosedPort::address));
    let before = lab.server().counters().unwrap();
    let report = check(lab.client(), &format!("{targets} --expect closed --settle 0"));
    let counted = lab.server().counters().unwrap().since(&before);
    assert_eq!(counted["TcpOutRsts"], 2, "{counted:?}");
    for probe in &report.probes {
        probe.is("refused", &["refused/confirmed"]);
    }
    assert_eq!(report.code, Some(0), "{report:?}");
}
