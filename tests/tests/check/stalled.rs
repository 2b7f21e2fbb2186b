//! A stalled worker is reported, alone or with the whole process.

use std::{fs, io, time::Duration};

use lab::{Family, Fault, Lab, Segment};
use nix::sys::signal::Signal;
use probe_agent_tests::privileged;

use crate::{running::Running, support::check_in};

/// Stops one thread of a process until it is dropped.
pub(crate) struct Held(libc::pid_t);

impl Held {
    pub(crate) fn thread(process: u32, name: &str) -> Self {
        let threads = fs::read_dir(format!("/proc/{process}/task")).unwrap().flatten();
        let is_it = |path: &std::path::Path| {
            fs::read_to_string(path.join("comm")).is_ok_and(|comm| comm.trim() == name)
        };
        let thread = threads.map(|entry| entry.path()).find(|path| is_it(path)).unwrap();
        let id: libc::pid_t = thread.file_name().unwrap().to_str().unwrap().parse().unwrap();
        trace(libc::PTRACE_SEIZE, id).unwrap();
        let held = Self(id);
        trace(libc::PTRACE_INTERRUPT, id).unwrap();
        // SAFETY: a null pointer is allowed for the status.
        let waited = unsafe { libc::waitpid(id, std::ptr::null_mut(), libc::__WALL) };
        assert_eq!(waited, id, "{}", io::Error::last_os_error());
        held
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let _ = trace(libc::PTRACE_DETACH, self.0);
    }
}

fn trace(request: libc::c_uint, thread: libc::pid_t) -> io::Result<()> {
    let nothing = std::ptr::null_mut::<libc::c_void>();
    // SAFETY: none of the requests made here reads or writes through its last two arguments.
    let result = unsafe { libc::ptrace(request, thread, nothing, nothing) };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[test]
fn stalls_are_reported_once_and_each_is_counted() {
    reported_once_and_counted_twice(|running| {
        let held = Held::thread(running.id(), "probe-worker");
        std::thread::sleep(LONG);
        drop(held);
    });
}

/// This stops the watchdog thread as well.
#[test]
fn a_process_that_was_stopped_reports_and_counts_it_when_it_continues() {
    reported_once_and_counted_twice(|running| {
        running.signal(Signal::SIGSTOP);
        std::thread::sleep(LONG);
        running.signal(Signal::SIGCONT);
    });
}

/// Longer than the second after which a stall counts. There is no event to wait for instead.
const LONG: Duration = Duration::from_secs(3);

fn reported_once_and_counted_twice(stall: impl Fn(&Running)) {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let flags =
        format!("{} --count 0 --interval 5ms --settle 0 --output jsonl", listener.address());
    let mut running = Running::start(&mut check_in(lab.client(), &flags));
    running.continues();
    for _ in 0..2 {
        stall(&running);
        running.continues();
    }
    running.signal(Signal::SIGINT);
    let done = running.finish();
    assert_eq!(done.code, Some(130), "{done:?}");
    // A very busy machine may cause more stalls.
    assert!(done.summary()["worker_stalls"].as_u64().unwrap() >= 2, "{done:?}");
    let told = done.err.lines().filter(|line| line.contains("stalled for over a second")).count();
    assert_eq!(told, 1, "{done:?}");
}

/// The answers come while the worker is stopped; the kernel has recorded when.
#[test]
fn an_answer_in_time_counts_however_late_the_worker_sees_it() {
    privileged!();
    const PROBES: u64 = 20;
    for extra in ["", "--no-kernel"] {
        let lab = Lab::new().unwrap();
        let listener = lab.listen(Family::V4).unwrap();
        let lost = lab.inject(&Fault::lost(Segment::SynAck).first(PROBES as u32)).unwrap();
        let flags = format!(
            "{} --count {PROBES} --interval 0 --timeout 2s --output jsonl {extra}",
            listener.address()
        );
        let running = Running::start(&mut check_in(lab.client(), &flags));
        while lost.hits().unwrap() < PROBES {
            std::thread::yield_now();
        }
        let held = Held::thread(running.id(), "probe-worker");
        // Until all probes would have timed out.
        std::thread::sleep(LONG);
        drop(held);
        let done = running.finish();
        assert_eq!(done.code, Some(0), "{extra}: {done:?}");
        assert_eq!(done.summary()["outcomes"]["alive"], PROBES, "{extra}: {done:?}");
    }
}
