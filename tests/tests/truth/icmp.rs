//! A router, or the target's own host, answers the SYN with an ICMP error. The sentence names the sender and what it meant
//! (kubernetes/kubernetes#121371); the advice fits that.

use std::net::SocketAddr;

use lab::{Family, Lab};
use probe_agent_tests::{peer::Peer, privileged, segment::Segment};

use crate::report::{arguments, check};

/// An answer: its sender (the target itself if there is none), type, code, and what must be reported.
struct Answer {
    from: Option<&'static str>,
    kind: u8,
    code: u8,
    meaning: &'static str,
    advice: &'static str,
}

const ROUTER4: Option<&str> = Some("203.0.113.9");
const ROUTER6: Option<&str> = Some("2001:db8::9");

/// Each is given on its own port: its place in the list, from 1.
const ANSWERS: [&[Answer]; 2] = [
    &[
        answer(ROUTER4, 11, 0, "exceeded", "routing loop"),
        answer(ROUTER4, 3, 13, "prohibited", "firewall"),
        answer(ROUTER4, 3, 1, "host unreachable", "route to the target"),
        answer(None, 3, 13, "prohibited", "firewall"),
    ],
    &[
        answer(ROUTER6, 3, 0, "exceeded", "routing loop"),
        answer(ROUTER6, 1, 1, "prohibited", "firewall"),
        answer(ROUTER6, 1, 3, "address unreachable", "route to the target"),
        answer(None, 1, 1, "prohibited", "firewall"),
    ],
];

const fn answer(
    from: Option<&'static str>,
    kind: u8,
    code: u8,
    meaning: &'static str,
    advice: &'static str,
) -> Answer {
    Answer { from, kind, code, meaning, advice }
}

#[test]
fn who_sent_it_and_what_it_means_are_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let peers = Family::ALL.map(|family| {
        let answers = ANSWERS[usize::from(family == Family::V6)];
        let peer = Peer::start(&lab, family, |segment| {
            let Answer { from, kind, code, .. } = answers[usize::from(segment.to.port()) - 1];
            let from = from.map_or(segment.to.ip(), |from| from.parse().unwrap());
            vec![segment.icmp_error(from, kind, code)]
        });
        (peer, answers)
    });
    let targets: Vec<_> = peers
        .iter()
        .flat_map(|(peer, answers)| (1..).zip(*answers).map(|(port, _)| (peer.address(), port)))
        .map(SocketAddr::from)
        .collect();
    let report = check(lab.client(), &format!("{} --settle 0", arguments(&targets)));
    assert_eq!((report.code, report.outcomes("unreachable")), (Some(1), 8));
    for (peer, answers) in peers {
        let received = peer.received();
        assert!(received.iter().all(Segment::is_syn), "{received:?}");
        for (port, answer) in (1..).zip(answers) {
            let target = SocketAddr::new(peer.address(), port);
            assert!(received.iter().any(|segment| segment.to == target), "{target}");
            let probe = report.to(target);
            probe.is("unreachable", &["unreachable/confirmed"]);
            let who = match answer.from {
                Some(router) => format!("Router {router}"),
                None => format!("The target's host ({})", target.ip()),
            };
            probe.says(&[&who, answer.meaning, answer.advice]);
            probe.never_says(&["This host", "refused the connection"]);
            let icmp = &probe.0["icmp"];
            assert_eq!((&icmp["type"], &icmp["code"]), (&answer.kind.into(), &answer.code.into()));
            assert_eq!(icmp["from"], answer.from.map_or(target.ip().to_string(), str::to_owned));
        }
    }
}

/// prometheus/blackbox_exporter#818: a router reports that there is no way, and the answer comes later on another.
#[test]
fn an_answer_after_the_icmp_error_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let mut first = None;
    let peer = Peer::start(&lab, Family::V4, move |segment| {
        if !segment.is_syn() {
            return Vec::new();
        }
        let router = "203.0.113.9".parse().unwrap();
        let error = segment.icmp_error(router, 3, 1);
        // The answer to the first SYN waits for the second one.
        match first.replace(segment.clone()) {
            None => vec![error],
            Some(first) => vec![first.synack(1_000).packet(), error],
        }
    });
    let target = SocketAddr::new(peer.address(), 80);
    let report = check(lab.client(), &format!("{target} --count 2 --interval 300ms"));
    // The kernel answers the late SYN-ACK.
    let rsts = peer.received().iter().filter(|segment| segment.header.rst).count();
    assert_eq!((rsts, report.outcomes("unreachable")), (1, 2));
    let [first, second] = report.probes.as_slice() else { panic!("{report:?}") };
    first.is("unreachable", &["unreachable/inferred"]);
    first.says(&["Router 203.0.113.9", "host unreachable", "But a SYN-ACK for the same SYN came"]);
    second.is("unreachable", &["unreachable/confirmed"]);
    second.never_says(&["SYN-ACK"]);
}
