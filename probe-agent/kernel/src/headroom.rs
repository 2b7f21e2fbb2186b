//! Is there enough memory, and are there enough descriptors and threads, to load the programs?
//!
//! Asked before anything is loaded. A process that runs out of memory half-way is ended, and one that runs
//! out of descriptors or threads has none left to probe with. Without the programs it can still probe.

use std::{
    fs, hint,
    path::Path,
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use model::human::counted;
use nix::{
    sys::resource::{RLIM_INFINITY, Resource, getrlimit},
    unistd::{Pid, gettid},
};

use crate::{btf::VMLINUX, error::TraceError};

/// Maps, stacks of threads, and what a run takes at first: 16 MiB.
const MEMORY: usize = 16 << 20;

/// While the types of the kernel are read, their file is in memory several times: as it is, as an index, and
/// as aya's copy of each type, which is more than twice as long. aya does so twice.
const COPIES: usize = 8;

/// Descriptors for maps, programs, links and counters, and for the threads of one worker.
const DESCRIPTORS: u64 = 48;

/// One that probes, and one that reads kernel events.
const THREADS: usize = 2;

/// Far longer than a thread takes to end.
const GONE: Duration = Duration::from_millis(100);

/// Whether all of them are there.
///
/// # Errors
/// Which is missing, and the remedy.
pub(crate) fn check() -> Result<(), TraceError> {
    if !is_address_space_limited() {
        threads(startable(THREADS))?;
    }
    descriptors(free_descriptors())?;
    let types = fs::metadata(VMLINUX).map_or(0, |file| file.len());
    let types = usize::try_from(types).unwrap_or(usize::MAX);
    memory(types.saturating_mul(COPIES).saturating_add(MEMORY))
}

/// Whether so many bytes can be had. They are not touched.
fn memory(bytes: usize) -> Result<(), TraceError> {
    let mut block = Vec::<u8>::new();
    let result = block.try_reserve_exact(bytes);
    hint::black_box(&block);
    result.map_err(|_| TraceError::Missing {
        reason: format!(
            "less than {} MiB of memory are left to load the eBPF programs",
            bytes >> 20
        ),
        remedy: "raise the limit (`ulimit -v`)".to_owned(),
    })
}

/// Whether memory is so scarce that a further thread costs too much: each that allocates memory reserves 64 MiB
/// of the address space (glibc), which stay reserved when it ends.
pub(crate) fn is_address_space_limited() -> bool {
    !matches!(getrlimit(Resource::RLIMIT_AS), Ok((RLIM_INFINITY, _)))
}

/// How many of so many threads this host has, beside those of this process. It may limit the processes of a
/// user or of a cgroup (pids.max).
#[must_use]
pub fn startable(threads: usize) -> usize {
    let gate = Mutex::new(());
    let body = || {
        drop(gate.lock());
        gettid()
    };
    let started: Vec<Pid> = thread::scope(|scope| {
        let held = gate.lock();
        let start = |_| thread::Builder::new().spawn_scoped(scope, body).ok();
        let started: Vec<_> = (0..threads).map_while(start).collect();
        drop(held);
        started.into_iter().filter_map(|thread| thread.join().ok()).collect()
    });
    // A thread that was waited for counts until it has gone from /proc (`release_task`).
    let is_there = |thread: &Pid| Path::new(&format!("/proc/self/task/{thread}")).exists();
    let end = Instant::now() + GONE;
    while started.iter().any(is_there) && Instant::now() < end {
        thread::yield_now();
    }
    started.len()
}

fn threads(startable: usize) -> Result<(), TraceError> {
    if startable >= THREADS {
        return Ok(());
    }
    Err(TraceError::Missing {
        reason: format!(
            "this host refuses {THREADS} more threads, one to probe and one to read kernel events"
        ),
        remedy: "raise `ulimit -u` or the cgroup's pids.max".to_owned(),
    })
}

fn descriptors(free: Option<u64>) -> Result<(), TraceError> {
    match free {
        Some(free) if free < DESCRIPTORS => Err(TraceError::Missing {
            reason: format!(
                "{} left, and the eBPF programs need up to {DESCRIPTORS}",
                counted(free, "descriptor")
            ),
            remedy: "raise the limit of open files (`ulimit -n`)".to_owned(),
        }),
        _ => Ok(()),
    }
}

/// How many more descriptors this process may have; `None` if that is not known.
fn free_descriptors() -> Option<u64> {
    let (limit, _) = getrlimit(Resource::RLIMIT_NOFILE).ok()?;
    let open = fs::read_dir("/proc/self/fd").ok()?.count();
    Some(limit.saturating_sub(u64::try_from(open).ok()?))
}

#[cfg(test)]
mod tests {
    use super::{DESCRIPTORS, THREADS, check, descriptors, memory, startable, threads};

    #[test]
    fn threads_that_are_not_limited_can_all_be_started() {
        assert_eq!(startable(7), 7);
    }

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        assert!(check().is_ok() && descriptors(Some(DESCRIPTORS)).is_ok());
        assert!(descriptors(None).is_ok(), "what is not known is tried");
        let few = descriptors(Some(DESCRIPTORS - 1)).unwrap_err();
        assert_eq!(few.remedy(), Some("raise the limit of open files (`ulimit -n`)"));
        assert!(threads(THREADS).is_ok());
        let one = threads(THREADS - 1).unwrap_err();
        assert_eq!(one.remedy(), Some("raise `ulimit -u` or the cgroup's pids.max"));
        // No address space has so much.
        let much = memory(1 << 60).unwrap_err();
        assert!(much.reason().starts_with("less than "), "{much}");
    }
}
