//! A host that refuses threads, descriptors or memory: the report of what could be probed, or one line that
//! names what is missing. Never a panic, and never a report that is lost.

use std::{io, os::unix::process::CommandExt, process::Command};

use nix::sys::resource::{Resource, setrlimit};
use probe_agent_tests::{binary, privileged};

use crate::support::{Done, open_port, prepare, program_for_all, run};

/// A user that has no other processes.
const USER: &str = "54321";
/// What tracing needs, and not what would exempt from the limit of processes.
const CAPABILITIES: &str = "+bpf,+perfmon,+net_admin";

/// Runs a command under a limit.
fn under(limit: Resource, value: u64, command: &mut Command) -> Done {
    let starve = move || setrlimit(limit, value, value).map_err(io::Error::from);
    // SAFETY: between fork and exec the closure makes one system call and allocates nothing.
    run(unsafe { command.pre_exec(starve) })
}

/// One probe.
fn check(program: impl AsRef<std::ffi::OsStr>, flags: &str) -> Command {
    let open = open_port("127.0.0.1:0");
    let mut command = Command::new(program);
    prepare(&mut command).args(["check", &open.to_string(), "--settle", "0"]);
    command.args(flags.split_whitespace());
    command
}

/// The report, or one line; whether it is the report.
fn is_report(done: &Done, case: &str) -> bool {
    let case = format!("{case}: {done:?}");
    let errors: Vec<_> = done.err.lines().filter(|line| line.starts_with("error: ")).collect();
    match done.code {
        Some(0 | 1) => {
            assert!(errors.is_empty() && done.out.contains("\nTotal "), "{case}");
            true
        }
        Some(5) => {
            assert!(errors.len() == 1 && done.out.is_empty(), "{case}");
            let names_it =
                ["no thread for ", "of memory for "].iter().any(|s| errors[0].contains(s));
            assert!(names_it && errors[0].contains("ulimit -"), "{case}");
            false
        }
        // What a flag requires is missing.
        Some(3) => {
            assert!(errors.len() == 1 && done.out.is_empty(), "{case}");
            let is_named = errors[0].contains("--require-kernel: this host refuses 2 more threads");
            assert!(is_named && errors[0].contains("ulimit -u"), "{case}");
            false
        }
        _ => panic!("{case}"),
    }
}

/// With kernel events it takes a thread more; the watchdog is one that a run can do without.
#[test]
fn threads() {
    privileged!();
    let (_scratch, program) = program_for_all();
    for (flags, enough) in [
        ("--no-kernel", 2),
        ("--require-kernel --no-ack-guard", 3),
        // It goes on without kernel events.
        ("--no-ack-guard", 2),
        // It would take more where there are more cores.
        ("--no-kernel --interval 0 --count 20000", 2),
    ] {
        for threads in 1..=4 {
            let mut command = Command::new("setpriv");
            prepare(&mut command).args(["--reuid", USER, "--regid", USER, "--clear-groups"]);
            command.args(["--inh-caps", CAPABILITIES, "--ambient-caps", CAPABILITIES]);
            command.args(["prlimit", &format!("--nproc={threads}")]);
            let check = check(&program, flags);
            command.arg(check.get_program()).args(check.get_args());
            let done = run(&mut command);
            let case = format!("{threads} threads, {flags}");
            assert_eq!(is_report(&done, &case), threads >= enough, "{case}: {done:?}");
            if flags == "--no-ack-guard" && threads == 2 {
                let is_traced = !done.err.contains("probing without kernel events");
                assert!(!is_traced && done.err.contains("refuses 2 more threads"), "{done:?}");
            }
        }
    }
}

/// The programs need many; without them it probes with few.
#[test]
fn descriptors() {
    privileged!();
    for descriptors in (4..=64).step_by(4) {
        let done = under(Resource::RLIMIT_NOFILE, descriptors, &mut check(binary::agent(), ""));
        let case = format!("{descriptors} descriptors");
        assert!(is_report(&done, &case), "{case}: {done:?}");
        let is_traced = !done.err.contains("probing without kernel events");
        let names_it = done.err.contains("the eBPF programs need up to");
        assert!(is_traced != names_it, "{case}: {done:?}");
    }
}

/// From where the program does not even start to where it has all that it needs.
#[test]
fn memory() {
    privileged!();
    let mut reports = [0, 0];
    for mib in (16..160).step_by(4) {
        let done = under(Resource::RLIMIT_AS, mib << 20, &mut check(binary::agent(), ""));
        let is_ours = |line: &str| line.starts_with("probe-agent: ") || line.starts_with("error: ");
        // The dynamic linker, or the kernel, could not even map the program.
        if reports == [0, 0] && !done.err.lines().any(is_ours) {
            continue;
        }
        let case = format!("{mib} MiB");
        if is_report(&done, &case) {
            let is_traced = !done.err.contains("probing without kernel events");
            assert!(is_traced != done.err.contains("MiB of memory are left"), "{case}: {done:?}");
            reports[usize::from(is_traced)] += 1;
        }
    }
    assert!(reports.into_iter().all(|count| count > 0), "{reports:?}");
}
