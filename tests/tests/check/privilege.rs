//! Without privilege: what is missing, what that costs, how to get it; and probes all the same.

use std::{
    fs,
    os::unix::{fs::PermissionsExt, process::CommandExt},
    process::Command,
};

use probe_agent_tests::{binary, privileged};

use crate::support::{Done, Scratch, open_port, prepare, run};

const NOBODY: u32 = 65_534;
const PRICE: &str = "probing without kernel events: outcomes and SYN retransmits are inferred from \
                     TCP_INFO and timing, lost RSTs are not seen";

/// Runs `check` as a user who may do nothing in particular.
fn as_nobody(arguments: &str) -> Done {
    // The build's directory may be one that only its owner may enter. Not copied by this process: a
    // child of another thread could hold the copy open for writing when it is started (ETXTBSY).
    let scratch = Scratch::new();
    let program = scratch.join("probe-agent");
    fs::set_permissions(scratch.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut copy = Command::new("install");
    let done = run(prepare(&mut copy).args(["-m", "755"]).args([&binary::agent(), &program]));
    assert_eq!(done.code, Some(0), "{done:?}");
    let mut command = Command::new(program);
    prepare(&mut command).uid(NOBODY).gid(NOBODY);
    run(command.arg("check").args(arguments.split_whitespace()))
}

#[test]
fn an_ordinary_user_probes_without_kernel_events_and_hears_why() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let done = as_nobody(&format!("{open} --output jsonl"));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.probes()[0]["outcome"], "alive");
    assert_eq!(done.summary()["tracing"], "none");
    assert_eq!(done.err.lines().count(), 1, "{done:?}");
    assert!(done.err.contains("root") && done.err.trim_end().ends_with(PRICE), "{done:?}");
    assert!(!done.err.contains("os error"), "{done:?}");
}

#[test]
fn kernel_events_that_are_required_and_cannot_be_had_end_it_before_the_first_probe() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let done = as_nobody(&format!("{open} --require-kernel"));
    assert_eq!((done.code, &*done.out), (Some(3), ""), "{done:?}");
    assert!(done.err.starts_with("error: --require-kernel: "), "{done:?}");
    assert!(done.err.contains("root") && done.err.lines().count() == 1, "{done:?}");
}

#[test]
fn a_mark_that_may_not_be_set_is_this_hosts_error() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let done = as_nobody(&format!("{open} --mark 7 --no-kernel --output jsonl"));
    assert_eq!(done.code, Some(1), "{done:?}");
    let probe = &done.probes()[0];
    assert_eq!([&probe["outcome"], &probe["errno_name"]], ["local_error", "EPERM"], "{probe}");
    assert!(probe["findings"][0]["advice"].as_str().unwrap().contains("CAP_NET_ADMIN"), "{probe}");
}

#[test]
fn a_namespace_that_may_not_be_entered_is_said_to_be_one() {
    privileged!();
    let done = as_nobody("127.0.0.1:9 --netns /proc/self/ns/net");
    let line = "error: --netns /proc/self/ns/net: cannot enter it (Operation not permitted): run \
                as root, or grant CAP_SYS_ADMIN\n";
    assert_eq!((&*done.err, done.code, &*done.out), (line, Some(2), ""));
}

#[test]
fn a_root_that_may_not_load_programs_is_told_which_capabilities_it_lacks() {
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
        assert_eq!(done.err.contains(PRICE), code == 0, "{done:?}");
    }
}

/// Does what `ip netns exec blue` does to /sys, and runs a command there.
const WITHIN_BLUE: &str = "umount -l /sys && mount -t sysfs blue /sys && exec \"$0\" \"$@\"";

#[test]
fn within_ip_netns_exec_the_way_to_a_guard_is_told() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let mut command = Command::new("unshare");
    prepare(&mut command).args(["--mount", "sh", "-c", WITHIN_BLUE]).arg(binary::agent());
    let done = run(command.args(["check", &open.to_string(), "--output", "jsonl"]));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.summary()["half_open"], "not_enforced");
    let told: Vec<&str> = done.err.lines().filter(|line| line.contains("ACK guard")).collect();
    assert!(matches!(*told, [line] if line.contains("with --netns /run/netns/blue")), "{done:?}");
}
