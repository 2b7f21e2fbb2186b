//! Errors of this host are reported as such, and are no verdict on the target.

use std::{collections::BTreeSet, fs, net::SocketAddr};

use lab::{Family, Lab};
use probe_agent_tests::privileged;
use socket2::{Domain, Socket, Type};

use crate::support::{Scratch, check, check_in, run};

#[test]
fn the_reason_is_reported() {
    privileged!();
    let lab = Lab::new().unwrap();
    let target = lab.listen(Family::V4).unwrap().address();
    let taken = SocketAddr::new(lab.client_address(Family::V4), 40_000);
    let _taken = lab
        .client()
        .run(|| {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
            socket.bind(&taken.into()).unwrap();
            socket
        })
        .unwrap();
    let target = target.to_string();
    for (target, flags, outcome, errno, error_type) in [
        (&*target, "--source-port 40000", "local_error", "EADDRINUSE", "address_in_use"),
        (&*target, "--source 192.0.2.1", "local_error", "EADDRNOTAVAIL", "address_not_available"),
        ("192.0.2.9:80", "", "unreachable", "ENETUNREACH", "network_unreachable"),
    ] {
        let flags = format!("{target} {flags} --count 3 --interval 0 --settle 0 --output jsonl");
        let done = run(&mut check_in(lab.client(), &flags));
        assert_eq!(done.code, Some(1), "{done:?}");
        assert_eq!(done.summary()["outcomes"][outcome], 3, "{done:?}");
        for probe in done.probes() {
            assert_eq!(
                [&probe["outcome"], &probe["errno_name"], &probe["error_type"]],
                [outcome, errno, error_type],
                "{probe}"
            );
            assert_eq!(probe["verdicts"][0], outcome);
            assert!(probe["findings"][0]["advice"].is_string(), "{probe}");
        }
    }
}

#[test]
fn a_port_in_use_is_skipped() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let _taken = lab
        .client()
        .run(|| std::net::TcpListener::bind((lab.client_address(Family::V4), 40_001)).unwrap())
        .unwrap();
    let flags = "--source-port 40000-40002 --count 9 --interval 0 --settle 0 --output jsonl";
    let done = run(&mut check_in(lab.client(), &format!("{} {flags}", listener.address())));
    assert_eq!(done.code, Some(0), "{done:?}");
}

/// Each worker numbers its probes without a socket itself, and a span's ids are made from the number.
#[test]
fn the_spans_of_probes_without_a_socket_have_ids_of_their_own() {
    let scratch = Scratch::new();
    let spans = scratch.join("spans.jsonl");
    let flags =
        "127.0.0.1:9 127.0.0.2:9 --source 192.0.2.1 --count 3 --interval 0 --workers 2 --no-kernel";
    let done = run(check(&format!("{flags} --output jsonl --otlp-file")).arg(&spans));
    assert_eq!(done.code, Some(1), "{done:?}");
    assert_eq!(done.summary()["outcomes"]["local_error"], 6, "{done:?}");
    assert!(done.probes().iter().all(|probe| probe["probe"].is_null()), "{done:?}");
    let text = fs::read_to_string(spans).unwrap();
    let ids: BTreeSet<&str> =
        text.split("\"spanId\":\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(ids.len(), 6, "{text}");
    assert!(!text.contains("probe_agent.slot") && !text.contains("429496"), "{text}");
}
