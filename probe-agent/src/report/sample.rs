//! Hand-made probes for the tests of the reports.

mod build;
pub(super) mod paths;

use std::{net::SocketAddr, sync::Arc};

pub(super) use self::build::Sample;
use super::{style::Look, timestamp::WallClock};
use crate::probe::target::Target;

/// The SYN of every sample leaves 1 s after boot, at 2026-01-02T03:04:05Z.
pub(super) const SYN_AT: u64 = 1_000_000_000;
pub(super) const CLOCK: WallClock =
    WallClock { realtime_minus_monotonic_ns: 1_767_323_044_000_000_000 };
pub(super) const NARROW: Look = Look { colour: false, width: 80 };

pub(super) fn targets(list: &[(&str, &str)]) -> Arc<[Target]> {
    list.iter()
        .map(|(name, address)| {
            let address: SocketAddr = address.parse().expect("a socket address");
            let host = name.rsplit_once(':').map_or(*name, |(host, _)| host).to_owned();
            Target { name: (*name).to_owned(), host, address }
        })
        .collect()
}
