//! A worker that stands still is noticed, alone or with the whole process.

use std::{fs, io, time::Duration};

use lab::{Family, Fault, Lab, Segment};
use nix::sys::signal::Signal;
use probe_agent_tests::privileged;

use crate::{running::Running, support::check_in};

/// Holds one thread of a process, and no other, until it is dropped.
struct Held(libc::pid_t);

impl Held {
    fn thread(process: u32, name: &str) -> Self {
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
fn a_standstill_is_told_once_and_each_is_counted() {
    told_once_and_counted_twice(|running| {
        let held = Held::thread(running.id(), "prober");
        std::thread::sleep(LONG);
        drop(held);
    });
}

/// Then the thread that watches stands still as well.
#[test]
fn a_process_that_was_stopped_tells_and_counts_it_when_it_goes_on() {
    told_once_and_counted_twice(|running| {
        running.signal(Signal::SIGSTOP);
        std::thread::sleep(LONG);
        running.signal(Signal::SIGCONT);
    });
}

/// Longer than the second after which it counts: nothing tells a test that time has passed.
const LONG: Duration = Duration::from_secs(3);

fn told_once_and_counted_twice(stand_still: impl Fn(&Running)) {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let flags =
        format!("{} --count 0 --interval 5ms --settle 0 --output jsonl", listener.address());
    let mut running = Running::start(&mut check_in(lab.client(), &flags));
    running.goes_on();
    for _ in 0..2 {
        stand_still(&running);
        running.goes_on();
    }
    running.signal(Signal::SIGINT);
    let done = running.finish();
    assert_eq!(done.code, Some(130), "{done:?}");
    // A machine that is very busy may add some of its own.
    assert!(done.summary()["worker_stalls"].as_u64().unwrap() >= 2, "{done:?}");
    let told = done.err.lines().filter(|line| line.contains("stalled for over a second")).count();
    assert_eq!(told, 1, "{done:?}");
}

/// The answers come while nobody hears them; the kernel has noted when.
#[test]
fn an_answer_in_time_counts_however_late_it_is_heard() {
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
        while lost.dropped().unwrap() < PROBES {
            std::thread::yield_now();
        }
        let held = Held::thread(running.id(), "prober");
        // Until the time of all probes is over.
        std::thread::sleep(LONG);
        drop(held);
        let done = running.finish();
        assert_eq!(done.code, Some(0), "{extra}: {done:?}");
        assert_eq!(done.summary()["outcomes"]["alive"], PROBES, "{extra}: {done:?}");
    }
}
