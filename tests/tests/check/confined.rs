//! Processes that may do a part of what the agent needs: the advice names exactly what is missing.

use std::{fs, path::PathBuf, process::Command};

use probe_agent_tests::{binary, privileged};

use crate::support::{Done, Scratch, open_port, prepare, run};

const USER: &str = "65534";

/// The agent where every user may start it.
fn installed(scratch: &Scratch) -> PathBuf {
    let program = scratch.join("probe-agent");
    let mut copy = Command::new("sh");
    copy.args(["-ec", "chmod 755 \"$1\"; install -m 755 \"$2\" \"$3\"", "sh"]).arg(scratch.path());
    let done = run(prepare(&mut copy).args([&binary::agent(), &program]));
    assert_eq!(done.code, Some(0), "{done:?}");
    program
}

/// Probes an open port after the shell commands `before`, as an ordinary user with these capabilities, each
/// after ",+".
fn as_user(before: &str, capabilities: &str) -> Done {
    let scratch = Scratch::new();
    let (open, capabilities) = (open_port("127.0.0.1:0"), format!("-all{capabilities}"));
    let mut command = Command::new("sh");
    prepare(&mut command).args(["-ec", &format!("{before}; exec \"$@\""), "sh", "setpriv"]);
    command.args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
    command.args(["--inh-caps", &capabilities, "--ambient-caps", &capabilities, "--"]);
    command.arg(installed(&scratch)).args([
        "check",
        &open.to_string(),
        "--output",
        "jsonl",
        "--settle",
        "1100ms",
    ]);
    let done = run(&mut command);
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.probes()[0]["outcome"], "alive", "{done:?}");
    done
}

/// Where this host's cgroup v2 is.
fn hierarchy() -> PathBuf {
    let table = fs::read_to_string("/proc/self/mounts").unwrap();
    let mut mounts = table.lines().map(|line| line.split(' ').collect::<Vec<_>>());
    mounts.find(|fields| fields[2] == "cgroup2").unwrap()[1].into()
}

/// Shell commands that move the shell into the root cgroup.
fn into_root() -> String {
    format!("echo 0 >{}/cgroup.procs", hierarchy().display())
}

#[test]
fn exactly_the_missing_capabilities_are_named() {
    privileged!();
    const BPF: &str = "CAP_BPF";
    const PERFMON: &str = "CAP_PERFMON";
    const NET_ADMIN: &str = "CAP_NET_ADMIN";
    for (granted, missing) in [
        ("", &[BPF, PERFMON, NET_ADMIN][..]),
        (",+bpf", &[PERFMON, NET_ADMIN]),
        (",+net_admin", &[BPF, PERFMON]),
        (",+bpf,+net_admin", &[PERFMON]),
        (",+perfmon,+net_admin", &[BPF]),
        (",+bpf,+perfmon", &[NET_ADMIN]),
        (",+bpf,+perfmon,+net_admin", &[]),
    ] {
        let done = as_user(&into_root(), granted);
        for name in [BPF, PERFMON, NET_ADMIN] {
            assert_eq!(done.err.contains(name), missing.contains(&name), "{granted}: {done:?}");
        }
        assert_eq!(done.err.lines().count(), 1, "{granted}: {done:?}");
    }
}

#[test]
fn the_root_cgroup_is_never_taken_in_place_of_an_own_one() {
    privileged!();
    let done = as_user(&into_root(), ",+bpf,+perfmon,+net_admin");
    assert_eq!(done.summary()["half_open"], "not_enforced");
    assert_eq!(done.summary()["tracing"], "kernel");
    let line = "cgroup: not available (this process is in the root cgroup, where the ACK guard would run \
                for every packet of this host, and cannot make one of its own: Permission denied)";
    assert!(done.err.contains(line) && done.err.contains("systemd-run"), "{done:?}");
}

/// A cgroup that is removed at the end.
struct Cgroup(PathBuf);

impl Drop for Cgroup {
    fn drop(&mut self) {
        // It is empty: its processes have ended.
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn a_cgroup_in_which_the_agent_was_started_alone_is_its_own() {
    privileged!();
    let own = Cgroup(hierarchy().join(format!("confined-{}", std::process::id())));
    fs::create_dir(&own.0).unwrap();
    let into = format!("echo 0 >{}/cgroup.procs", own.0.display());
    let done = as_user(&into, ",+bpf,+perfmon,+net_admin");
    assert_eq!((&*done.err, &done.summary()["half_open"]), ("", &"enforced".into()), "{done:?}");
    assert_eq!(done.probes()[0]["proof"], "confirmed");

    let lonely = as_user(&into, ",+bpf,+perfmon");
    assert_eq!(lonely.summary()["half_open"], "not_enforced");
    assert_eq!(lonely.err.lines().count(), 1, "{lonely:?}");
    let grant = "grant CAP_NET_ADMIN (it attaches programs to a cgroup)";
    assert!(lonely.err.contains("ACK guard") && lonely.err.contains(grant), "{lonely:?}");
}

#[test]
fn within_a_user_namespace_capabilities_are_not_asked_for() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let mut command = Command::new("unshare");
    prepare(&mut command).args(["--user", "--map-root-user"]).arg(binary::agent());
    let done = run(command.args(["check", &open.to_string()]));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("its user namespace only: run it outside"), "{done:?}");
    assert!(!done.err.contains("CAP_") && !done.err.contains("seccomp"), "{done:?}");
}

#[test]
fn with_few_descriptors_the_hooks_leave_some_for_the_probes() {
    privileged!();
    for files in [8, 20, 32, 48] {
        let probe = || {
            let open = open_port("127.0.0.1:0");
            let mut command = Command::new("prlimit");
            prepare(&mut command).arg(format!("--nofile={files}")).arg(binary::agent());
            run(command.args([
                "check",
                &open.to_string(),
                "--output",
                "jsonl",
                "--settle",
                "1100ms",
            ]))
        };
        let done = probe();
        assert_eq!(done.code, Some(0), "{files}: {done:?}");
        assert_eq!(done.probes()[0]["outcome"], "alive", "{files}: {done:?}");
        let about_hooks = done.err.lines().filter(|l| l.contains("ulimit -n")).count();
        assert_eq!(about_hooks, 1, "{files}: {done:?}");
        // The same words each time, whichever map or program came first.
        assert_eq!(probe().err, done.err);
    }
}

#[test]
fn in_a_chroot_the_missing_sysfs_is_named() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    let scratch = Scratch::new();
    let script = "mkdir \"$1\"/proc; mount -t proc none \"$1\"/proc; \
        for file in \"$2\" $(ldd \"$2\" | grep -o '/[^ ]*'); do \
            install -D \"$file\" \"$1/$file\"; done; \
        exec chroot \"$1\" \"$2\" check \"$3\" --output jsonl --settle 1100ms";
    let mut command = Command::new("unshare");
    prepare(&mut command).args(["--mount", "sh", "-ec", script, "sh", scratch.path()]);
    let done = run(command.arg(binary::agent()).arg(open.to_string()));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.err.contains("nothing is mounted at /sys, as in a chroot"), "{done:?}");
    assert!(
        done.err.contains("mount -t sysfs none /sys") && !done.err.contains("CONFIG_"),
        "{done:?}"
    );
    assert_eq!(done.err.lines().count(), 1, "{done:?}");
}
