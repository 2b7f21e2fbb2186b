//! Bad input: one clear line, exit code 2, and nothing half-done.

use std::fs;

use crate::support::{Done, Scratch, check, run};

/// Command lines and their error messages, after `error: `. DIR is a directory with one empty file,
/// `nothing`.
const TABLE: &[(&str, &str)] = &[
    ("", "no target: give HOST:PORT, or --targets-file PATH"),
    ("10.0.0.7", "target \"10.0.0.7\": no port; write HOST:PORT, e.g. 10.0.0.7:443"),
    ("10.0.0.7:65536", "target \"10.0.0.7:65536\": port \"65536\" is not a number from 1 to 65535"),
    ("a:0", "target \"a:0\": port \"0\" is not a number from 1 to 65535"),
    (
        "10.0.0.256:80",
        "target \"10.0.0.256:80\": 10.0.0.256 is not an IPv4 address; write four numbers from 0 \
         to 255",
    ),
    (
        "2001:db8::7:443",
        "target \"2001:db8::7:443\": an IPv6 address needs brackets; write e.g. [2001:db8::7]:443",
    ),
    (
        "[fe80::7]:80",
        "target \"[fe80::7]:80\": a link-local address needs its interface; write e.g. \
         [fe80::1%eth0]:80, or give --interface",
    ),
    (
        "[fe80::7%nosuch0]:80",
        "target \"[fe80::7%nosuch0]:80\": cannot resolve fe80::7: there is no network interface \
         nosuch0",
    ),
    (
        "https://example.org/health",
        "target \"https://example.org/health\": this is a URL; write HOST:PORT, here \
         example.org:443",
    ),
    ("a:1 --targets-file DIR/none", "DIR/none: cannot read the targets: No such file or directory"),
    ("--targets-file /dev/zero", "/dev/zero: cannot read the targets: it is longer than 64 MiB"),
    ("--targets-file DIR/nothing", "DIR/nothing: the file contains no targets"),
    (
        "--targets-file DIR/option",
        "DIR/option:2: target \"a:1\": interval=5: no unit: write 5s or 5ms",
    ),
    ("--targets-file DIR/mark", "DIR/mark:3: target \"b\": no port; write HOST:PORT, e.g. b:443"),
    ("--targets-file DIR/bytes", "DIR/bytes:2: not UTF-8; save the file as UTF-8"),
    (
        "10.0.0.7:80 --jitter 101%",
        "invalid value '101%' for '--jitter <PERCENT|TIME>': write a share of the interval from 0% \
         to 100%, or a time: 10%, 200ms",
    ),
    ("10.0.0.7:80 --jitter 2s", "--jitter 2s is longer than the interval, 1s; write e.g. 10%"),
    ("10.0.0.7:80 --rate 0", "invalid value '0' for '--rate <N>': 0 is not in 1..=1000000"),
    (
        "10.0.0.7:80 --rate-per-host 0.5",
        "invalid value '0.5' for '--rate-per-host <N>': invalid digit found in string",
    ),
    (
        "10.0.0.7:80 --source ::1",
        "target \"10.0.0.7:80\" is IPv4, but --source ::1 is IPv6; omit --source, or use one run \
         per address family",
    ),
    (
        "10.0.0.7:80 --source 0.0.0.0",
        "--source 0.0.0.0: not the address of a single host; omit --source to let the routing \
         table choose",
    ),
    (
        "10.0.0.7:80 --freebind",
        "--freebind needs --source IP, the address that this host does not have",
    ),
    (
        "10.0.0.7:80 --source-port 0",
        "invalid value '0' for '--source-port <N[-M]>': write a port from 1 to 65535, or a range: \
         40000-40999",
    ),
    (
        "10.0.0.7:80 --source-port 40001-40000",
        "invalid value '40001-40000' for '--source-port <N[-M]>': the range ends before it starts",
    ),
    (
        "10.0.0.7:80 --source-port 40000-40001 --slots 3",
        "--slots 3 needs 3 source ports, but --source-port 40000-40001 has 2",
    ),
    (
        "10.0.0.7:80 --source-port 40000 --workers 2",
        "--workers 2: each worker needs its own source port, but --slots or --source-port allows \
         only 1",
    ),
    (
        "10.0.0.7:80 --interface nosuch0",
        "--interface nosuch0: no such network interface; 'ip link' lists them",
    ),
    (
        "10.0.0.7:80 --interface a/b",
        "--interface \"a/b\": not an interface name; use 1 to 15 characters without '/', ':' and \
         spaces",
    ),
    (
        "10.0.0.7:80 --mark 0x100000000",
        "invalid value '0x100000000' for '--mark <MARK>': write a 32-bit number: 42 or 0x2a",
    ),
    (
        "10.0.0.7:80 --netns DIR/none",
        "--netns DIR/none: No such file or directory; give e.g. /run/netns/NAME or \
         /proc/PID/ns/net",
    ),
    (
        "10.0.0.7:80 --netns DIR",
        "--netns DIR: a directory, not a network namespace; give e.g. /run/netns/NAME or \
         /proc/PID/ns/net",
    ),
    (
        "10.0.0.7:80 --netns /proc/self/ns/mnt",
        "--netns /proc/self/ns/mnt: another kind of namespace, not a network namespace; give e.g. \
         /run/netns/NAME or /proc/PID/ns/net",
    ),
    (
        "10.0.0.7:80 --source 255.255.255.255",
        "--source 255.255.255.255: not the address of a single host; omit --source to let the \
         routing table choose",
    ),
    (
        "10.0.0.7:80 --source 224.0.0.1",
        "--source 224.0.0.1: not the address of a single host; omit --source to let the routing \
         table choose",
    ),
    (
        "10.0.0.7:80 --source 127.255.255.255",
        "--source 127.255.255.255: not the address of a single host; omit --source to let the \
         routing table choose",
    ),
    ("10.0.0.7:80 --timeout 1ns", "--timeout 1ns: too short; the minimum is 1ms"),
    (
        "10.0.0.7:80 --interval 5",
        "invalid value '5' for '--interval <TIME>': no unit: write 5s or 5ms",
    ),
    (
        "10.0.0.7:80 --concurrency 0",
        "invalid value '0' for '--concurrency <N>': 0 is not in 1..=65535",
    ),
    ("10.0.0.7:80 --count=-1", "--count -1: must not be negative"),
    ("10.0.0.7:80 --rate -0.5", "--rate -0.5: must not be negative"),
    (
        "10.0.0.7:80 --no-kernel --require-kernel",
        "the argument '--no-kernel' cannot be used with '--require-kernel'",
    ),
    (
        "10.0.0.7:80 --expect up",
        "invalid value 'up' for '--expect <STATE>' [possible values: open, closed]",
    ),
    (
        "10.0.0.7:80 --output xml",
        "invalid value 'xml' for '--output <FORMAT>' [possible values: table, ladder, json, jsonl]",
    ),
    (
        "10.0.0.7:80 --otlp-endpoint collector:4318",
        "--otlp-endpoint: \"collector:4318\" does not start with http:// or https://; write it like \
         http://localhost:4318",
    ),
    (
        "10.0.0.7:80 --otlp-protocol thrift",
        "--otlp-protocol: protocol \"thrift\" is not supported; use grpc or http/protobuf",
    ),
    (
        "10.0.0.7:80 --otlp-timeout 10",
        "--otlp-timeout: \"10\" is not a timeout; write a number and its unit, e.g. 10s or 500ms",
    ),
];

#[test]
fn bad_input_is_one_line_and_has_no_effect() {
    let scratch = Scratch::new();
    fs::write(scratch.join("nothing"), "# no target\n").unwrap();
    fs::write(scratch.join("option"), "b:2\na:1 interval=5\n").unwrap();
    fs::write(scratch.join("mark"), "\u{feff}a:1\r\n# b\r\nb\r\n").unwrap();
    fs::write(scratch.join("bytes"), b"a:1\nb\xff:2\n").unwrap();
    let spans = scratch.join("spans.jsonl");
    for (arguments, line) in TABLE {
        let arguments = arguments.replace("DIR", scratch.path());
        let done = run(check(&arguments).arg("--otlp-file").arg(&spans));
        let line = format!("error: {}\n", line.replace("DIR", scratch.path()));
        assert_eq!((done.err, done.code, &*done.out), (line, Some(2), ""), "{arguments}");
        assert!(!spans.exists(), "{arguments}");
    }
}

#[test]
fn a_file_that_cannot_be_written_is_an_error_before_the_first_probe() {
    let scratch = Scratch::new();
    let file = scratch.join("no/such/spans.jsonl");
    let done = run(check("127.0.0.1:9 --no-kernel --otlp-file").arg(&file));
    let line = format!(
        "error: --otlp-file: cannot write {}: No such file or directory; name a file in a \
         directory that you may write to\n",
        file.display()
    );
    assert_eq!((done.err, done.code, &*done.out), (line, Some(2), ""));
}

#[test]
fn spans_are_not_written_over_the_report() {
    let scratch = Scratch::new();
    let file = scratch.join("report.jsonl");
    let flags = "127.0.0.1:9 --no-kernel --settle 0 --timeout 100ms --otlp-file";
    let refused = |done: Done, path: &str, stream: &str, holds: &str| {
        let line =
            format!("error: --otlp-file {path}: {stream} is for the {holds}; name another file\n");
        assert_eq!((&*done.err, done.code), (&*line, Some(2)));
    };
    // A pipe, by its names.
    for path in ["/dev/stdout", "/proc/self/fd/1", "/dev/fd/1"] {
        refused(run(check(flags).arg(path)), path, "stdout", "report");
    }
    refused(run(check(flags).arg("/dev/stderr")), "/dev/stderr", "stderr", "messages");
    // A file, under the name that the shell opened and under another.
    let (name, link) = (file.to_str().unwrap(), scratch.join("link"));
    std::os::unix::fs::symlink(&file, &link).unwrap();
    for path in [name, link.to_str().unwrap()] {
        let stdout = fs::File::create(&file).unwrap();
        refused(run(check(flags).arg(path).stdout(stdout)), path, "stdout", "report");
        assert_eq!(fs::read_to_string(&file).unwrap(), "");
    }
    // Everything may go to /dev/null.
    let null = fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
    let done = run(check(flags).arg("/dev/null").stdout(null));
    assert_eq!(done.code, Some(1), "{done:?}");
}

#[test]
fn early_outcomes_need_lines() {
    for output in ["table", "ladder", "json"] {
        let done = run(&mut check(&format!("127.0.0.1:9 --early --output {output}")));
        let line = "error: --early needs --output jsonl: each outcome is then a line of its own\n";
        assert_eq!((&*done.err, done.code, &*done.out), (line, Some(2), ""));
    }
}

#[test]
fn more_slots_than_fit_are_refused_with_the_reason() {
    let done = run(&mut check("127.0.0.1:9 --no-kernel --slots 65535"));
    assert_eq!((done.code, &*done.out), (Some(2), ""));
    let line = done.err.strip_prefix("error: --slots 65535: only ").expect(&done.err);
    assert!(line.contains(" fit (") && line.lines().count() == 1, "{line}");
}

#[test]
fn control_characters_do_not_break_the_line() {
    let done = run(check("127.0.0.1:9").args(["--targets-file", "/no/such\nfile\u{1b}[2J"]));
    let line =
        "error: /no/such\\nfile\\u{1b}[2J: cannot read the targets: No such file or directory\n";
    assert_eq!((&*done.err, done.code), (line, Some(2)));
}
