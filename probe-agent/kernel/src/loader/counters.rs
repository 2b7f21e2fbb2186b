//! The counters that the programs keep, of all CPUs.

use std::fs;

use aya::util::nr_cpus;
use model::errno::in_words;
use probe_agent_common::Counter;

use crate::{error::TraceError, mapped_array::MappedArray};

/// The counters of all CPUs.
pub(super) struct Counters {
    pub(super) values: MappedArray<u64>,
    pub(super) cpus: u32,
}

impl Counters {
    /// One of them, over all CPUs.
    pub(super) fn sum(&self, counter: Counter) -> u64 {
        let of = |cpu| self.values.read(cpu * Counter::COUNT + counter as u32);
        (0..self.cpus).filter_map(of).sum()
    }
}

/// How many CPUs this host may come to have; a few more where only `/proc` shows it.
pub(super) fn cpus() -> Result<u32, TraceError> {
    let status = || fs::read_to_string("/proc/self/status").unwrap_or_default();
    match nr_cpus() {
        Ok(n) => Ok(u32::try_from(n).unwrap_or(u32::MAX / Counter::COUNT)),
        Err((file, error)) => mask_width(&status())
            .ok_or_else(|| TraceError::Load(format!("{file}: {}", in_words(error)))),
    }
}

/// The width of the CPU mask in `/proc/PID/status` (proc(5)): a digit stands for four CPUs.
fn mask_width(status: &str) -> Option<u32> {
    let mask = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed:"))?;
    let digits = mask.chars().filter(char::is_ascii_hexdigit).count();
    u32::try_from(digits * 4).ok().filter(|cpus| *cpus > 0)
}

#[cfg(test)]
mod tests {
    use super::mask_width;

    #[test]
    fn the_cpu_mask_is_as_wide_as_the_host() {
        assert_eq!(mask_width("Name:\tx\nCpus_allowed:\t3\n"), Some(4));
        assert_eq!(mask_width("Cpus_allowed:\tff,ffffffff\n"), Some(40));
        assert_eq!(mask_width("Name:\tx\n"), None);
    }
}
