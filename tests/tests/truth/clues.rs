//! Causes that no hook shows, and that a look at this host suggests.

use lab::{Family, Fault, Lab};
use probe_agent_tests::{peer::Peer, privileged, segment::Segment};

use crate::report::check;

/// systemd/systemd#9748: a device on the path drops SYNs that ask for ECN. This peer answers the others only.
#[test]
fn ecn_is_named_where_only_the_syn_without_it_is_answered() {
    privileged!();
    for setting in ["1", "2"] {
        let lab = Lab::new().unwrap();
        lab.client().sysctl("net.ipv4.tcp_ecn", setting).unwrap();
        let asks = |segment: &Segment| segment.header.ece || segment.header.cwr;
        let peer = Peer::start(&lab, Family::V4, move |segment| {
            let is_answered = segment.is_syn() && !asks(segment);
            is_answered.then(|| segment.synack(1_000).packet()).into_iter().collect()
        });
        let report = check(lab.client(), &format!("{}:80", peer.address()));
        let probe = report.only();
        if peer.received().iter().any(asks) {
            assert_eq!(setting, "1");
            probe.is("alive", &["syn_retransmitted/confirmed"]);
            probe.says(&["The SYN asked for ECN", "net.ipv4.tcp_ecn"]);
        } else {
            assert_eq!(setting, "2");
            probe.is("alive", &["clean/confirmed"]);
            probe.never_says(&["ECN"]);
        }
    }
}

/// eggheads/eggdrop#301: the loopback interface leads to this host only.
#[test]
fn a_probe_bound_to_loopback_does_not_leave() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let left = lab.inject(&Fault::counted(lab::Segment::Syn)).unwrap();
    let flags = format!("{} --interface lo --timeout 500ms --settle 0", listener.address());
    let report = check(lab.client(), &flags);
    assert_eq!(left.hits().unwrap(), 0);
    let probe = report.only();
    assert_eq!(probe.0["outcome"], "timed_out", "{probe:#?}");
    probe.says(&["The SYN did not leave this host", "--interface"]);
    probe.never_says(&["Packet loss", "was lost", "on the server"]);
}
