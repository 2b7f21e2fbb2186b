//! Where probes come from, as the other side sees it.

use lab::{End, Family, Fault, Lab, Segment};
use probe_agent_tests::privileged;

use crate::{
    nft::{At, Syns},
    support::{check, check_in, open_port, run},
};

/// `ip` or `ip6`, as nftables calls them.
fn ip(family: Family) -> &'static str {
    match family {
        Family::V4 => "ip",
        Family::V6 => "ip6",
    }
}

const TEN: &str = "--count 10 --interval 0 --settle 0 --output jsonl";

#[test]
fn the_namespace_is_entered_and_the_route_chooses_the_source() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        let from = lab.client_address(family);
        let expression = format!("{} saddr {from}", ip(family));
        let syns = Syns::count(lab.server(), &format!("{family:?}"), At::Arrival, &expression);
        let done = run(&mut check_in(lab.client(), &format!("{} {TEN}", listener.address())));
        assert_eq!((done.code, syns.seen()), (Some(0), 10), "{done:?}");
        for probe in done.probes() {
            let local: std::net::SocketAddr = probe["local"].as_str().unwrap().parse().unwrap();
            assert_eq!(local.ip(), from);
        }
        assert_eq!(done.summary()["tracing"], "kernel");
    }
}

#[test]
fn the_source_address_is_the_requested_one() {
    privileged!();
    let lab = Lab::new().unwrap();
    // A second address of the client.
    lab.move_vip(Some(End::Client)).unwrap();
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        let source = lab.vip(family);
        let expression = format!("{} saddr {source}", ip(family));
        let syns = Syns::count(lab.server(), &format!("{family:?}"), At::Arrival, &expression);
        let flags = format!("{} {TEN} --source {source}", listener.address());
        let done = run(&mut check_in(lab.client(), &flags));
        assert_eq!((done.code, syns.seen()), (Some(0), 10), "{done:?}");
    }
}

#[test]
fn a_mapped_target_is_probed_over_ipv4_from_the_mapped_source() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let (address, source) = (listener.address(), lab.client_address(Family::V4));
    let expression = format!("ip saddr {source}");
    let syns = Syns::count(lab.server(), "mapped", At::Arrival, &expression);
    let target = format!("[::ffff:{}]:{}", address.ip(), address.port());
    let done = run(&mut check_in(lab.client(), &format!("{target} {TEN} --source {source}")));
    assert_eq!((done.code, syns.seen()), (Some(0), 10), "{done:?}");
}

#[test]
fn source_ports_come_from_the_range() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    for (name, range, ports) in [("one", "40000", 1), ("four", "41000-41003", 4)] {
        let syns = Syns::count(lab.server(), name, At::Arrival, &format!("tcp sport {range}"));
        let flags = format!("{} {TEN} --source-port {range}", listener.address());
        let done = run(&mut check_in(lab.client(), &flags));
        assert_eq!((done.code, syns.seen()), (Some(0), 10), "{done:?}");
        let mut used: Vec<_> =
            done.probes().iter().map(|probe| probe["local"].as_str().unwrap().to_owned()).collect();
        used.sort();
        used.dedup();
        assert_eq!(used.len(), ports, "{used:?}");
    }
}

/// A slot that is bound to an address of one family is bound again for the other.
#[test]
fn both_families_share_the_source_ports() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| lab.listen(family).unwrap());
    let [v4, v6] = listeners.each_ref().map(|listener| listener.address());
    let silent = lab.closed_port(Family::V6).unwrap();
    let _silence = lab.inject(&Fault::lost(Segment::Syn).on_port(silent.address().port())).unwrap();
    for ports in [
        "40000",
        "40000 --fresh-sockets",
        "40000-40001 --workers 2",
        "40000-40002 --port-policy pin",
        "40000-40009 --slots 1",
    ] {
        let flags = format!(
            "{v4} {v6} {} --source-port {ports} --count 3 --interval 0 --timeout 100ms \
             --settle 10ms --output jsonl",
            silent.address()
        );
        let done = run(&mut check_in(lab.client(), &flags));
        assert_eq!(done.code, Some(1), "{ports}: {done:?}");
        let outcomes = &done.summary()["outcomes"];
        let seen = ["alive", "timed_out", "local_error"].map(|name| &outcomes[name]);
        assert_eq!(seen, [6, 3, 0], "{ports}: {outcomes}");
    }
}

#[test]
fn the_mark_is_on_every_packet() {
    privileged!();
    let lab = Lab::new().unwrap();
    for (family, mark) in Family::ALL.into_iter().zip(["0x2a", "4294967295"]) {
        let listener = lab.listen(family).unwrap();
        let name = format!("{family:?}");
        let expression = format!("meta mark {mark}");
        let syns = Syns::count(lab.client(), &name, At::Departure, &expression);
        let flags = format!("{} {TEN} --mark {mark}", listener.address());
        let done = run(&mut check_in(lab.client(), &flags));
        assert_eq!((done.code, syns.seen()), (Some(0), 10), "{done:?}");
    }
}

#[test]
fn the_interface_is_the_requested_one() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        // The loopback has no route to the server. IPv4 treats a bound interface as a route, so the SYN
        // is sent on the loopback; IPv6 does not.
        let astray = u64::from(family == Family::V4);
        for (interface, code, left) in [("client0", 0, 1), ("lo", 1, astray)] {
            let name = format!("{family:?}_{interface}");
            let expression = format!("oifname {interface} tcp dport {}", listener.address().port());
            let syns = Syns::count(lab.client(), &name, At::Departure, &expression);
            let flags = "--interface {} --timeout 50ms --settle 0 --output jsonl";
            let flags = format!("{} {}", listener.address(), flags.replace("{}", interface));
            let done = run(&mut check_in(lab.client(), &flags));
            assert_eq!((done.code, syns.seen()), (Some(code), left), "{done:?}");
        }
    }
}

#[test]
fn without_kernel_events_none_is_lost_when_a_slot_changes_its_address() {
    let (v4, v6) = (open_port("127.0.0.1:0"), open_port("[::1]:0"));
    let done = run(&mut check(&format!(
        "{v4} {v6} --no-kernel --slots 1 --count 5 --interval 0 --output jsonl"
    )));
    let summary = done.summary();
    assert_eq!(summary["outcomes"]["alive"], 10, "{summary}");
    assert_eq!(summary["events_lost"], 0, "{summary}");
}
