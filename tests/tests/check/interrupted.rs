//! The end of a run by a signal.

use std::{fs, io, net::TcpListener, os::unix::process::CommandExt, process::Command};

use aya::{maps::loaded_maps, programs::loaded_programs};
use nix::sys::signal::{self, SigHandler, Signal};
use probe_agent_tests::{cgroup, privileged};

use crate::{
    running::{Running, wait_until},
    support::{Scratch, check, closed_port, open_port, run},
};

/// A command that starts with this disposition of SIGHUP instead of the caller's.
fn hang_up(command: &mut Command, disposition: SigHandler) -> &mut Command {
    // SAFETY: sigaction() is async-signal-safe, and no handler is installed.
    unsafe { command.pre_exec(move || Ok(signal::signal(Signal::SIGHUP, disposition).map(drop)?)) }
}

/// The exit code of a run without an end that a signal ends.
fn code_of(signal: Signal) -> i32 {
    if signal == Signal::SIGTERM { 0 } else { 130 }
}

#[test]
fn a_service_that_is_ended_has_done_its_job() {
    let open = open_port("127.0.0.1:0");
    let (_socket, closed) = closed_port();
    let full = "--otlp-endpoint http://127.0.0.1:9 --otlp-timeout 100ms";
    let end = |flags: &str, signals: &[Signal]| {
        let flags = format!("{flags} --interval 1ms --settle 0 --no-kernel --output jsonl");
        let mut running = Running::start(&mut check(&flags));
        running.line();
        signals.iter().for_each(|signal| running.signal(*signal));
        running.finish()
    };
    for (flags, code) in [
        (format!("{open} -c 0"), 0),
        // What a target did in months is in the summary.
        (format!("{closed} -c 0"), 0),
        (format!("{open} -c 0 {full}"), 4),
        // This run had an end, and has not come to it.
        (format!("{open} -c 100000000"), 130),
    ] {
        let done = end(&flags, &[Signal::SIGTERM]);
        assert_eq!(done.code, Some(code), "{flags}: {}", done.err);
        assert_eq!(done.summary()["interrupted"], true, "{flags}");
    }
    let (_socket, closed) = closed_port();
    let done = end(&format!("{closed} -c 0"), &[Signal::SIGINT]);
    assert_eq!(done.code, Some(130), "{}", done.err);
}

#[test]
fn the_first_signal_ends_the_run_with_the_summary_so_far() {
    let open = open_port("127.0.0.1:0");
    for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let flags = format!("{open} --count 0 --interval 1ms --settle 10ms --output jsonl");
        let mut running = Running::start(hang_up(&mut check(&flags), SigHandler::SigDfl));
        assert_eq!(running.line()["outcome"], "alive");
        running.signal(signal);
        let done = running.finish();
        assert_eq!(done.code, Some(code_of(signal)), "{done:?}");
        let summary = done.summary();
        assert_eq!(summary["interrupted"], true);
        assert_eq!(summary["probes"], done.probes().len() + 1, "{summary}");
        assert_eq!(summary["probes"], summary["outcomes"]["alive"], "{summary}");
    }
}

#[test]
fn under_nohup_a_hang_up_has_no_effect() {
    let open = open_port("127.0.0.1:0");
    let flags = format!("{open} --count 0 --interval 1ms --settle 10ms --output jsonl");
    let mut running = Running::start(hang_up(&mut check(&flags), SigHandler::SigIgn));
    running.line();
    running.signal(Signal::SIGHUP);
    running.continues();
    // SIGHUP is not counted either: this signal is the first.
    running.signal(Signal::SIGTERM);
    let done = running.finish();
    assert_eq!((done.code, &done.summary()["interrupted"]), (Some(0), &true.into()), "{done:?}");
}

/// Names of a process's threads.
fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    // A thread may end while its name is read.
    let name =
        |task: io::Result<fs::DirEntry>| fs::read_to_string(task.ok()?.path().join("comm")).ok();
    tasks.filter_map(name).collect()
}

#[test]
fn the_second_signal_abandons_the_spans_and_the_summary_comes_at_once() {
    let open = open_port("127.0.0.1:0");
    // Accepts requests and never answers: after the first signal the agent waits for long.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = format!("http://{}", silent.local_addr().unwrap());
    let flags = format!(
        "{open} --count 0 --interval 1ms --settle 0 --output jsonl --otlp-endpoint {collector} \
         --otlp-timeout 1h"
    );
    // Into a file: no reader may block the output until the collector gets its request.
    let scratch = Scratch::new();
    let file = fs::File::create(scratch.join("out")).unwrap();
    let running = Running::start(check(&flags).stdout(file));
    let _request = silent.accept().unwrap();
    running.signal(Signal::SIGINT);
    running.wait_for_stderr("a second signal abandons them");
    running.signal(Signal::SIGTERM);
    let mut done = running.finish();
    done.out = fs::read_to_string(scratch.join("out")).unwrap();
    assert_eq!(done.code, Some(130), "{}", done.err);
    let summary = done.summary();
    assert_eq!((&summary["interrupted"], &summary["spans"]["accepted"]), (&true.into(), &0.into()));
    let lost = summary["spans"]["rejected"].as_u64().unwrap()
        + summary["spans"]["dropped"].as_u64().unwrap();
    assert_eq!(summary["probes"], lost, "{summary}");
    let told: Vec<&str> = done.err.lines().filter(|line| line.contains("deliver")).collect();
    assert!(told[0].contains("interrupted: delivering ") && told[0].contains(" for 1h at most"));
    assert!(told.last().unwrap().contains("delivery abandoned: "), "{told:?}");
}

#[test]
fn the_third_signal_ends_it_at_once() {
    let open = open_port("127.0.0.1:0");
    let flags = format!("{open} --count 0 --interval 0 --settle 0 --output jsonl");
    let mut running = Running::start(&mut check(&flags));
    running.line();
    // Without a reader the summary cannot be written, so nothing else ends the run.
    wait_until("a full pipe", || is_blocked_by_its_reader(running.id()));
    for _ in 0..2 {
        running.signal(Signal::SIGINT);
        wait_until("delivery of the signal", || !is_pending(running.id(), Signal::SIGINT));
    }
    assert!(running.is_running());
    running.signal(Signal::SIGINT);
    let done = running.finish();
    assert_eq!(done.code, Some(130));
    assert!(!done.out.contains("\"summary\""));
}

/// Whether the main thread of a process waits for room in a pipe.
fn is_blocked_by_its_reader(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/wchan")).is_ok_and(|place| place.contains("pipe_write"))
}

/// Whether a signal has been sent to a process and not been delivered yet.
fn is_pending(pid: u32, signal: Signal) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let pending = status.lines().find_map(|line| line.strip_prefix("ShdPnd:")).unwrap();
    u64::from_str_radix(pending.trim(), 16).unwrap() >> (signal as u32 - 1) & 1 == 1
}

/// The ids of the BPF objects that a process has open; `key` is for example `prog_id`.
fn held(pid: u32, key: &str) -> Vec<u32> {
    let infos = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
    let texts = infos.filter_map(|info| fs::read_to_string(info.ok()?.path()).ok());
    let ids = texts.filter_map(|text| {
        let (_, rest) = text.split_once(&format!("{key}:\t"))?;
        rest.lines().next()?.parse().ok()
    });
    ids.collect()
}

#[test]
fn nothing_stays_in_the_kernel() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    for (signal, code) in [(Signal::SIGINT, Some(130)), (Signal::SIGKILL, None)] {
        let flags = format!("{open} --count 0 --interval 1ms --settle 10ms --output jsonl");
        let mut running = Running::start(check(&flags).arg("--require-kernel"));
        running.line();
        let (programs, maps) = (held(running.id(), "prog_id"), held(running.id(), "map_id"));
        assert!(!programs.is_empty() && !maps.is_empty());
        let cgroup = cgroup::of(running.id());
        assert!(cgroup.to_str().unwrap().ends_with(&format!("probe-agent-{}", running.id())));
        running.signal(signal);
        assert_eq!(running.finish().code, code);
        // The kernel frees them after a grace period.
        wait_until("the end of its programs", || {
            loaded_programs().flatten().all(|program| !programs.contains(&program.id()))
        });
        wait_until("the end of its maps", || {
            loaded_maps().flatten().all(|map| !maps.contains(&map.id()))
        });
        if code.is_none() {
            // A killed process cannot clean up; the next agent does.
            assert_eq!(run(&mut check(&format!("{open} --settle 0"))).code, Some(0));
        }
        assert!(!cgroup.exists(), "{}", cgroup.display());
    }
}

/// Whatever the agent has put into the kernel so far, an interrupt removes it.
#[test]
fn an_interrupt_while_it_loads_leaves_nothing_behind() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    // The cgroup that the children start in; each makes its own there, named after its process.
    let home = cgroup::of("self");
    let own = |pid: u32| home.join(format!("probe-agent-{pid}"));
    let loaded = |pid: u32, programs: usize| held(pid, "prog_id").len() >= programs;
    let stages: [(&str, &dyn Fn(u32) -> bool); 8] = [
        ("a map", &|pid| !held(pid, "map_id").is_empty()),
        ("a program", &|pid| loaded(pid, 1)),
        ("three programs", &|pid| loaded(pid, 3)),
        ("five programs", &|pid| loaded(pid, 5)),
        ("a cgroup", &|pid| own(pid).exists()),
        ("a process in its cgroup", &|pid| cgroup::of(pid) == own(pid)),
        ("a second thread", &|pid| threads(pid).len() > 1),
        ("a worker", &|pid| threads(pid).iter().any(|name| name.starts_with("probe-worker"))),
    ];
    for (what, reached) in stages {
        for signal in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
            let mut command = check(&format!("{open} --count 0 --require-kernel --output jsonl"));
            let running = Running::start(hang_up(&mut command, SigHandler::SigDfl));
            let pid = running.id();
            wait_until(what, || reached(pid));
            running.signal(signal);
            let done = running.finish();
            assert_eq!(done.code, Some(code_of(signal)), "{signal} at {what}: {done:?}");
            assert_eq!(done.summary()["interrupted"], true, "{signal} at {what}");
            assert!(!own(pid).exists(), "{signal} at {what}");
        }
    }
}
