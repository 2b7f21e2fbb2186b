//! Address translation on this host (kube-proxy) and on a router (masquerade), with lost RSTs
//! (kubernetes/kubernetes#76699).

use std::net::{IpAddr, SocketAddr};

use lab::{Family, Fault, Lab, Listener, ListenerOptions, Segment};
use probe_agent_tests::{
    network::{counted, ip, nft},
    privileged,
};

use crate::{
    report::{arguments, check},
    routed::Routed,
};

#[test]
fn a_lost_rst_is_found_behind_a_service_address() {
    privileged!();
    let lab = Lab::new().unwrap();
    let lost = lab.inject(&Fault::lost(Segment::FirstRst)).unwrap();
    let services = [(Family::V4, "ip"), (Family::V6, "ip6")].map(|(family, name)| {
        let backend = lab.listen(family).unwrap();
        let service = SocketAddr::new(lab.vip(family), 80);
        let (via, to) = (lab.server_address(family), backend.address());
        ip(lab.client(), &format!("route add {} via {via} dev client0\n", service.ip()));
        nft(
            lab.client(),
            &format!(
                "add table {name} proxy\n\
                 add counter {name} proxy translated\n\
                 add chain {name} proxy out {{ type nat hook output priority -100 ; }}\n\
                 add rule {name} proxy out {name} daddr {} tcp dport 80 counter name translated dnat to {to}\n",
                service.ip()
            ),
        );
        (service, backend, format!("{name} proxy translated"))
    });
    let report = check(lab.client(), &arguments(&services.each_ref().map(|(at, ..)| *at)));
    assert_eq!(lost.hits().unwrap(), 2);
    for (service, backend, counter) in services {
        assert_eq!((counted(lab.client(), &counter), backend.accepted().unwrap()), (1, 0));
        let probe = report.to(service);
        probe.is("alive", &["rst_lost_synack_retransmit/confirmed"]);
        probe.says(&["translates the target's address", &backend.address().to_string()]);
        assert_eq!(probe.0["redirected_to"], backend.address().to_string());
    }
}

/// istio/istio#15178: a proxy on this host answers for every address. Nothing listens on the target.
#[test]
fn a_proxy_on_this_host_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    for (family, any) in [(Family::V4, "0.0.0.0:0"), (Family::V6, "[::]:0")] {
        let at = ListenerOptions::at(any.parse().unwrap());
        let proxy = Listener::open(lab.client(), &at).unwrap();
        let table = format!("proxy{}", proxy.address().port());
        nft(
            lab.client(),
            &format!(
                "add table inet {table}\n\
                 add counter inet {table} redirected\n\
                 add chain inet {table} out {{ type nat hook output priority -100 ; }}\n\
                 add rule inet {table} out tcp dport 81 counter name redirected redirect to :{}\n",
                proxy.address().port()
            ),
        );
        let target = SocketAddr::new(lab.server_address(family), 81);
        let report = check(lab.client(), &format!("{target} --count 2 --interval 20ms"));
        assert_eq!(counted(lab.client(), &format!("inet {table} redirected")), 2);
        assert_eq!(report.outcomes("alive"), 2);
        for probe in &report.probes {
            probe.says(&["This host translates the target's address", ", on this host"]);
        }
        nft(lab.client(), &format!("delete table inet {table}\n"));
    }
    // Without the rules, the closed port refuses, and nothing is translated.
    let closed = SocketAddr::new(lab.server_address(Family::V4), 81);
    let report = check(lab.client(), &format!("{closed} --settle 0"));
    report.only().is("refused", &["refused/confirmed"]);
    report.only().never_says(&["translates"]);
}

#[test]
fn rsts_that_are_lost_behind_a_masquerade_are_not_recovered() {
    privileged!();
    let routed = Routed::new();
    let at = ListenerOptions::at(SocketAddr::new(routed.server, 0));
    let listener = Listener::open(routed.lab.server(), &at).unwrap();
    nft(
        &routed.router,
        "add table ip nat\n\
         add counter ip nat translated\n\
         add chain ip nat post { type nat hook postrouting priority 100 ; }\n\
         add rule ip nat post oifname far0 counter name translated masquerade random\n",
    );
    let lost = routed.lab.inject(&Fault::lost(Segment::Rst)).unwrap();
    let report = check(routed.lab.client(), &listener.address().to_string());
    assert_eq!(counted(&routed.router, "ip nat translated"), 1);
    // The RST of the close, and one for each of the server's SYN-ACKs.
    assert!(lost.hits().unwrap() >= 3);
    let probe = report.only();
    probe.is("alive", &["rst_lost_unrecovered/confirmed"]);
    probe.never_says(&["was then reset"]);
}

/// AndrewGuenther/fck-nat#144: two of our ports are one for the server, so a probe meets what another port left.
#[test]
fn a_lost_rst_is_found_by_a_probe_from_another_port() {
    privileged!();
    let routed = Routed::new();
    let at = ListenerOptions::at(SocketAddr::new(routed.server, 0));
    let listener = Listener::open(routed.lab.server(), &at).unwrap();
    let IpAddr::V4(client) = routed.client else { unreachable!() };
    let [a, b, c, _] = client.octets();
    nft(
        &routed.router,
        &format!(
            "add table ip nat\n\
             add counter ip nat translated\n\
             add chain ip nat post {{ type nat hook postrouting priority 100 ; }}\n\
             add rule ip nat post oifname far0 meta l4proto tcp counter name translated snat to {a}.{b}.{c}.133:5000\n"
        ),
    );
    // The router forgets a connection with its RST.
    routed.router.sysctl("net.netfilter.nf_conntrack_tcp_timeout_close", "0").unwrap();
    let lost = routed.lab.inject(&Fault::lost(Segment::FirstRst)).unwrap();
    let ports = "--source-port 40000-40100 --count 2 --interval 600ms";
    let report = check(routed.lab.client(), &format!("{} {ports}", listener.address()));
    // The second SYN went twice.
    assert!(counted(&routed.router, "ip nat translated") >= 2);
    assert_eq!((lost.hits().unwrap(), listener.accepted().unwrap()), (2, 0));
    let [first, second] = report.probes.as_slice() else { panic!("{report:?}") };
    assert_ne!(first.local(), second.local());
    first.is("alive", &["rst_lost_port_reuse/confirmed"]);
    second.says(&["stale connection", "address translation", &first.local().port().to_string()]);
    assert_eq!(second.verdicts().last().unwrap(), "stale_syn_recv_challenge_ack/confirmed");
    first.never_says(&["so it dropped"]);
}
