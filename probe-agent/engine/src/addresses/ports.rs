//! Source ports: which there are, whose they are, and in which order they are taken.

use std::ops::RangeInclusive;

/// The ports that this host gives to outgoing connections (`net.ipv4.ip_local_port_range` of the
/// calling thread's network namespace), or the kernel's default where it cannot be read.
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

/// Hands out source ports, each once, from a place of chance and in steps of chance: two agents on
/// one host do not try the same ones, and one that meets a port of the other does not meet all of
/// the other's thousands in a row.
#[derive(Debug)]
pub(crate) struct Ports {
    range: RangeInclusive<u16>,
    next: u32,
    /// Has no divisor in common with the size of the range, so that every port has its turn.
    step: u32,
    left: u32,
    returned: Vec<u16>,
}

impl Ports {
    /// Ports of a range; `seed` chooses where to start and how to go on.
    pub(crate) fn new(range: RangeInclusive<u16>, seed: u64) -> Self {
        let size = u32::from(*range.end()) - u32::from(*range.start()) + 1;
        let next = u32::try_from(seed % u64::from(size)).unwrap_or(0);
        let wish = u32::try_from(seed / u64::from(size) % u64::from(size)).unwrap_or(0);
        let step = (wish.max(1)..).find(|step| coprime(*step, size)).unwrap_or(1);
        Self { range, next, step, left: size, returned: Vec::new() }
    }

    /// The next port that has not been handed out; `None` when all have been.
    pub(crate) fn take(&mut self) -> Option<u16> {
        if self.left == 0 {
            return self.returned.pop();
        }
        self.left -= 1;
        let size = u32::from(*self.range.end()) - u32::from(*self.range.start()) + 1;
        let port = u32::from(*self.range.start()) + self.next;
        self.next = (self.next + self.step) % size;
        u16::try_from(port).ok()
    }

    /// Takes a port back, to be tried again when all others have been: it was in use.
    pub(crate) fn give_back(&mut self, port: u16) {
        self.returned.insert(0, port);
    }

    /// How many could still be handed out.
    pub(crate) fn left(&self) -> usize {
        self.left as usize + self.returned.len()
    }
}

fn coprime(mut a: u32, mut b: u32) -> bool {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a == 1
}

/// Cuts a range of ports into as equal parts as possible, one for each of `parts` workers; a range
/// smaller than that gives fewer.
#[must_use]
pub fn split(range: &RangeInclusive<u16>, parts: u32) -> Vec<RangeInclusive<u16>> {
    let (start, size) = (u32::from(*range.start()), u32::try_from(range.len()).unwrap_or(0));
    let cut = |n: u32| start + size * n / parts.max(1);
    (0..parts)
        .filter(|&n| cut(n) < cut(n + 1))
        .filter_map(|n| Some(u16::try_from(cut(n)).ok()?..=u16::try_from(cut(n + 1) - 1).ok()?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Ports, split};

    #[test]
    fn every_port_is_handed_out_once_and_used_ones_come_again_last() {
        let mut ports = Ports::new(10..=13, 2);
        let first = ports.take().unwrap();
        assert_eq!(first, 12);
        ports.give_back(first);
        let rest: Vec<u16> = std::iter::from_fn(|| ports.take()).collect();
        assert_eq!(rest, [13, 10, 11, 12]);
    }

    #[test]
    fn every_port_has_its_turn_whatever_the_seed() {
        for seed in 0..200 {
            for range in [7..=7, 10..=11, 100..=159, 40_000..=40_096] {
                let mut ports = Ports::new(range.clone(), seed);
                let mut all: Vec<u16> = std::iter::from_fn(|| ports.take()).collect();
                all.sort_unstable();
                assert_eq!(all, range.collect::<Vec<u16>>(), "{seed}");
            }
        }
    }

    #[test]
    fn two_agents_do_not_follow_each_other() {
        let taken = |seed| {
            let mut ports = Ports::new(32_768..=60_999, seed);
            (0..8_192).map_while(|_| ports.take()).collect::<Vec<u16>>()
        };
        // Minutes after boot, and half a second apart.
        let (first, second) = (taken(300_000_000), taken(300_500_000));
        let first: std::collections::HashSet<u16> = first.into_iter().collect();
        let in_a_row = second.split(|port| !first.contains(port)).map(<[u16]>::len).max();
        assert!(in_a_row.unwrap() < 100, "{in_a_row:?}");
    }

    #[test]
    fn a_split_covers_the_range_once() {
        for (range, parts) in [(10..=19, 3), (1..=65_535, 2), (5..=5, 1), (5..=6, 4)] {
            let covered: Vec<u16> = split(&range, parts).into_iter().flatten().collect();
            assert_eq!(covered, range.collect::<Vec<u16>>());
        }
    }
}
