//! A SYN proxy answers in the server's place (acassen/keepalived#2271). Its SYN-ACK offers a receive window
//! of 0, because it does not yet know the server's.

use std::net::SocketAddr;

use lab::{Fault, Segment};
use probe_agent_tests::{
    network::{counted, nft},
    privileged,
};

use crate::{
    report::{Report, check},
    routed::Routed,
};

/// Nothing listens behind the proxy on this port.
const PORT: u16 = 8_080;

/// Probes the server through a proxy on the router.
fn run(routed: &Routed) -> Report {
    nft(
        &routed.router,
        &format!(
            "add table ip proxy\n\
             add counter ip proxy taken\n\
             add chain ip proxy raw {{ type filter hook prerouting priority -300 ; }}\n\
             add rule ip proxy raw iifname near0 tcp dport {PORT} tcp flags syn notrack\n\
             add chain ip proxy through {{ type filter hook forward priority 0 ; }}\n\
             add rule ip proxy through tcp dport {PORT} ct state invalid,untracked \
             counter name taken synproxy mss 1460 wscale 7 timestamp sack-perm\n\
             add rule ip proxy through ct state invalid drop\n"
        ),
    );
    routed.router.sysctl("net.netfilter.nf_conntrack_tcp_loose", "0").unwrap();
    let target = SocketAddr::new(routed.server, PORT);
    let report = check(routed.lab.client(), &target.to_string());
    assert!(counted(&routed.router, "ip proxy taken") >= 1);
    report
}

#[test]
fn what_a_proxy_answered_is_never_confirmed() {
    privileged!();
    let routed = Routed::new();
    // The host behind the proxy is down: it answers nothing.
    let _down = routed.lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let before = routed.lab.server().counters().unwrap();
    let report = run(&routed);
    let changed = routed.lab.server().counters().unwrap().since(&before);
    assert_eq!(changed.get("TcpInSegs"), None, "{changed:?}");
    let probe = report.only();
    probe.is("alive", &["clean/inferred"]);
    probe.says(&["receive window of 0", "SYN proxy", "not known whether the server runs"]);
    probe.never_says(&["holds no half-open connection"]);
}

/// The proxy takes our RST for the last segment of the handshake and asks the server, which resets.
#[test]
fn a_proxy_without_a_server_resets() {
    privileged!();
    let routed = Routed::new();
    let before = routed.lab.server().counters().unwrap();
    let report = run(&routed);
    let changed = routed.lab.server().counters().unwrap().since(&before);
    assert_eq!(changed["TcpOutRsts"], 1, "{changed:?}");
    let probe = report.only();
    probe.is("alive", &["target_reset/confirmed"]);
    probe.says(&["the target reset it", "proxy without a working backend"]);
}
