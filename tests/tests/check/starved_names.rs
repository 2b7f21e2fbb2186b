//! Host names and exports on a host that refuses threads or descriptors: what exists is printed, and a name
//! that cannot be looked up is a local error.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{self, Command},
};

use nix::sys::resource::{Resource, getrlimit};
use probe_agent_tests::{binary, privileged};

use crate::support::{Done, Scratch, open_port, prepare, run};

/// A cgroup with a limit of processes and threads. Dropping it removes it.
struct FewThreads(PathBuf);

impl FewThreads {
    fn new() -> Self {
        let root = controller();
        let path = root.join(format!("probe-agent-test-{}", process::id()));
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// Runs a command with at most so many threads.
    fn run(&self, threads: u32, arguments: &[&str]) -> Done {
        fs::write(self.0.join("pids.max"), threads.to_string()).unwrap();
        let script = format!("echo $$ >{}/cgroup.procs; exec \"$@\"", self.0.display());
        let mut command = Command::new("sh");
        prepare(&mut command).args(["-c", &script, "sh"]).arg(binary::agent()).args(arguments);
        run(&mut command)
    }
}

impl Drop for FewThreads {
    fn drop(&mut self) {
        let _ = fs::remove_dir(&self.0);
    }
}

/// The directory of the pids controller: that of version 1, or the root of version 2 with the controller
/// turned on for its children.
fn controller() -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mounted = |kind: &str, option: &str| {
        let line = mounts.lines().find(|line| {
            let (_, end) = line.split_once(" - ").unwrap();
            let mut fields = end.split(' ');
            fields.next() == Some(kind)
                && (option.is_empty()
                    || end.rsplit(' ').next().unwrap().split(',').any(|o| o == option))
        })?;
        line.split(' ').nth(4).map(PathBuf::from)
    };
    mounted("cgroup", "pids").unwrap_or_else(|| {
        let root = mounted("cgroup2", "").expect("a cgroup hierarchy");
        fs::write(root.join("cgroup.subtree_control"), "+pids").unwrap();
        root
    })
}

/// Never a panic: a report, or one line.
fn has_report(done: &Done, case: &str) -> bool {
    assert!(!done.err.contains("panicked"), "{case}: {done:?}");
    let errors = done.err.lines().filter(|line| line.starts_with("error: ")).count();
    match done.code {
        Some(0 | 1) => {
            assert!(errors == 0 && done.out.contains("\"summary\""), "{case}: {done:?}");
            true
        }
        Some(5) => {
            assert!(errors == 1 && done.out.is_empty(), "{case}: {done:?}");
            false
        }
        _ => panic!("{case}: {done:?}"),
    }
}

const FLAGS: [&str; 6] = ["--no-kernel", "--settle", "0", "--output", "jsonl", "-4"];

/// The kinds of runs that need threads and descriptors beyond those that probe.
fn runs(open: &str, spans: &Path) -> Vec<(&'static str, Vec<String>)> {
    let port = open.rsplit(':').next().unwrap();
    let named = format!("localhost:{port}");
    let words = |list: &[&str]| list.iter().map(|word| (*word).to_owned()).collect::<Vec<String>>();
    vec![
        ("a name", words(&[&named])),
        ("a name, for long", words(&[&named, "-c", "10", "-i", "50ms"])),
        ("a name that does not resolve", words(&[open, "no-such-host.invalid:1", "-t", "200ms"])),
        ("an export", words(&[open, "--otlp-file", spans.to_str().unwrap()])),
        ("a namespace", words(&[open, "--netns", "/proc/self/ns/net"])),
        ("help", words(&["--help"])),
    ]
}

#[test]
fn few_threads() {
    privileged!();
    let group = FewThreads::new();
    let scratch = Scratch::new();
    let open = open_port("127.0.0.1:0").to_string();
    let mut reports = 0;
    for (kind, arguments) in runs(&open, &scratch.join("spans")) {
        for threads in 1..=6 {
            let mut all = vec!["check"];
            all.extend(FLAGS);
            all.extend(arguments.iter().map(String::as_str));
            let done = group.run(threads, &all);
            let case = format!("{kind}, {threads} threads");
            if kind == "help" {
                assert_eq!((done.code, &*done.err), (Some(0), ""), "{case}");
                continue;
            }
            reports += u32::from(has_report(&done, &case));
            // One thread probes. That names are not looked up again costs no result.
            if kind.starts_with("a name") && threads >= 3 {
                assert!(matches!(done.code, Some(0 | 1)), "{case}: {done:?}");
            }
            if threads == 6 {
                assert!(!done.err.contains("thread"), "{case}: {done:?}");
            }
        }
    }
    assert!(reports >= 18, "{reports}");
}

#[test]
fn few_descriptors() {
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).unwrap();
    assert!(hard >= 64, "the limit of this test itself");
    let scratch = Scratch::new();
    let open = open_port("127.0.0.1:0").to_string();
    for (kind, arguments) in runs(&open, &scratch.join("spans")) {
        for descriptors in 4..=40 {
            let mut command = Command::new("prlimit");
            prepare(&mut command).arg(format!("--nofile={descriptors}:{descriptors}"));
            command.arg(binary::agent()).arg("check").args(FLAGS).args(&arguments);
            let done = run(&mut command);
            let case = format!("{kind}, {descriptors} descriptors");
            if kind == "help" {
                assert_eq!((done.code, &*done.err), (Some(0), ""), "{case}");
            } else {
                let has = has_report(&done, &case);
                assert!(has || descriptors < 16, "{case}: {done:?}");
                let probes = if has { done.probes() } else { Vec::new() };
                let unknown = probes.iter().filter(|p| p["address"] == "unresolved");
                for probe in unknown {
                    let error = probe["errno_name"].as_str().unwrap();
                    assert!(
                        error.starts_with("EAI_") && probe["outcome"] == "local_error",
                        "{probe}"
                    );
                }
            }
        }
    }
}
