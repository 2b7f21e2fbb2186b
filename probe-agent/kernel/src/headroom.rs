//! Is there enough memory, and are there enough descriptors, to load the programs?
//!
//! Asked before anything is loaded. A process that runs out of memory half-way is ended, and one that runs
//! out of descriptors has none left to probe with. Without the programs it can still probe.

use std::{fs, hint};

use model::human::counted;
use nix::sys::resource::{Resource, getrlimit};

use crate::{btf::VMLINUX, error::TraceError};

/// Maps, stacks of threads, and what a run takes at first: 16 MiB.
const MEMORY: usize = 16 << 20;

/// While the types of the kernel are read, their file is in memory several times: as it is, as an index, and
/// as aya's copy of each type, which is more than twice as long. aya does so twice.
const COPIES: usize = 8;

/// Descriptors for maps, programs, links and counters, and for the threads of one worker.
const DESCRIPTORS: u64 = 48;

/// Whether both are there.
///
/// # Errors
/// Which is missing, and the remedy.
pub(crate) fn check() -> Result<(), TraceError> {
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
    use super::{DESCRIPTORS, check, descriptors, memory};

    #[test]
    fn what_is_missing_is_named_with_its_remedy() {
        assert!(check().is_ok() && descriptors(Some(DESCRIPTORS)).is_ok());
        assert!(descriptors(None).is_ok(), "what is not known is tried");
        let few = descriptors(Some(DESCRIPTORS - 1)).unwrap_err();
        assert_eq!(few.remedy(), Some("raise the limit of open files (`ulimit -n`)"));
        // No address space has so much.
        let much = memory(1 << 60).unwrap_err();
        assert!(much.reason().starts_with("less than "), "{much}");
    }
}
