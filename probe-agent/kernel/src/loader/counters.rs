//! The counters that the programs keep, of all CPUs.

use aya::util::nr_cpus;
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

/// How many CPUs this host may come to have.
pub(super) fn cpus() -> Result<u32, TraceError> {
    nr_cpus()
        .map_err(|(file, error)| TraceError::Load(format!("{file}: {error}")))
        .map(|n| u32::try_from(n).unwrap_or(u32::MAX / Counter::COUNT))
}
