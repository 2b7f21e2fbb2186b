//! `probe-agent demo` itself: its exit codes, and that it leaves nothing behind.

use std::{
    io::Read,
    os::unix::process::CommandExt,
    process::{Command, Output, Stdio},
    thread,
    time::Duration,
};

use demo::scenarios;
use nix::{
    errno::Errno,
    sys::{
        prctl,
        signal::{self, SigHandler, Signal, kill},
        wait::waitpid,
    },
    unistd::Pid,
};
use probe_agent_tests::{binary, namespaces, privileged};

fn demo(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::agent());
    command.arg("demo").args(arguments);
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[track_caller]
fn check(output: &Output, code: i32, stderr: &str) {
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{out}{err}");
    assert!(err.contains(stderr), "{err}");
}

#[test]
fn all_goes_as_injected() {
    privileged!();
    let output = demo(&["--output", "table"]).output().unwrap();
    check(&output, 0, "");
    let out = text(&output.stdout);
    let all = scenarios::ALL.len() * 2;
    assert!(out.contains(&format!("{all} of {all} as injected")), "{out}");
}

/// All labs at a time may need more than the soft limit of a shell.
#[test]
fn the_soft_limit_of_open_files_does_not_matter() {
    privileged!();
    let mut command = Command::new("prlimit");
    command.arg("--nofile=150:4096").arg(binary::agent()).arg("demo");
    let output = command.args(["--family", "4", "--output", "table"]).output().unwrap();
    check(&output, 0, "");
}

/// Too few for all labs, whoever meets the limit: a lab, the eBPF programs or a worker.
#[test]
fn what_this_host_refuses_is_named_and_is_no_interrupt() {
    privileged!();
    for descriptors in [8, 24, 60, 100, 160, 240] {
        let mut command = Command::new("prlimit");
        command.arg(format!("--nofile={descriptors}:{descriptors}")).arg(binary::agent());
        let output = command.args(["demo", "--family", "4", "--output", "table"]).output().unwrap();
        check(&output, 5, "ulimit -n");
        let err = text(&output.stderr);
        assert_eq!(err.lines().filter(|line| line.starts_with("error: ")).count(), 1, "{err}");
        // Threads are not what is missing.
        assert!(!err.contains("ulimit -u"), "{err}");
    }
}

#[test]
fn a_ladder_and_a_verdict_for_each() {
    privileged!();
    let output = demo(&["--scenario", "rst-lost-port-reuse"]).output().unwrap();
    check(&output, 0, "");
    let out = text(&output.stdout);
    for (piece, times) in [
        ("the first RST of the close is lost in the network: nftables counted 1 segment", 2),
        ("RST lost, recovered when its port was reused", 2),
        ("as injected: rst_lost_port_reuse, confirmed; then stale_syn_recv_challenge_ack", 2),
        ("its application was given 0 connections", 2),
        ("2 of 2 as injected", 1),
    ] {
        // Text is wrapped into columns.
        let words = out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(words.matches(piece).count(), times, "{piece}: {out}");
    }
}

#[test]
fn json_is_one_object_per_probe() {
    privileged!();
    let arguments = ["--scenario", "refused", "--family", "6", "--output", "json"];
    let output = demo(&arguments).output().unwrap();
    check(&output, 0, "");
    let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(object["scenario"], "refused");
    assert_eq!(object["network_type"], "ipv6");
    assert_eq!(object["as_injected"], true);
    assert_eq!(object["probe"]["verdicts"], serde_json::json!(["refused"]));
}

/// What a host without kernel BTF cannot show is a limit; nothing else may be reported in its place.
#[test]
fn what_a_kernel_cannot_show_is_a_limit() {
    privileged!();
    let mut command = Command::new("unshare");
    let hide = "mount -t tmpfs none /sys/kernel/btf && exec \"$@\"";
    command.args(["--mount", "sh", "-c", hide, "sh"]).arg(binary::agent()).arg("demo");
    for scenario in ["clean", "rst-lost"] {
        command.args(["--scenario", scenario]);
    }
    let output = command.args(["--family", "4", "--output", "json"]).output().unwrap();
    check(&output, 0, "");
    let out = text(&output.stdout);
    let of = |scenario: &str| -> serde_json::Value {
        let mut objects = out.lines().map(|line| serde_json::from_str(line).unwrap());
        objects.find(|object: &serde_json::Value| object["scenario"] == scenario).unwrap()
    };
    let lost = of("rst-lost");
    let limit = "not visible on this kernel: rst_lost_synack_retransmit (kernel BTF: ";
    assert!(lost["limits"][0].as_str().unwrap().starts_with(limit), "{lost}");
    assert_eq!(lost["as_injected"], false);
    assert_eq!(lost["complaints"], serde_json::json!([]));
    assert_eq!(lost["probe"]["verdicts"], serde_json::json!(["clean"]));
    assert_eq!(lost["expected_verdicts"], serde_json::json!(["rst_lost_synack_retransmit"]));
    let clean = of("clean");
    let limit = "only inferred here: clean (kernel BTF: ";
    assert!(clean["limits"][0].as_str().unwrap().starts_with(limit), "{clean}");
}

#[test]
fn the_list_needs_no_privilege_and_an_unknown_name_is_reported() {
    let output = demo(&["--list"]).output().unwrap();
    check(&output, 0, "");
    let out = text(&output.stdout);
    let names: Vec<_> = out.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, scenarios::ALL.iter().map(|s| s.name).collect::<Vec<_>>());
    let output = demo(&["--scenario", "no-such-thing"]).output().unwrap();
    check(&output, 2, "there is no scenario \"no-such-thing\"; there are: clean, ");
}

#[test]
fn what_is_missing_is_reported_with_its_remedy() {
    privileged!();
    // A PATH without any program.
    let output = demo(&[]).env("PATH", "/nonexistent").output().unwrap();
    check(&output, 2, "the lab needs the program ip: install it with `apt install iproute2`");
    let output = demo(&[]).uid(65_534).gid(65_534).output();
    // Other users may have no access to the program's directory.
    if let Ok(output) = output {
        check(&output, 3, "(run as root, or with CAP_SYS_ADMIN and CAP_NET_ADMIN)");
    }
}

/// When the signal is sent: from the first namespace to the last counter. The test waits for nothing
/// else then.
const MOMENTS_MS: [u64; 7] = [5, 40, 150, 400, 900, 1_700, 3_000];

#[test]
fn an_interrupted_demo_leaves_nothing() {
    privileged!();
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        interrupted(signal, Some(130));
    }
}

#[test]
fn a_killed_demo_leaves_nothing() {
    privileged!();
    interrupted(Signal::SIGKILL, None);
}

fn interrupted(signal: Signal, code: Option<i32>) {
    // Orphans of the demo become children of this process, which can then wait for their end.
    prctl::set_child_subreaper(true).unwrap();
    let tables = host_tables();
    for moment in MOMENTS_MS {
        let mut command = demo(&["--output", "table"]);
        // A shell's background jobs ignore interrupts, and so would this one until its handlers are set.
        // SAFETY: sigaction() is async-signal-safe, and no handler is installed.
        unsafe {
            command.pre_exec(move || {
                if signal != Signal::SIGKILL {
                    signal::signal(signal, SigHandler::SigDfl)?;
                }
                Ok(())
            });
        }
        command.process_group(0).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut victim = command.spawn().unwrap();
        let group = Pid::from_raw(i32::try_from(victim.id()).unwrap());
        thread::sleep(Duration::from_millis(moment));
        let made = namespaces::of(victim.id());
        kill(group, signal).unwrap();
        let status = victim.wait().unwrap();
        let mut stderr = String::new();
        victim.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        // Before its handlers are set, a signal ends the process like any other.
        if status.code().is_some() {
            assert_eq!(status.code(), code, "{signal} after {moment} ms: {stderr}");
            assert_eq!(stderr, "", "{signal} after {moment} ms");
        }
        while waitpid(Pid::from_raw(-group.as_raw()), None) != Err(Errno::ECHILD) {}
        let left = namespaces::left(&made);
        assert!(left.is_empty(), "{signal} after {moment} ms left the namespaces {left:?}");
    }
    assert_eq!(host_tables(), tables);
}

/// The tables and links of this namespace, which the demo must not change.
fn host_tables() -> (String, String) {
    let run = |program: &str, arguments: &[&str]| {
        text(&Command::new(program).args(arguments).output().unwrap().stdout)
    };
    (run("nft", &["list", "tables"]), run("ip", &["-brief", "link"]))
}
