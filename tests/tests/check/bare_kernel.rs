//! Hosts that lack something: no tracefs, no kernel BTF.

use std::{fs, process::Command};

use lab::{Family, Lab};
use nix::sys::signal::Signal;
use probe_agent_tests::{binary, privileged};

use crate::{
    running::Running,
    support::{Done, check_in, open_port, prepare, run},
};

/// Runs `check` in a mount namespace in which `script` hid something.
fn after(script: &str, flags: &str) -> Done {
    let open = open_port("127.0.0.1:0");
    let mut command = Command::new("unshare");
    prepare(&mut command).args(["--mount", "sh", "-ec"]).arg(format!("{script}; exec \"$@\""));
    command.arg("sh").arg(binary::agent()).args(["check", &open.to_string()]);
    run(command.args(flags.split_whitespace()))
}

/// The kernel shows no BTF.
const NO_BTF: &str = "mount -t tmpfs none /sys/kernel/btf";

/// This host's mounts of tracefs, and over it. Other tests come and go with mounts of their own.
fn mounts() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    table.lines().filter(|line| line.contains("trac")).map(str::to_owned).collect()
}

#[test]
fn tracefs_is_neither_needed_nor_mounted() {
    privileged!();
    let before = mounts();
    for (script, flags) in [
        // Hidden below another mount.
        ("mount -t tmpfs none /sys/kernel/tracing; mount -t tmpfs none /sys/kernel/debug", "auto"),
        // Taken away.
        (
            "umount --all-targets --lazy /sys/kernel/tracing 2>/dev/null || true; \
             umount --recursive --lazy /sys/kernel/debug 2>/dev/null || true",
            "auto",
        ),
        // There is not even a directory for it.
        (
            "mount -t tmpfs none /mnt; cp /sys/kernel/btf/vmlinux /mnt; \
             mount -t tmpfs none /sys/kernel; mkdir /sys/kernel/btf; mv /mnt/vmlinux /sys/kernel/btf",
            "raw",
        ),
    ] {
        let done = after(script, &format!("--tracepoints {flags} --require-kernel --output jsonl"));
        assert_eq!(done.code, Some(0), "{script}: {done:?}");
        assert_eq!(done.summary()["tracing"], "kernel");
        assert_eq!(done.probes()[0]["proof"], "confirmed");
        assert_eq!(mounts(), before);
    }
}

#[test]
fn without_btf_a_tracepoint_is_not_available() {
    privileged!();
    let done = after(NO_BTF, "--no-ack-guard --require-kernel");
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.err.contains("/sys/kernel/btf/vmlinux is missing"), "{done:?}");
    assert_eq!(done.err.lines().count(), 1, "{done:?}");
}

#[test]
fn without_btf_the_guard_and_state_changes_work_and_the_cost_is_reported() {
    privileged!();
    let done = after(NO_BTF, "--require-kernel --output jsonl");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("/sys/kernel/btf/vmlinux is missing"), "{done:?}");
    assert!(done.err.contains("RSTs and retransmits are not traced"), "{done:?}");
    assert_eq!(done.err.lines().count(), 1, "{done:?}");
    let probe = &done.probes()[0];
    assert_eq!([&probe["proof"], &probe["half_open"]], ["inferred", "enforced"], "{probe}");
    assert_eq!(probe["steps"][0]["hook"], "sock_ops", "{probe}");
    assert_eq!(done.summary()["tracing"], "kernel");
}

/// Whoever mounted something where only he sees it would be in a mount namespace of his own.
#[test]
fn the_agent_makes_no_mounts_of_its_own() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let flags = format!("{} --count 0 --interval 5ms --output jsonl", listener.address());
    let mut running = Running::start(&mut check_in(lab.client(), &flags));
    running.line();
    let of = |process: &str| fs::read_link(format!("/proc/{process}/ns/mnt")).unwrap();
    assert_eq!(of(&running.id().to_string()), of("self"));
    running.signal(Signal::SIGINT);
    running.finish();
}

#[test]
fn removed_forms_are_refused_in_one_line() {
    privileged!();
    for form in ["untyped", "record"] {
        let done = after("true", &format!("--tracepoints {form}"));
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(done.err.contains("was removed"), "{done:?}");
    }
}
