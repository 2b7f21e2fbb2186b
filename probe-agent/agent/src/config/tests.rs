//! Command lines in, configurations or error lines out.

use std::{
    num::{NonZeroU32, NonZeroU64},
    time::Duration,
};

use ::config::values::PortRange;
use engine::{
    pacing::{Jitter, Pacing},
    settings::PortPolicy,
};
use model::expect::Expect;
use report::format::OutputFormat;

use super::{CheckConfig, KernelUse};
use crate::{
    cli::{self, Command, Stop},
    names::{Families, Resolve},
    targets::file,
};

fn read(command_line: &str, listed: &[&str]) -> Result<CheckConfig, String> {
    let words = ["probe-agent", "check"].into_iter().chain(command_line.split_whitespace());
    let args = match cli::parse(words) {
        Ok(cli) => match cli.command {
            Command::Check(args) => args,
            Command::Demo(_) | Command::Run(_) | Command::Config(_) => {
                panic!("{command_line} is no check")
            }
        },
        Err(Stop::Usage(line)) => return Err(line),
        Err(Stop::Print(text)) => panic!("{text}"),
    };
    let listed = file::parse(listed.join("\n").as_bytes())
        .map_err(|(line, problem)| format!("{line}: {problem}"))?;
    CheckConfig::new(&args, listed, None).map_err(|error| error.to_string())
}

pub(crate) fn config(command_line: &str) -> CheckConfig {
    read(command_line, &[]).unwrap_or_else(|line| panic!("{command_line}: {line}"))
}

#[test]
fn the_defaults() {
    let config = config("a.example:80");
    assert_eq!(config.targets.len(), 1);
    assert_eq!(config.count, NonZeroU64::new(1));
    assert_eq!(config.interval, Duration::from_secs(1));
    assert_eq!(config.concurrency.get(), 256);
    assert_eq!(config.timeout, Duration::from_secs(2));
    assert_eq!(config.settle, Duration::from_secs(2));
    assert_eq!(config.workers, None, "the run decides");
    assert_eq!((config.source, config.source_ports, config.slots), (None, None, None));
    assert_eq!(config.port_policy, PortPolicy::Rotate);
    assert!(!config.fresh_sockets && !config.freebind);
    assert_eq!((config.interface.as_deref(), config.mark), (None, None));
    assert_eq!(config.expect, Expect::Open);
    assert_eq!(config.kernel, KernelUse::Auto);
    assert_eq!((config.output, config.early), (OutputFormat::Table, false));
    assert_eq!(config.warnings(), Vec::<String>::new());
    assert_eq!(config.total_probes(), Some(1));
    assert_eq!(config.pace(Box::default()), Pacing::default(), "at once and without a limit");
}

#[test]
fn every_flag() {
    let config = config(
        "a.example:80 a.example:80 -c 0 -i 0 --concurrency 64 -t 500ms --settle 1s --workers 2 \
         --source 10.0.0.1 --source-port 40000-40099 --slots 10 --port-policy pin --fresh-sockets \
         --jitter 0% --rate 500 --rate-per-host 20 --freebind --interface eth0 --mark 0x2a --expect closed --require-kernel -o jsonl --early",
    );
    assert_eq!(config.targets.len(), 2, "duplicates are allowed");
    assert_eq!((config.count, config.total_probes()), (None, None));
    assert_eq!(config.interval, Duration::ZERO);
    let (rate, rate_per_host) = (NonZeroU32::new(500), NonZeroU32::new(20));
    let pace = Pacing {
        spread: true,
        rate,
        rate_per_host,
        jitter: Jitter::Fraction(0.0),
        ..Pacing::default()
    };
    assert_eq!(config.pace(Box::default()), pace);
    assert_eq!(config.timeout, Duration::from_millis(500));
    assert_eq!(config.workers, NonZeroU32::new(2));
    assert_eq!(config.source.map(|ip| ip.to_string()).as_deref(), Some("10.0.0.1"));
    assert_eq!(config.source_ports.map(PortRange::count), Some(100));
    assert_eq!(config.slots.map(u32::from), Some(10));
    assert_eq!(config.concurrency.get(), 10, "no more probes at a time than source ports");
    assert_eq!(config.port_policy, PortPolicy::Pin);
    assert!(config.fresh_sockets && config.freebind);
    assert_eq!((config.interface.as_deref(), config.mark), (Some("eth0"), Some(42)));
    assert_eq!(config.expect, Expect::Closed);
    assert_eq!(config.kernel, KernelUse::Required);
    assert_eq!((config.output, config.early), (OutputFormat::Jsonl, true));
    assert_eq!(
        config.warnings(),
        [
            "--settle 1s: a server retransmits its SYN-ACK 1 s after a lost RST, so with less than 1100ms a clean probe is inferred, not confirmed"
        ]
    );
}

#[test]
fn what_fits_together() {
    assert_eq!(config("a:80 --source-port 40000").concurrency.get(), 1);
    assert_eq!(config("a:80 --source-port 40000").slots.map(u32::from), Some(1));
    assert_eq!(config("a:80 --concurrency 1 --workers 4").workers, NonZeroU32::new(1));
    assert_eq!(config("a:80 --no-kernel").kernel, KernelUse::Never);
    // A mapped address is IPv4 on the wire, whatever its socket is.
    assert_eq!(config("[::ffff:10.0.0.7]:80 --source 10.0.0.1").targets.len(), 1);
    assert_eq!(config("[fe80::1]:80 --interface eth0").targets.len(), 1);
    assert_eq!(config("a:1 b:2 --count 3").total_probes(), Some(6));
    assert_eq!(config("a:1 --timeout 1ms").timeout, Duration::from_millis(1));
}

#[test]
fn the_addresses_of_names() {
    for (flags, families, resolve) in [
        ("", Families::Both, Resolve::All),
        ("-4", Families::V4, Resolve::All),
        ("-6 --resolve first", Families::V6, Resolve::First),
        ("--source 10.0.0.1", Families::V4, Resolve::All),
        ("--source ::1 -6", Families::V6, Resolve::All),
    ] {
        let choice = config(&format!("a:80 {flags}")).choice;
        assert_eq!((choice.families, choice.resolve), (families, resolve), "{flags}");
    }
}

#[test]
fn targets_come_from_the_file_too() {
    let config = read("a:1", &["b:2", "[::1]:3"]).unwrap();
    let names: Vec<_> = config.targets.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["a:1", "b:2", "[::1]:3"]);
    let config = read("a:1 -i 2s", &["b:2 interval=10s", "c:3"]).unwrap();
    let own: Vec<_> = config.targets.iter().map(|target| target.interval).collect();
    assert_eq!(own, [None, Some(Duration::from_secs(10)), None]);
    assert_eq!(config.interval, Duration::from_secs(2));
}

#[test]
fn what_is_wrong_is_one_line() {
    for (command_line, line) in [
        ("", "no target: give HOST:PORT, or --targets-file PATH"),
        ("a.example", "target \"a.example\": no port; write HOST:PORT, e.g. a.example:443"),
        ("a:1 b:70000", "target \"b:70000\": port \"70000\" is not a number from 1 to 65535"),
        (
            "[fe80::1]:80",
            "target \"[fe80::1]:80\": a link-local address needs its interface; write e.g. \
             [fe80::1%eth0]:80, or give --interface",
        ),
        (
            "10.0.0.7:80 [2001:db8::7]:80 --source 10.0.0.1",
            "target \"[2001:db8::7]:80\" is IPv6, but --source 10.0.0.1 is IPv4; omit --source, \
             or use one run per address family",
        ),
        (
            "10.0.0.7:80 --source ::1",
            "target \"10.0.0.7:80\" is IPv4, but --source ::1 is IPv6; omit --source, or use one \
             run per address family",
        ),
        (
            "10.0.0.7:80 -6",
            "target \"10.0.0.7:80\" is IPv4, which -6 excludes; omit -6, or use one run per address \
             family",
        ),
        ("a:80 --source ::1 -4", "--source ::1 is IPv6, which -4 excludes; omit one of them"),
        ("a:80 -4 -6", "the argument '--ipv4' cannot be used with '--ipv6'"),
        (
            "a:80 --source 0.0.0.0",
            "--source 0.0.0.0: not the address of a single host; omit --source to let the routing \
             table choose",
        ),
        (
            "a:80 --source eth0",
            "invalid value 'eth0' for '--source <IP>': invalid IP address syntax",
        ),
        (
            "a:80 --freebind",
            "--freebind needs --source IP, the address that this host does not have",
        ),
        (
            "a:80 --slots 10 --source-port 40000-40003",
            "--slots 10 needs 10 source ports, but --source-port 40000-40003 has 4",
        ),
        (
            "a:80 --workers 2 --source-port 40000",
            "--workers 2: each worker needs its own source port, but --slots or --source-port \
             allows only 1",
        ),
        (
            "a:80 --jitter 150%",
            "invalid value '150%' for '--jitter <PERCENT|TIME>': write a share of the interval from \
             0% to 100%, or a time: 10%, 200ms",
        ),
        (
            "a:80 --interval 1s --jitter 2s",
            "--jitter 2s is longer than the interval, 1s; write e.g. 10%",
        ),
        ("a:80 --rate 0", "invalid value '0' for '--rate <N>': 0 is not in 1..=1000000"),
        (
            "a:80 --rate-per-host x",
            "invalid value 'x' for '--rate-per-host <N>': invalid digit found in string",
        ),
        (
            "a:80 --source ::ffff:255.255.255.255",
            "--source ::ffff:255.255.255.255: not the address of a single host; omit --source to \
             let the routing table choose",
        ),
        ("a:80 --timeout 0", "--timeout 0: too short; the minimum is 1ms"),
        ("a:80 --timeout 999999ns", "--timeout 999999ns: too short; the minimum is 1ms"),
        ("a:80 --count -1", "--count -1: must not be negative"),
        ("a:80 --settle 5", "invalid value '5' for '--settle <TIME>': no unit: write 5s or 5ms"),
        (
            "a:80 --interface interface-too-long",
            "--interface \"interface-too-long\": not an interface name; use 1 to 15 characters \
             without '/', ':' and spaces",
        ),
        (
            "a:80 --mark x",
            "invalid value 'x' for '--mark <MARK>': write a 32-bit number: 42 or 0x2a",
        ),
        (
            "a:80 --source-port 0",
            "invalid value '0' for '--source-port <N[-M]>': write a port from 1 to 65535, or a \
             range: 40000-40999",
        ),
        (
            "a:80 --concurrency 0",
            "invalid value '0' for '--concurrency <N>': 0 is not in 1..=65535",
        ),
        (
            "a:80 --no-kernel --require-kernel",
            "the argument '--no-kernel' cannot be used with '--require-kernel'",
        ),
    ] {
        let seen = read(command_line, &[]).err();
        assert_eq!(seen.as_deref(), Some(line), "{command_line}");
        assert_eq!(line.lines().count(), 1);
    }
}

#[test]
fn the_jitter_fits_every_interval() {
    let line = read("a:1 -i 10s --jitter 2s", &["b:2 interval=1s"]).unwrap_err();
    assert_eq!(
        line,
        "--jitter 2s is longer than the interval of target \"b:2\", 1s; write e.g. 10%"
    );
    assert!(read("a:1 -i 10s --jitter 1s", &["b:2 interval=1s"]).is_ok());
}
