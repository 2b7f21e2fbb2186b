//! Without privilege: the agent reports what is missing, its cost and the remedy, and still probes.

use std::{os::unix::process::CommandExt, process::Command};

use lab::Lab;
use probe_agent_tests::{binary, privileged};

use crate::support::{Done, open_port, prepare, program_for_all, run};

const NOBODY: u32 = 65_534;
const COST: &str = "probing without kernel events: outcomes and SYN retransmits are inferred from \
                     TCP_INFO and timing, lost RSTs are not seen";

/// Runs `check` as a user without privileges.
fn as_nobody(arguments: &str) -> Done {
    let (_scratch, program) = program_for_all();
    let mut command = Command::new(program);
    prepare(&mut command).uid(NOBODY).gid(NOBODY);
    run(command.arg("check").args(arguments.split_whitespace()))
}

#[test]
fn an_ordinary_user_probes_without_kernel_events_and_is_told_why() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let done = as_nobody(&format!("{open} --output jsonl"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.probes()[0]["outcome"], "alive");
    assert_eq!(done.summary()["tracing"], "none");
    assert_eq!(done.err.lines().count(), 1, "{done:?}");
    assert!(done.err.contains("root") && done.err.trim_end().ends_with(COST), "{done:?}");
    assert!(!done.err.contains("os error"), "{done:?}");
}

#[test]
fn kernel_events_that_are_required_but_not_available_end_it_before_the_first_probe() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let done = as_nobody(&format!("{open} --require-kernel"));
    assert_eq!((done.code, &*done.out), (Some(3), ""), "{done:?}");
    assert!(done.err.starts_with("error: --require-kernel: "), "{done:?}");
    assert!(done.err.contains("root") && done.err.lines().count() == 1, "{done:?}");
}

#[test]
fn a_flag_whose_capability_is_missing_ends_it_before_the_first_probe() {
    privileged!();
    let lab = Lab::new().unwrap();
    for (flags, capabilities, line) in [
        (
            "--mark 7",
            "net_admin net_raw",
            "--mark 0x7 needs CAP_NET_ADMIN: run as root, or grant it",
        ),
        (
            "--source 192.0.2.1 --freebind",
            "net_admin net_raw",
            "--freebind needs CAP_NET_ADMIN or CAP_NET_RAW: run as root, or grant it",
        ),
        (
            "--source-port 80-2000",
            "net_bind_service",
            "--source-port 80-2000 needs CAP_NET_BIND_SERVICE: run as root, or grant it, or use \
             ports from net.ipv4.ip_unprivileged_port_start on",
        ),
        (
            "--netns /proc/self/ns/net",
            "sys_admin",
            "--netns /proc/self/ns/net: cannot enter it: Operation not permitted; run as root, or \
             grant CAP_SYS_ADMIN",
        ),
        (
            "--netns /proc/1/ns/net",
            "sys_ptrace",
            "--netns /proc/1/ns/net: Permission denied; run as root, or grant CAP_SYS_PTRACE for the \
             namespace of another user's process",
        ),
    ] {
        let without: Vec<String> =
            capabilities.split(' ').map(|capability| format!("-{capability}")).collect();
        let mut command = lab.client().command("setpriv").unwrap();
        prepare(&mut command).args(["--bounding-set", &without.join(","), "--"]);
        command.arg(binary::agent()).args(["check", "127.0.0.1:9", "--no-kernel"]);
        let done = run(command.args(flags.split(' ')));
        let expected = format!("error: {line}\n");
        assert_eq!((&*done.err, done.code, &*done.out), (&*expected, Some(3), ""), "{flags}");
    }
}

#[test]
fn root_without_the_right_to_load_programs_is_told_the_missing_capabilities() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    for (flags, code) in [("--output jsonl", 0), ("--require-kernel", 3)] {
        let mut command = Command::new("setpriv");
        prepare(&mut command).args(["--bounding-set", "-sys_admin,-bpf,-perfmon"]);
        command.arg(binary::agent()).arg("check").arg(open.to_string());
        let done = run(command.args(flags.split_whitespace()));
        assert_eq!(done.code, Some(code), "{done:?}");
        let remedy = "run as root, or grant CAP_BPF and CAP_PERFMON";
        assert!(done.err.contains(remedy) && done.err.lines().count() == 1, "{done:?}");
        assert_eq!(done.err.contains(COST), code == 0, "{done:?}");
    }
}

/// Mounts /sys as `ip netns exec blue` does, and runs a command.
const WITHIN_BLUE: &str = "umount -l /sys && mount -t sysfs blue /sys && exec \"$0\" \"$@\"";

#[test]
fn within_ip_netns_exec_the_remedy_for_the_missing_guard_is_reported() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let mut command = Command::new("unshare");
    prepare(&mut command).args(["--mount", "sh", "-c", WITHIN_BLUE]).arg(binary::agent());
    let done = run(command.args(["check", &open.to_string(), "--output", "jsonl"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.summary()["half_open"], "not_enforced");
    let lines: Vec<&str> = done.err.lines().filter(|line| line.contains("ACK guard")).collect();
    assert!(matches!(*lines, [line] if line.contains("with --netns /run/netns/blue")), "{done:?}");
}
