//! The SYN-ACK arrives at this host, which drops it. The target did answer: only this host is to blame.

use std::net::{IpAddr, SocketAddr};

use lab::{Family, Fault, Lab, LabBuilder, Listener, Segment, TcpState};
use probe_agent_tests::{network::ip, peer::Peer, privileged};

use crate::report::{arguments, check};

const BLAMES_THE_TARGET: [&str; 2] = ["sent no SYN-ACK", "full queue on the server"];

/// aws/amazon-vpc-cni-k8s#130: the answer comes in by another interface than the one that the route uses.
#[test]
fn the_reverse_path_filter_is_named_with_its_interface() {
    privileged!();
    let ready = LabBuilder::new(Family::V4).build().unwrap();
    let lab = ready.lab();
    let [IpAddr::V4(here), IpAddr::V4(there)] =
        [lab.client_address(Family::V4), lab.server_address(Family::V4)]
    else {
        unreachable!()
    };
    // A second cable, which the server's answers take. A static neighbour entry: the filter drops ARP too.
    ip(
        lab.client(),
        &format!(
            "link add client1 type veth peer name server1 address 02:00:00:00:00:04 netns {}\n\
             link set client1 address 02:00:00:00:00:03\n\
             link set client1 up\n",
            lab.server().path().display()
        ),
    );
    ip(
        lab.server(),
        &format!(
            "link set server1 up\n\
             neighbour replace {here} lladdr 02:00:00:00:00:03 dev server1 nud permanent\n\
             route add {here}/32 dev server1 src {there}\n"
        ),
    );
    lab.client().sysctl("net.ipv4.conf.all.rp_filter", "1").unwrap();
    let before = lab.client().counters().unwrap();
    let report = check(lab.client(), &ready.address().to_string());
    let counted = lab.client().counters().unwrap().since(&before);
    let probe = report.only();
    assert!(counted["TcpExtIPReversePathFilter"] >= 1, "{counted:?}");
    assert_eq!(probe.0["outcome"], "timed_out", "{probe:#?}");
    assert_eq!(probe.verdicts()[0], "local_drop/confirmed", "{probe:#?}");
    probe.says(&["This host dropped", "SYN-ACK", "reverse-path filter", "client1", "rp_filter"]);
    probe.never_says(&BLAMES_THE_TARGET);
    assert_eq!(report.code, Some(1));
}

#[test]
fn the_firewall_is_named_where_it_drops_the_synack() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| lab.listen(family).unwrap());
    let targets = listeners.each_ref().map(Listener::address);
    let dropped = lab.inject(&Fault::firewalled(Segment::SynAck)).unwrap();
    let flags = format!("{} --timeout 500ms --settle 300ms", arguments(&targets));
    let report = check(lab.client(), &flags);
    // The server sent them, and still waits for an answer.
    assert!(dropped.hits().unwrap() >= 2);
    assert_eq!(lab.server().sockets_in(TcpState::SynRecv).unwrap(), 2);
    for target in targets {
        let probe = report.to(target);
        assert_eq!(probe.0["outcome"], "timed_out", "{probe:#?}");
        assert_eq!(probe.verdicts()[0], "local_drop/confirmed", "{probe:#?}");
        probe.says(&["This host dropped the target's SYN-ACK", "packet filter"]);
        probe.never_says(&BLAMES_THE_TARGET);
    }
}

/// A service without a local neighbour: nothing was sent, so the target did not take part.
#[test]
fn a_neighbour_that_does_not_answer_is_named() {
    privileged!();
    let ready = LabBuilder::new(Family::V4).fault(Fault::counted(Segment::Syn)).build().unwrap();
    let lab = ready.lab();
    let IpAddr::V4(own) = lab.client_address(Family::V4) else { unreachable!() };
    let [a, b, c, _] = own.octets();
    let report = check(lab.client(), &format!("{a}.{b}.{c}.99:80"));
    assert_eq!(ready.hits().unwrap(), [0]);
    let probe = report.only();
    probe.is("timed_out", &["local_drop/confirmed", "timed_out/confirmed"]);
    probe.says(&["no neighbour answered", "No SYN left this host", "ip neigh"]);
    probe.never_says(&BLAMES_THE_TARGET);
    assert_eq!(report.code, Some(1));
}

/// A SYN-ACK that was damaged on its way: TCP drops it silently.
#[test]
fn a_wrong_checksum_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = Family::ALL.map(|family| {
        Peer::start(&lab, family, |segment| {
            let mut damaged = segment.synack(1_000).packet();
            // The last byte is part of the TCP header, and of no field that is looked at before.
            *damaged.last_mut().unwrap() ^= 0xff;
            vec![damaged]
        })
    });
    let targets = peers.each_ref().map(|peer| SocketAddr::new(peer.address(), 80));
    let before = lab.client().counters().unwrap();
    let flags = format!("{} --timeout 500ms --settle 100ms", arguments(&targets));
    let report = check(lab.client(), &flags);
    let counted = lab.client().counters().unwrap().since(&before);
    assert_eq!(counted["TcpInCsumErrors"], 2, "{counted:?}");
    for target in targets {
        let probe = report.to(target);
        probe.is("timed_out", &["local_drop/confirmed", "timed_out/confirmed"]);
        probe.says(&["This host dropped the target's SYN-ACK", "checksum"]);
        probe.never_says(&BLAMES_THE_TARGET);
    }
}
