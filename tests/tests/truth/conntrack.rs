//! Connection tracking that drops what it calls invalid, on this host (kubernetes/kubernetes#74839) and on a
//! gateway that sees one direction only (metallb/metallb#297).

use std::net::{IpAddr, SocketAddr};

use lab::{Family, Fault, Lab, Listener, ListenerOptions, Segment, TcpState};
use probe_agent_tests::{
    network::{counted, ip, nft},
    privileged,
};

use crate::{
    report::{arguments, check},
    routed::Routed,
};

#[test]
fn a_lost_rst_is_found_behind_our_own_connection_tracking() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| lab.listen(family).unwrap());
    let targets = listeners.each_ref().map(Listener::address);
    let lost = lab.inject(&Fault::lost(Segment::FirstRst)).unwrap();
    nft(
        lab.client(),
        "add table inet track\n\
             add counter inet track invalid\n\
             add chain inet track in { type filter hook input priority 0 ; }\n\
             add chain inet track out { type filter hook output priority 0 ; }\n\
             add rule inet track in ct state invalid counter name invalid drop\n\
             add rule inet track out ct state invalid counter name invalid drop\n",
    );
    let report = check(lab.client(), &arguments(&targets));
    // The server's second SYN-ACK, and the RST that answers it, are not invalid.
    assert_eq!(counted(lab.client(), "inet track invalid"), 0);
    assert_eq!(lost.hits().unwrap(), 2);
    for target in targets {
        report.to(target).is("alive", &["rst_lost_synack_retransmit/confirmed"]);
    }
}

/// This host's firewall lets one SYN-ACK in and drops those that the server sends again: the silence after
/// our RST is the firewall's.
#[test]
fn silence_that_our_own_firewall_makes_is_no_proof() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| lab.listen(family).unwrap());
    let targets = listeners.each_ref().map(Listener::address);
    let lost = lab.inject(&Fault::lost(Segment::FirstRst)).unwrap();
    // One rule, and so one count, for each target.
    let rules = targets.map(|target| {
        let family = if target.is_ipv4() { "ipv4" } else { "ipv6" };
        format!(
            "add rule inet state in meta nfproto {family} tcp sport {} tcp flags & (syn | ack) == (syn | ack) \
             numgen inc mod 4294967295 > 0 counter name again drop\n",
            target.port()
        )
    });
    nft(
        lab.client(),
        &format!(
            "add table inet state\n\
             add counter inet state again\n\
             add chain inet state in {{ type filter hook input priority 0 ; }}\n{}",
            rules.concat()
        ),
    );
    let report = check(lab.client(), &arguments(&targets));
    assert!(counted(lab.client(), "inet state again") >= 2);
    assert_eq!(lost.hits().unwrap(), 2);
    assert_eq!(lab.server().sockets_in(TcpState::SynRecv).unwrap(), 2);
    for target in targets {
        let probe = report.to(target);
        assert_eq!(probe.0["outcome"], "alive");
        probe.lacks(&["clean", "rst_lost_synack_retransmit"]);
        let verdicts = probe.verdicts();
        assert!(verdicts.contains(&"local_drop/confirmed".to_owned()), "{probe:#?}");
        assert!(verdicts.iter().any(|v| v.starts_with("rst_lost_unrecovered/")), "{probe:#?}");
        probe.says(&["This host dropped the target's SYN-ACK"]);
        probe.never_says(&["holds no half-open connection"]);
    }
}

/// Direct server return: the SYN and the RST pass the gateway, the SYN-ACK goes around it. Whether the
/// gateway takes the RST for invalid depends on the server's initial sequence number.
#[test]
fn a_gateway_that_sees_one_direction_hides_nothing() {
    privileged!();
    let routed = Routed::new();
    let (client, server) = (routed.lab.client(), routed.lab.server());
    let at = ListenerOptions::at(SocketAddr::new(routed.server, 0));
    let listener = Listener::open(server, &at).unwrap();
    let IpAddr::V4(direct) = routed.lab.client_address(Family::V4) else { unreachable!() };
    ip(server, &format!("route replace {}/32 via {direct} dev server0\n", routed.client));
    nft(
        &routed.router,
        "add table ip track\n\
         add counter ip track passed\n\
         add counter ip track first\n\
         add counter ip track other\n\
         add chain ip track through { type filter hook forward priority 0 ; }\n\
         add rule ip track through tcp flags & (syn | ack) == (syn | ack) counter name passed\n\
         add rule ip track through ct state invalid tcp flags & (rst | ack) == (rst | ack) counter name first drop\n\
         add rule ip track through ct state invalid counter name other drop\n",
    );
    routed.router.sysctl("net.netfilter.nf_conntrack_tcp_loose", "0").unwrap();
    let report = check(client, &format!("{} --count 16 --interval 10ms", listener.address()));
    let [passed, first, other] = ["passed", "first", "other"]
        .map(|name| counted(&routed.router, &format!("ip track {name}")));
    assert_eq!((passed, other), (0, 0), "{report:#?}");
    let reported = |verdict: &str| {
        let verdict = format!("{verdict}/confirmed");
        report.probes.iter().filter(|probe| probe.verdicts() == [verdict.as_str()]).count() as u64
    };
    let counts = [reported("rst_lost_synack_retransmit"), reported("clean")];
    assert_eq!(counts, [first, 16 - first], "{report:#?}");
}
