//! Tests of what needs no privilege. Those of the lab itself are in the package probe-agent-tests.

use super::subnet::address;
use super::*;

#[test]
fn blocks_have_their_own_addresses() {
    let table = [
        (0, Family::V4, 0, 1, "198.18.0.1"),
        (255, Family::V4, 0, 2, "198.18.255.2"),
        (256, Family::V4, 0, 200, "198.19.0.200"),
        (511, Family::V6, 1, 1, "fd6c:6162:1ff:1::1"),
    ];
    for (block, family, net, host, text) in table {
        assert_eq!(address(block, family, net, host).to_string(), text);
    }
}

#[test]
fn claims_never_collide() {
    let one = Subnet::claim().unwrap();
    let other = Subnet::claim().unwrap();
    for family in Family::ALL {
        assert_ne!(one.address(End::Server, family), other.address(End::Server, family));
        assert_ne!(one.vip(family), other.vip(family));
    }
}

#[test]
fn faults_become_rules() {
    let table = [
        (
            Fault::lost(Segment::FirstRst).first(3).on_port(80),
            "hook input",
            "tcp flags & (rst | ack) == (rst | ack) tcp dport 80 counter name seen numgen inc mod 4294967295 < 3 counter name hit drop",
        ),
        (
            Fault::lost(Segment::SynAck).percent(20).on_port(443),
            "hook output",
            "tcp flags & (syn | ack) == (syn | ack) tcp sport 443 counter name seen numgen random mod 100 < 20 counter name hit drop",
        ),
        (
            Fault::firewalled(Segment::Rst),
            "hook output",
            "tcp flags & rst == rst counter name seen counter name hit drop",
        ),
        (
            Fault::firewalled(Segment::SynAck),
            "hook input",
            "tcp flags & (syn | ack) == (syn | ack) counter name seen counter name hit drop",
        ),
        (
            Fault::refused(Reject::AdminProhibited),
            "hook input",
            "tcp flags & (syn | ack) == syn counter name seen counter name hit reject with icmpx type admin-prohibited",
        ),
        (
            Fault::counted(Segment::BareAck),
            "hook input",
            "tcp flags & (fin | syn | rst | psh | ack) == ack counter name seen counter name hit accept",
        ),
    ];
    for (fault, hook, rule) in table {
        let commands = ruleset::create("t", &fault).unwrap();
        assert!(commands.contains(hook), "{commands}");
        assert!(commands.ends_with(&format!("add rule inet t segments {rule}\n")), "{commands}");
    }
}

#[test]
fn more_than_all_is_an_error() {
    let error = ruleset::create("t", &Fault::lost(Segment::Syn).percent(101)).unwrap_err();
    assert_eq!(error.to_string(), "cannot inject the fault: 101 % is more than all segments");
}

#[test]
fn counters_are_named_as_nstat_names_them() {
    let before = Counters::parse("f", "Tcp: MaxConn AttemptFails\nTcp: -1 4\n").unwrap();
    let after = Counters::parse("f", "Tcp: MaxConn AttemptFails\nTcp: -1 6\n").unwrap();
    assert_eq!(after.get("TcpMaxConn"), Some(-1));
    assert_eq!(after.get("TcpNoSuchThing"), None);
    assert_eq!(after.since(&before), [("TcpAttemptFails".to_owned(), 2)].into());
    Counters::parse("f", "Tcp: MaxConn\n").unwrap_err();
}

#[test]
#[cfg(target_endian = "little")]
fn sockets_are_read_from_the_kernels_table() {
    let v4 = "   1: 0212C6C6:1F90 0112C6C6:9C40 03 00000000:00000000 01:00000063 00000000     0";
    let v6 = "   0: 62616CFD000000000000000002000000:0050 62616CFD000000000000000001000000:8000 06 00000000:00000000";
    let entry = SocketEntry::parse(v4).unwrap();
    assert_eq!(entry.local, "198.198.18.2:8080".parse().unwrap());
    assert_eq!(entry.remote, "198.198.18.1:40000".parse().unwrap());
    assert_eq!(entry.state, TcpState::SynRecv);
    let entry = SocketEntry::parse(v6).unwrap();
    assert_eq!(entry.local, "[fd6c:6162::2]:80".parse().unwrap());
    assert_eq!(entry.state, TcpState::TimeWait);
    assert_eq!(SocketEntry::parse("garbage"), None);
}

#[test]
fn a_lack_of_privilege_names_its_remedy() {
    let error = LabError::Namespace {
        operation: "create",
        namespace: "client",
        source: std::io::Error::from_raw_os_error(libc::EPERM),
    };
    assert_eq!(
        error.to_string(),
        "cannot create the network namespace \"client\": Operation not permitted (os error 1) \
         (run as root, or with CAP_SYS_ADMIN and CAP_NET_ADMIN)"
    );
}
