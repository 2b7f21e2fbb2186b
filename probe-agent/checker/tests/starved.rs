//! A host program that has no more threads, descriptors or memory to give: errors, no panics.
//!
//! The limits hold for a whole process, so each case runs in a process of its own: this test program, started
//! once more for one of its tests.

use std::{
    env, fs,
    net::{SocketAddr, TcpListener},
    process::Command,
    time::Duration,
};

use nix::{
    sys::resource::{Resource, getrlimit, setrlimit},
    unistd::{Gid, Uid, setgid, setgroups, setuid},
};
use probe_agent_checker::{BuildError, Builder, Checker, Outcome};

const PATIENCE: Duration = Duration::from_secs(20);

/// Set in the process of one case.
const CASE: &str = "PROBE_AGENT_STARVED";

/// A user that has no other processes. root is exempt from the limit of processes.
const USER: u32 = 54_322;

/// Runs a test once more in a process of its own; `true` in that process.
fn is_alone(test: &str) -> bool {
    if env::var_os(CASE).is_some() {
        return true;
    }
    let mut command = Command::new(env::current_exe().unwrap());
    let output = command.args(["--exact", test, "--nocapture"]).env(CASE, "1").output().unwrap();
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && out.contains("1 passed"), "{test}: {out}\n{err}");
    false
}

fn limit(resource: Resource, value: u64) {
    let (_, hard) = getrlimit(resource).unwrap();
    setrlimit(resource, value.min(hard), hard).unwrap();
}

/// As many processes as this one alone has.
fn no_more_threads() {
    if Uid::effective().is_root() {
        setgroups(&[]).unwrap();
        setgid(Gid::from_raw(USER)).unwrap();
        setuid(Uid::from_raw(USER)).unwrap();
    }
    limit(Resource::RLIMIT_NPROC, 1);
}

/// The lowest descriptor that is free is beyond the limit.
fn no_more_descriptors() {
    let lowest = fs::File::open("/dev/null").map(|file| std::os::fd::AsRawFd::as_raw_fd(&file));
    limit(Resource::RLIMIT_NOFILE, u64::try_from(lowest.unwrap()).unwrap());
}

/// Less than the stack of a thread.
fn no_more_memory() {
    let pages = fs::read_to_string("/proc/self/statm").unwrap();
    let pages: u64 = pages.split(' ').next().unwrap().parse().unwrap();
    limit(Resource::RLIMIT_AS, pages * 4096 + (1 << 20));
}

fn builder() -> Builder {
    Checker::builder().slots(4).kernel(false)
}

/// The error of `build` under a limit, which is lifted again.
fn refusal(resource: Resource, starve: fn()) -> String {
    let (before, _) = getrlimit(resource).unwrap();
    starve();
    let result = builder().build();
    limit(resource, before);
    match result {
        Err(error @ BuildError::Worker(_)) => error.to_string(),
        other => panic!("{other:?}"),
    }
}

/// A check under a limit, of a checker that was built before it; then the checker is dropped.
fn check_and_drop(address: SocketAddr, resource: Resource, starve: fn()) -> Outcome {
    let checker = builder().build().unwrap();
    let (before, _) = getrlimit(resource).unwrap();
    starve();
    let report = checker.check_blocking(address, PATIENCE);
    drop(checker);
    limit(resource, before);
    report.unwrap().outcome
}

#[test]
fn threads() {
    if is_alone("threads") {
        let backend = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = backend.local_addr().unwrap();
        let seen = check_and_drop(address, Resource::RLIMIT_NPROC, no_more_threads);
        assert_eq!(seen, Outcome::Alive);
        let error = refusal(Resource::RLIMIT_NPROC, no_more_threads);
        assert!(error.contains("no thread for a worker") && error.contains("ulimit -u"), "{error}");
    }
}

#[test]
fn descriptors() {
    if is_alone("descriptors") {
        let backend = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = backend.local_addr().unwrap();
        // The probe needs a socket.
        let seen = check_and_drop(address, Resource::RLIMIT_NOFILE, no_more_descriptors);
        assert_eq!(seen, Outcome::LocalError);
        let error = refusal(Resource::RLIMIT_NOFILE, no_more_descriptors);
        assert!(error.contains("ulimit -n"), "{error}");
    }
}

#[test]
fn memory() {
    if is_alone("memory") {
        // This comes first: the C library keeps the stack of a thread that has ended for the next one.
        let error = refusal(Resource::RLIMIT_AS, no_more_memory);
        // The C library may still have reserved memory for this thread, but not for a new thread's stack.
        let names_it =
            ["no thread for a worker", "of memory for 3 threads"].map(|s| error.contains(s));
        assert!(names_it.contains(&true), "{error}");
        let backend = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = backend.local_addr().unwrap();
        let seen = check_and_drop(address, Resource::RLIMIT_AS, no_more_memory);
        assert_eq!(seen, Outcome::Alive);
    }
}
