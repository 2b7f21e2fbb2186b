//! Whether this process may open as many files as the hooks need.
//!
//! A hook that takes the last descriptor leaves none for the probes. So the hooks take none unless they
//! leave some.

use std::fs;

use nix::sys::resource::{Resource, getrlimit};

use crate::error::TraceError;

/// For each program: the program and its link.
const PER_PROGRAM: u64 = 2;

/// Maps, files of `/proc`, the cgroup and the network namespace.
const OTHERS: u64 = 16;

/// For the probes: epoll instances, timers, standard streams, sockets of a few slots.
const RESERVE: u64 = 16;

/// Whether `programs` programs can be loaded.
///
/// # Errors
/// If too few files may be opened.
pub(crate) fn suffice(programs: usize) -> Result<(), TraceError> {
    let needed = programs as u64 * PER_PROGRAM + OTHERS + RESERVE;
    match getrlimit(Resource::RLIMIT_NOFILE) {
        Ok((limit, _)) if limit < needed + open() => Err(short(limit, needed + open())),
        Ok(_) | Err(_) => Ok(()),
    }
}

fn short(limit: u64, needed: u64) -> TraceError {
    TraceError::Missing {
        reason: format!(
            "the kernel hooks need {needed} open files, and this process may have {limit}"
        ),
        remedy: "raise the limit (ulimit -n)".to_owned(),
    }
}

/// How many are open already; 0 where `/proc` does not show them.
fn open() -> u64 {
    fs::read_dir("/proc/self/fd").map_or(0, |all| all.count() as u64)
}

#[cfg(test)]
mod tests {
    use super::{short, suffice};

    #[test]
    fn an_impossible_number_is_refused_and_a_small_one_is_not() {
        assert!(suffice(1).is_ok());
        assert!(suffice(1 << 40).is_err());
    }

    #[test]
    fn the_reason_names_both_numbers() {
        let error = short(20, 60).to_string();
        let expected = "the kernel hooks need 60 open files, and this process may have 20; raise the limit \
                        (ulimit -n)";
        assert_eq!(error, expected);
    }
}
