//! The end of a run by a signal.

use std::{
    fs, io,
    net::TcpListener,
    path::{Path, PathBuf},
};

use aya::{maps::loaded_maps, programs::loaded_programs};
use nix::sys::signal::Signal;
use probe_agent_tests::privileged;

use crate::{
    running::{Running, wait_until},
    support::{check, open_port, run},
};

#[test]
fn the_first_signal_ends_the_run_with_the_summary_so_far() {
    let open = open_port("127.0.0.1:0");
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let flags = format!("{open} --count 0 --interval 1ms --settle 10ms --output jsonl");
        let mut running = Running::start(&mut check(&flags));
        assert_eq!(running.line()["outcome"], "alive");
        running.signal(signal);
        let done = running.finish();
        assert_eq!(done.code, Some(130), "{done:?}");
        let summary = done.summary();
        assert_eq!(summary["interrupted"], true);
        assert_eq!(summary["probes"], done.probes().len() + 1, "{summary}");
        assert_eq!(summary["probes"], summary["outcomes"]["alive"], "{summary}");
    }
}

/// Names of a process's threads.
fn threads(pid: u32) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    // One may end while its name is read.
    let name =
        |task: io::Result<fs::DirEntry>| fs::read_to_string(task.ok()?.path().join("comm")).ok();
    tasks.filter_map(name).collect()
}

#[test]
fn the_second_signal_ends_it_at_once() {
    let open = open_port("127.0.0.1:0");
    // Takes requests and never answers, so that the first signal is followed by a long wait.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let collector = format!("http://{}", silent.local_addr().unwrap());
    let flags = format!(
        "{open} --count 0 --interval 1ms --settle 0 --output jsonl --otlp-endpoint {collector} \
         --otlp-timeout 1h"
    );
    let running = Running::start(&mut check(&flags));
    let _request = silent.accept().unwrap();
    running.signal(Signal::SIGINT);
    // It has been heard once nobody probes any more.
    wait_until("the end of the probing", || {
        threads(running.id()).iter().all(|name| !name.starts_with("prober"))
    });
    running.signal(Signal::SIGINT);
    let done = running.finish();
    assert_eq!(done.code, Some(130), "{done:?}");
    assert!(!done.out.contains("\"summary\""), "{done:?}");
}

/// The ids that the open descriptors of a process stand for, e.g. `prog_id`.
fn held(pid: u32, key: &str) -> Vec<u32> {
    let infos = fs::read_dir(format!("/proc/{pid}/fdinfo")).unwrap();
    let texts = infos.filter_map(|info| fs::read_to_string(info.ok()?.path()).ok());
    let ids = texts.filter_map(|text| {
        let (_, rest) = text.split_once(&format!("{key}:\t"))?;
        rest.lines().next()?.parse().ok()
    });
    ids.collect()
}

/// The directory of the cgroup that a process is in.
fn cgroup(pid: u32) -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 ")).unwrap();
    let mut fields = mount.split(' ').skip(3);
    let (root, place) = (fields.next().unwrap(), fields.next().unwrap());
    let cgroups = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let path = Path::new(cgroups.lines().find_map(|line| line.strip_prefix("0::")).unwrap());
    Path::new(place).join(path.strip_prefix(root).unwrap_or(path))
}

#[test]
fn nothing_of_it_stays_in_the_kernel() {
    privileged!();
    let open = open_port("127.0.0.1:0");
    for (signal, code) in [(Signal::SIGINT, Some(130)), (Signal::SIGKILL, None)] {
        let flags = format!("{open} --count 0 --interval 1ms --settle 10ms --output jsonl");
        let mut running = Running::start(check(&flags).arg("--require-kernel"));
        running.line();
        let (programs, maps) = (held(running.id(), "prog_id"), held(running.id(), "map_id"));
        assert!(!programs.is_empty() && !maps.is_empty());
        let cgroup = cgroup(running.id());
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
            // Nobody can tidy up after a SIGKILL; the next agent does.
            assert_eq!(run(&mut check(&format!("{open} --settle 0"))).code, Some(0));
        }
        assert!(!cgroup.exists(), "{}", cgroup.display());
    }
}
