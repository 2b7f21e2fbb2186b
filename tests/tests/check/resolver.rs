//! Host names.

use std::{fs, net::UdpSocket, process::Command};

use lab::{Family, Lab};
use probe_agent_tests::{binary, privileged};

use crate::support::{Scratch, check, prepare, run};

#[test]
fn an_unknown_name_is_reported() {
    let scratch = Scratch::new();
    let spans = scratch.join("spans.jsonl");
    let done = run(check("no-such-host.invalid:80 --otlp-file").arg(&spans));
    assert_eq!((done.code, &*done.out), (Some(2), ""), "{done:?}");
    // The reason differs: some hosts have no resolver.
    let start = "error: target \"no-such-host.invalid:80\": cannot resolve no-such-host.invalid: ";
    assert!(done.err.starts_with(start) && done.err.lines().count() == 1, "{done:?}");
    assert!(!spans.exists());
}

#[test]
fn the_wait_for_a_silent_resolver_ends_with_the_timeout() {
    privileged!();
    let lab = Lab::new().unwrap();
    let server = lab.server_address(Family::V4);
    let _silent = lab.server().run(|| UdpSocket::bind((server, 53)).unwrap()).unwrap();
    let scratch = Scratch::new();
    let (asked, order) = (scratch.join("resolv.conf"), scratch.join("nsswitch.conf"));
    fs::write(&asked, format!("nameserver {server}\noptions timeout:60\n")).unwrap();
    fs::write(&order, "hosts: files dns\n").unwrap();
    let mut command = Command::new("unshare");
    prepare(&mut command).args(["--mount", "sh", "-ec"]);
    command.arg(
        "mount --bind \"$1\" /etc/resolv.conf; mount --bind \"$2\" /etc/nsswitch.conf; shift 2; \
         exec \"$@\"",
    );
    command.arg("sh").args([asked, order]).arg(binary::agent());
    command.args(["check", "silent.example:80", "--timeout", "100ms", "--netns"]);
    let done = run(command.arg(lab.client().path()));
    let line = "error: target \"silent.example:80\": cannot resolve silent.example: no answer from \
                the resolver within 100ms\n";
    assert_eq!((&*done.err, done.code, &*done.out), (line, Some(2), ""));
}
