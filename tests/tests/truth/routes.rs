//! This host's own routes lead nowhere: no SYN leaves, and the target has no part in it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use lab::{Family, Fault, Lab, Segment};
use probe_agent_tests::{network::ip, privileged};

use crate::report::{arguments, check};

#[test]
fn a_route_that_leads_nowhere_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let IpAddr::V4(own) = lab.client_address(Family::V4) else { unreachable!() };
    let [a, b, c, _] = own.octets();
    // Addresses of this lab alone, which nothing uses.
    let at = |host| Ipv4Addr::new(a, b, c, host);
    let routes = [
        (201, "blackhole", "local_error", "`blackhole`"),
        (202, "unreachable", "unreachable", "marked `unreachable`"),
        (203, "throw", "unreachable", "a `throw` route"),
        (204, "prohibit", "local_error", "`prohibit`"),
    ];
    let batch = routes.map(|(host, kind, ..)| format!("route add {kind} {}/32\n", at(host)));
    ip(lab.client(), &batch.concat());
    // The directed broadcast address of the client's network.
    let broadcast = (127, "", "local_error", "broadcast");
    let all: Vec<_> = routes.into_iter().chain([broadcast]).collect();
    let targets: Vec<_> =
        all.iter().map(|(host, ..)| SocketAddr::new(at(*host).into(), 80)).collect();
    let left = lab.inject(&Fault::counted(Segment::Syn)).unwrap();
    let report = check(lab.client(), &format!("{} --settle 0", arguments(&targets)));
    assert_eq!((report.code, left.hits().unwrap()), (Some(1), 0));
    for (target, (.., outcome, word)) in targets.into_iter().zip(all) {
        let probe = report.to(target);
        probe.is(outcome, &[&format!("{outcome}/confirmed")]);
        probe.says(&["This host", word]);
        probe.never_says(&["refused the connection", "Packet loss", "on the server"]);
    }
}

/// jgwehr/homelab-docker#43: policy rules of this host, not routes.
#[test]
fn a_rule_that_leads_nowhere_is_named() {
    privileged!();
    for (kind, outcome) in [("blackhole", "local_error"), ("unreachable", "unreachable")] {
        let lab = Lab::new().unwrap();
        let target = SocketAddr::new(lab.server_address(Family::V4), 80);
        ip(lab.client(), &format!("rule add to {} pref 10 {kind}\n", target.ip()));
        let left = lab.inject(&Fault::counted(Segment::Syn)).unwrap();
        let report = check(lab.client(), &format!("{target} --settle 0"));
        assert_eq!((report.code, left.hits().unwrap()), (Some(1), 0));
        report.only().is(outcome, &[&format!("{outcome}/confirmed")]);
        report.only().says(&[&format!("`{kind}`"), "ip rule"]);
    }
}
