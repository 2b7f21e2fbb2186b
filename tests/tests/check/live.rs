//! What a run reports before its probes are settled, and before it ends.

use std::{collections::BTreeMap, net::TcpListener};

use nix::sys::signal::Signal;
use socket2::{Domain, Socket, Type};

use crate::{
    running::Running,
    support::{check, closed_port, open_port, run},
};

#[test]
fn early_outcomes_come_before_the_settle_window_and_agree_with_what_follows() {
    let open = open_port("127.0.0.1:0");
    let (_closed, closed) = closed_port();
    let flags = "--no-kernel --count 5 --interval 0 --settle 1200ms --output jsonl --early";
    let done = run(&mut check(&format!("{open} {closed} {flags}")));
    assert_eq!(done.code, Some(1), "{done:?}");
    let (early, settled) =
        done.probes().into_iter().partition::<Vec<_>, _>(|l| l["type"] == "outcome");
    assert_eq!((early.len(), settled.len()), (10, 10), "{done:?}");
    let first_settled = done.lines().iter().position(|line| line.get("type").is_none());
    assert_eq!(first_settled, Some(10), "all probes end long before the first is settled");
    let settled: BTreeMap<_, _> = settled.iter().map(|l| (l["probe"].to_string(), l)).collect();
    for line in &early {
        let later = settled[&line["probe"].to_string()];
        for name in
            ["target", "address", "local", "start_unix_nano", "outcome", "handshake_seconds"]
        {
            assert_eq!(line[name], later[name], "{name}");
        }
        assert!(line.get("verdicts").is_none() && line.get("proof").is_none(), "{line}");
    }
    assert_eq!(done.summary()["probes"], 10);
}

#[test]
fn a_table_without_an_end_prints_each_change_as_it_happens() {
    // Bound before and after, so that no other socket gets the port.
    let held = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    held.set_reuse_port(true).unwrap();
    held.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let address = held.local_addr().unwrap().as_socket().unwrap();
    let listen = || {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.set_reuse_port(true).unwrap();
        socket.bind(&address.into()).unwrap();
        socket.listen(128).unwrap();
        TcpListener::from(socket)
    };
    let server = listen();
    let other = open_port("127.0.0.1:0");
    let flags = "--no-kernel --count 0 --interval 10ms --settle 10ms";
    let mut running = Running::start(&mut check(&format!("{address} {other} {flags}")));
    // Both are alive, which needs no line: the first line is about the end of the server.
    running.wait_for_stderr("--settle");
    drop(server);
    let mut seen = Vec::new();
    let mut until = |running: &mut Running, text: &str| loop {
        let line = running.text();
        assert!(!line.is_empty() && !line.contains("TARGET"), "the run ended: {seen:?}");
        seen.push(line.clone());
        if line.contains(text) {
            return;
        }
    };
    until(&mut running, "refused");
    let server = listen();
    until(&mut running, "refused -> alive, after ");
    running.signal(Signal::SIGINT);
    let done = running.finish();
    drop(server);
    assert_eq!(done.code, Some(130), "{done:?}");
    let name = address.to_string();
    assert!(seen.iter().filter(|l| l.starts_with("20")).all(|l| l.contains(&name)), "{seen:?}");
    let unusual = seen.iter().filter(|line| line.contains("  refused (")).count();
    assert!(unusual <= 1, "a target that stays down is shown once: {seen:?}");
    assert!(done.out.contains("TARGET") && done.out.contains("\nTotal  "), "{done:?}");
    assert!(done.out.contains("Interrupted"), "{done:?}");
}
