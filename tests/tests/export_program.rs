//! The program `probe-agent` with an export: what it prints, and what it loses.

use std::{
    net::TcpListener,
    process::{Command, Stdio},
};

use probe_agent_tests::{
    binary::agent,
    receiver::{Receiver, Reply},
};

/// A run of the program that needs no privileges.
fn check(listener: &TcpListener, flags: &str) -> Command {
    let mut command = Command::new(agent());
    command.arg("check").arg(listener.local_addr().unwrap().to_string());
    command.args(["--no-kernel", "--settle", "0", "--output", "jsonl"]);
    command.args(flags.split_whitespace()).stdin(Stdio::null());
    command
}

/// The exit code, standard output and standard error.
fn run(command: &mut Command) -> (Option<i32>, String, String) {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code(), text(output.stdout), text(output.stderr))
}

#[test]
fn a_run_at_full_speed_loses_no_span() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    for protocol in ["grpc", "http/protobuf"] {
        let receiver = Receiver::start(|_| Reply::Take);
        let flags = format!(
            "--count 3000 --interval 0 --otlp-endpoint http://{} --otlp-protocol {protocol}",
            receiver.address()
        );
        // The probes are far faster than the spans leave.
        let run = run(check(&target, &flags).env("OTEL_BSP_MAX_QUEUE_SIZE", "10"));
        assert_eq!(run.0, Some(0), "{}", run.2);
        assert_eq!(receiver.spans().len(), 3000);
    }
}

#[test]
fn invalid_variables_are_reported_and_the_run_goes_on() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    let receiver = Receiver::start(|_| Reply::Take);
    let flags = format!("--otlp-endpoint http://{}", receiver.address());
    let (code, _, err) = run(check(&target, &flags)
        .env("OTEL_EXPORTER_OTLP_TIMEOUT", "soon")
        .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization: Bearer secret")
        .env("OTEL_RESOURCE_ATTRIBUTES", "secret"));
    assert_eq!(code, Some(0), "{err}");
    for name in
        ["OTEL_EXPORTER_OTLP_TIMEOUT", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES"]
    {
        let lines = err.lines().filter(|line| line.contains(name) && line.contains("(ignored: "));
        assert_eq!(lines.count(), 1, "{name}: {err}");
    }
    assert!(!err.contains("secret"), "{err}");
    assert_eq!(receiver.spans().len(), 1);
}

#[test]
fn no_secret_is_printed_at_any_log_level() {
    let target = TcpListener::bind("127.0.0.1:0").unwrap();
    for protocol in ["grpc", "http/protobuf"] {
        for reply in [Reply::Take, Reply::Refuse] {
            let query = if protocol == "grpc" { "" } else { "?token=secret" };
            let taken = reply == Reply::Take;
            let receiver = Receiver::start(move |_| reply.clone());
            let flags = format!(
                "--otlp-endpoint http://{}/{query} --otlp-protocol {protocol} --log-level trace",
                receiver.address()
            );
            let (code, out, err) = run(check(&target, &flags)
                .env("PROBE_AGENT_LOG", "trace")
                .env("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20secret")
                .env("HTTPS_PROXY", "http://me:secret@127.0.0.1:1"));
            assert_eq!(code, Some(if taken { 0 } else { 4 }), "{err}");
            assert!(!out.contains("secret") && !err.contains("secret"), "{out}{err}");
            let spans = format!("{:?}", receiver.received()[0].request);
            assert!(!spans.contains("secret"), "{spans}");
        }
    }
}
