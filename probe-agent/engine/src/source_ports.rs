//! Source ports: the usable range, its division among workers, and the order in which ports are used.

use std::ops::RangeInclusive;

/// The ports that this host uses for outgoing connections (`net.ipv4.ip_local_port_range` of the calling
/// thread's network namespace), or the kernel's default if it cannot be read.
pub fn ephemeral_ports() -> RangeInclusive<u16> {
    let parse = |text: String| {
        let mut words = text.split_whitespace().map(str::parse::<u16>);
        Some(words.next()?.ok()?..=words.next()?.ok()?)
    };
    std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(parse)
        .filter(|range| !range.is_empty())
        .unwrap_or(32_768..=60_999)
}

/// Allocates source ports, each once, from a random start and in random steps. Two agents on one host
/// therefore do not try the same ports, and an agent that reaches a port of the other does not go through
/// thousands of the other's ports in a row.
#[derive(Debug)]
pub(crate) struct SourcePorts {
    range: RangeInclusive<u16>,
    next: u32,
    /// Coprime with the size of the range, so that every port is reached.
    step: u32,
    /// Ports that have not been allocated yet.
    unused: u32,
    /// Ports that were in use, the next one to try last.
    deferred: Vec<u16>,
}

impl SourcePorts {
    /// The ports of a range. `seed` determines the start and the step.
    pub(crate) fn new(range: RangeInclusive<u16>, seed: u64) -> Self {
        let size = u32::try_from(range.len()).unwrap_or(0);
        if size == 0 {
            return Self { range, next: 0, step: 1, unused: 0, deferred: Vec::new() };
        }
        let next = u32::try_from(seed % u64::from(size)).unwrap_or(0);
        let min_step = u32::try_from(seed / u64::from(size) % u64::from(size)).unwrap_or(0);
        let step = (min_step.max(1)..).find(|step| coprime(*step, size)).unwrap_or(1);
        Self { range, next, step, unused: size, deferred: Vec::new() }
    }

    /// The next port that has not been allocated; `None` when all have been.
    pub(crate) fn allocate(&mut self) -> Option<u16> {
        if self.unused == 0 {
            return self.deferred.pop();
        }
        self.unused -= 1;
        let size = u32::from(*self.range.end()) - u32::from(*self.range.start()) + 1;
        let port = u32::from(*self.range.start()) + self.next;
        self.next = (self.next + self.step) % size;
        u16::try_from(port).ok()
    }

    /// Takes back a port that was in use. It is tried again after all others.
    pub(crate) fn defer(&mut self, port: u16) {
        self.deferred.insert(0, port);
    }

    /// How many ports can still be allocated.
    pub(crate) fn available(&self) -> usize {
        self.unused as usize + self.deferred.len()
    }
}

fn coprime(mut a: u32, mut b: u32) -> bool {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// Splits a range of ports into parts that are as equal as possible, one for each of `parts` workers. A
/// range with fewer ports than that gives fewer parts.
pub(crate) fn split_range(range: &RangeInclusive<u16>, parts: u32) -> Vec<RangeInclusive<u16>> {
    let (start, size) = (u32::from(*range.start()), u32::try_from(range.len()).unwrap_or(0));
    let cut = |n: u32| start + size * n / parts.max(1);
    (0..parts)
        .filter(|&n| cut(n) < cut(n + 1))
        .filter_map(|n| Some(u16::try_from(cut(n)).ok()?..=u16::try_from(cut(n + 1) - 1).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{SourcePorts, split_range};

    #[test]
    fn every_port_is_allocated_once_and_ports_in_use_are_retried_last() {
        let mut ports = SourcePorts::new(10..=13, 2);
        let first = ports.allocate().unwrap();
        assert_eq!(first, 12);
        ports.defer(first);
        let rest: Vec<u16> = std::iter::from_fn(|| ports.allocate()).collect();
        assert_eq!(rest, [13, 10, 11, 12]);
    }

    #[test]
    fn every_port_is_allocated_for_any_seed() {
        for seed in 0..200 {
            for range in [7..=7, 10..=11, 100..=159, 40_000..=40_096] {
                let mut ports = SourcePorts::new(range.clone(), seed);
                let mut all: Vec<u16> = std::iter::from_fn(|| ports.allocate()).collect();
                all.sort_unstable();
                assert_eq!(all, range.collect::<Vec<u16>>(), "{seed}");
            }
        }
    }

    #[test]
    fn two_agents_use_different_port_sequences() {
        let allocated = |seed| {
            let mut ports = SourcePorts::new(32_768..=60_999, seed);
            (0..8_192).map_while(|_| ports.allocate()).collect::<Vec<u16>>()
        };
        // Seeds of two agents that start minutes after boot, half a second apart.
        let (first, second) = (allocated(300_000_000), allocated(300_500_000));
        let first: std::collections::HashSet<u16> = first.into_iter().collect();
        let in_a_row = second.split(|port| !first.contains(port)).map(<[u16]>::len).max();
        assert!(in_a_row.unwrap() < 100, "{in_a_row:?}");
    }

    #[test]
    fn the_parts_cover_the_range_exactly_once() {
        for (range, parts) in [(10..=19, 3), (1..=65_535, 2), (5..=5, 1), (5..=6, 4)] {
            let covered: Vec<u16> = split_range(&range, parts).into_iter().flatten().collect();
            assert_eq!(covered, range.collect::<Vec<u16>>());
        }
    }
}
