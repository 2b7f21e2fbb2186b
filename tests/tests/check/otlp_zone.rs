//! A collector at a link-local address, which is reached through the interface that the endpoint names.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddrV6, TcpListener},
    process::Command,
    thread,
};

use lab::Lab;
use nix::net::if_::if_nametoindex;
use probe_agent_tests::{binary, network::ip, privileged};

use crate::support::{prepare, run};

const ANSWER: &[u8] = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n";

/// The head of the first request; the receiver accepts what it gets.
fn receive(listener: &TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream);
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        match line.trim_end() {
            "" => break,
            line => head.push(line.to_lowercase()),
        }
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length: "));
    let mut body = vec![0; length.unwrap().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    reader.get_mut().write_all(ANSWER).unwrap();
    head
}

#[test]
fn the_zone_leads_to_the_collector_and_is_not_sent() {
    privileged!();
    let lab = Lab::new().unwrap();
    ip(lab.client(), "address add fe80::1/64 dev client0 nodad\n");
    for zone in ["%25client0", "%client0"] {
        let listener = lab.client().run(|| {
            let scope = if_nametoindex("client0").unwrap();
            TcpListener::bind(SocketAddrV6::new("fe80::1".parse().unwrap(), 0, 0, scope)).unwrap()
        });
        let listener = listener.unwrap();
        let port = listener.local_addr().unwrap().port();
        let collector = thread::spawn(move || receive(&listener));
        let mut command: Command = lab.client().command(binary::agent()).unwrap();
        prepare(&mut command).args(["check", "127.0.0.1:9", "--no-kernel", "--output", "jsonl"]);
        command.arg("--otlp-endpoint").arg(format!("http://[fe80::1{zone}]:{port}"));
        let done = run(&mut command);
        assert_eq!(done.summary()["spans"]["accepted"], 1, "{done:?}");
        let head = collector.join().unwrap();
        assert_eq!(head[0], "post /v1/traces http/1.1");
        assert!(head.contains(&format!("host: [fe80::1]:{port}")), "{head:?}");
    }
}

#[test]
fn an_interface_that_does_not_exist_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let mut command: Command = lab.client().command(binary::agent()).unwrap();
    prepare(&mut command).args(["check", "127.0.0.1:9", "--no-kernel", "--otlp-timeout", "500ms"]);
    let done = run(command.args(["--otlp-endpoint", "http://[fe80::1%25nosuch0]:4318"]));
    assert!(done.err.contains("there is no network interface \"nosuch0\""), "{done:?}");
}
