//! Hosts that lack something: no tracefs, no type information of the kernel.

use std::{fs, process::Command};

use probe_agent_tests::{binary, privileged};

use crate::support::{Done, open_port, prepare, run};

/// Runs `check` in a mount namespace in which `script` hid something.
fn after(script: &str, flags: &str) -> Done {
    let open = open_port("127.0.0.1:0");
    let mut command = Command::new("unshare");
    prepare(&mut command).args(["--mount", "sh", "-ec"]).arg(format!("{script}; exec \"$@\""));
    command.arg("sh").arg(binary::agent()).args(["check", &open.to_string()]);
    run(command.args(flags.split_whitespace()))
}

/// This host's mounts of tracefs, and over it. Other tests come and go with mounts of their own.
fn mounts() -> Vec<String> {
    let table = fs::read_to_string("/proc/self/mountinfo").unwrap();
    table.lines().filter(|line| line.contains("trac")).map(str::to_owned).collect()
}

#[test]
fn a_missing_tracefs_is_mounted_where_nobody_else_sees_it() {
    privileged!();
    let before = mounts();
    for script in [
        // Hidden below another mount.
        "mount -t tmpfs none /sys/kernel/tracing; mount -t tmpfs none /sys/kernel/debug",
        // Taken away.
        "umount --all-targets --lazy /sys/kernel/tracing 2>/dev/null || true; \
         umount --recursive --lazy /sys/kernel/debug 2>/dev/null || true",
    ] {
        let done = after(script, "--tracepoints record --require-kernel --output jsonl");
        assert_eq!(done.code, Some(0), "{script}: {done:?}");
        assert_eq!(done.summary()["tracing"], "kernel");
        assert_eq!(done.probes()[0]["proof"], "confirmed");
        assert_eq!(mounts(), before);
    }
}

#[test]
fn raw_tracepoints_need_no_tracefs() {
    privileged!();
    // Nor can the agent mount it: there is no directory for it.
    let script = "mount -t tmpfs none /mnt; cp /sys/kernel/btf/vmlinux /mnt; \
                  mount -t tmpfs none /sys/kernel; mkdir /sys/kernel/btf; \
                  mv /mnt/vmlinux /sys/kernel/btf";
    let done = after(script, "--tracepoints raw --require-kernel --output jsonl");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.probes()[0]["proof"], "confirmed");
    let done = after(script, "--tracepoints record --require-kernel");
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.err.contains("tracefs is not mounted"), "{done:?}");
}

#[test]
fn raw_tracepoints_that_cannot_be_had_are_refused_with_the_remedy() {
    privileged!();
    let script = "mount -t tmpfs none /sys/kernel/btf";
    let done = after(script, "--tracepoints raw --require-kernel");
    assert_eq!(done.code, Some(3), "{done:?}");
    assert!(done.err.contains("use --tracepoints record"), "{done:?}");
}

#[test]
fn without_type_information_events_are_seen_and_the_price_is_said() {
    privileged!();
    let done = after("mount -t tmpfs none /sys/kernel/btf", "--require-kernel --output jsonl");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("/sys/kernel/btf/vmlinux is missing"), "{done:?}");
    assert_eq!(done.probes()[0]["proof"], "confirmed");
}
