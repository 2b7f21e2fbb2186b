//! The agent's own messages on stderr: which are printed, how, and that they change nothing else.

use std::{
    fs::OpenOptions,
    io,
    net::SocketAddr,
    process::{Command, Stdio},
};

use probe_agent_tests::binary;
use serde_json::Value;
use socket2::Socket;

use crate::support::{check, closed_port, open_port, prepare, run};

/// The messages of `--log-format json`.
fn messages(err: &str) -> Vec<Value> {
    let parse = |line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
    err.lines().map(parse).collect()
}

/// A short run with two messages at the default level: `--settle` is short, and there is no collector.
fn warned(flags: &str) -> (Command, (Socket, SocketAddr)) {
    let open = open_port("127.0.0.1:0");
    let (closed, collector) = closed_port();
    let command = check(&format!(
        "{open} --settle 0 --no-kernel --output jsonl --otlp-endpoint http://{collector} \
         --otlp-timeout 50ms {flags}"
    ));
    (command, (closed, collector))
}

#[test]
fn text_is_one_line_for_each_message() {
    let (mut command, (_closed, collector)) = warned("");
    let done = run(&mut command);
    assert_eq!(done.code, Some(4), "{done:?}");
    let lines: Vec<&str> = done.err.lines().collect();
    let [settle, export] = &lines[..] else { panic!("two lines: {done:?}") };
    assert!(settle.starts_with("probe-agent: --settle 0: "), "{settle}");
    let start = format!("probe-agent: OTLP: 1 span not delivered to http://{collector}/");
    assert!(export.starts_with(&start), "{export}");
}

#[test]
fn json_is_one_object_for_each_message() {
    let (mut command, (_closed, collector)) = warned("--log-format json");
    let done = run(&mut command);
    assert_eq!(done.code, Some(4), "{done:?}");
    let messages = messages(&done.err);
    let [settle, export] = &messages[..] else { panic!("two lines: {done:?}") };
    for message in &messages {
        assert_eq!(message["level"], "WARN", "{message}");
        assert!(message["target"].as_str().unwrap().starts_with("probe_agent"), "{message}");
        // RFC 3339, in UTC.
        let time = message["timestamp"].as_str().unwrap();
        let shape = time.replace(|c: char| c.is_ascii_digit(), "0");
        assert_eq!(shape, "0000-00-00T00:00:00.000000Z", "{message}");
    }
    assert!(settle["message"].as_str().unwrap().starts_with("--settle 0: "), "{settle}");
    assert!(export["message"].as_str().unwrap().starts_with("OTLP: 1 span not "), "{export}");
    assert_eq!(export["spans"], 1, "{export}");
    assert!(export["sink"].as_str().unwrap().contains(&collector.to_string()), "{export}");
    assert!(export["reason"].as_str().unwrap().contains("Connection refused"), "{export}");
}

#[test]
fn the_level_decides_which_messages_are_printed() {
    for (level, count) in [("off", 0), ("error", 0), ("warn", 2), ("info", 2)] {
        let (mut command, _closed) = warned(&format!("--log-level {level}"));
        let done = run(&mut command);
        assert_eq!((done.code, done.err.lines().count()), (Some(4), count), "{level}: {done:?}");
    }
    for level in ["debug", "trace"] {
        let (mut command, _closed) = warned(&format!("--log-level {level}"));
        let done = run(&mut command);
        let named = |text: &str| done.err.lines().any(|line| line.contains(text));
        assert!(named(": configuration targets=1 ") && named(" timeout=2s"), "{done:?}");
        assert!(!named("hyper"), "the libraries are silent: {done:?}");
    }
}

#[test]
fn the_variable_filters_by_target_and_the_flag_wins() {
    let (mut command, _closed) = warned("");
    let done = run(command.env("PROBE_AGENT_LOG", "hyper_util=trace"));
    assert!(done.err.lines().all(|line| line.contains(" hyper_util::")), "{done:?}");
    assert!(done.err.lines().count() > 0, "{done:?}");
    for variable in ["hyper_util=trace", "not a filter="] {
        let (mut command, _closed) = warned("--log-level off");
        let done = run(command.env("PROBE_AGENT_LOG", variable));
        assert_eq!((done.code, &*done.err), (Some(4), ""), "{variable}");
    }
    let (mut command, _closed) = warned("");
    let done = run(command.env("PROBE_AGENT_LOG", ""));
    assert_eq!(done.err.lines().count(), 2, "an empty variable is none: {done:?}");
}

#[test]
fn a_bad_filter_is_one_line_and_nothing_is_done() {
    let bad_level = "error: invalid value 'loud' for '--log-level <LEVEL>' [possible values: \
                     error, warn, info, debug, trace, off]\n";
    let done = run(&mut check("127.0.0.1:9 --log-level loud"));
    assert_eq!((&*done.err, done.code, &*done.out), (bad_level, Some(2), ""));
    let bad_format = "error: invalid value 'xml' for '--log-format <FORMAT>' [possible values: \
                      text, json]\n";
    let done = run(&mut check("127.0.0.1:9 --log-format xml"));
    assert_eq!((&*done.err, done.code, &*done.out), (bad_format, Some(2), ""));
    let done = run(check("127.0.0.1:9").env("PROBE_AGENT_LOG", "probe_agent=loud"));
    assert_eq!((done.code, &*done.out), (Some(2), ""), "{done:?}");
    let start = "error: PROBE_AGENT_LOG: \"probe_agent=loud\" is not a filter (";
    assert!(done.err.starts_with(start) && done.err.lines().count() == 1, "{done:?}");
    // The help is printed all the same.
    let done = run(check("--help").env("PROBE_AGENT_LOG", "probe_agent=loud"));
    assert_eq!((done.code, &*done.err), (Some(0), ""));
}

#[test]
fn the_error_that_ends_the_command_passes_every_filter() {
    let line = "no target: give HOST:PORT, or --targets-file PATH";
    let done = run(&mut check("--log-level off"));
    assert_eq!((done.code, done.err), (Some(2), format!("error: {line}\n")));
    let done = run(check("").env("PROBE_AGENT_LOG", "hyper=trace"));
    assert_eq!((done.code, done.err), (Some(2), format!("error: {line}\n")));
    let done = run(&mut check("--log-format json"));
    let messages = messages(&done.err);
    let [message] = &messages[..] else { panic!("one line: {done:?}") };
    assert_eq!((&message["level"], &message["message"]), (&"ERROR".into(), &line.into()));
    assert_eq!(done.code, Some(2));
}

#[test]
fn nobody_need_read_the_messages() {
    for format in ["text", "json"] {
        let flags = format!("--log-level trace --log-format {format}");
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let full = || OpenOptions::new().write(true).open("/dev/full").unwrap();
        for (stderr, name) in [(writer.into(), "gone"), (full().into(), "full")] {
            let stderr: Stdio = stderr;
            let (mut command, _closed) = warned(&flags);
            let done = run(command.stderr(stderr));
            assert_eq!((done.code, &done.summary()["probes"]), (Some(4), &1.into()), "{name}");
        }
        let mut shell = Command::new("sh");
        prepare(&mut shell).args(["-c", "exec \"$0\" \"$@\" 2>&-"]).arg(binary::agent());
        let done = run(shell.args(["check", "--log-format", format]));
        assert_eq!((done.code, &*done.err), (Some(2), ""), "closed");
    }
}

#[test]
fn a_help_that_cannot_be_written_is_one_line_and_an_exit_code_of_its_own() {
    for arguments in ["--help", "--version", "check --help"] {
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let mut command = Command::new(binary::agent());
        prepare(&mut command).args(arguments.split(' ')).stdout(full);
        let done = run(&mut command);
        let line = "error: cannot write to stdout: No space left on device\n";
        assert_eq!((done.code, &*done.err), (Some(5), line), "{arguments}");
    }
}
