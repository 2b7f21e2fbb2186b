//! Hand-made probes for the tests of the reports.

mod build;
pub(super) mod paths;

use std::{env, fs, net::SocketAddr, path::Path};

pub(super) use self::build::Sample;
use super::style::Look;
use kernel::clock::Clock;
use model::target::{Target, Targets};

/// The SYN of every sample leaves 1 s after boot, at 2026-01-02T03:04:05Z.
pub(super) const SYN_AT: u64 = 1_000_000_000;
pub(super) const CLOCK: Clock = Clock { realtime_minus_monotonic_ns: 1_767_323_044_000_000_000 };
pub(super) const NARROW: Look = Look { colour: false, width: 80 };

pub(super) fn targets(list: &[(&str, &str)]) -> Targets {
    list.iter()
        .map(|(name, address)| {
            let address: SocketAddr = address.parse().expect("a socket address");
            let host = name.rsplit_once(':').map_or(*name, |(host, _)| host).to_owned();
            Target { name: (*name).to_owned(), host, address }
        })
        .collect()
}

/// Compares with `src/golden/NAME`. With `UPDATE_GOLDEN=1` in the environment, writes the file first.
#[track_caller]
pub(super) fn golden(name: &str, seen: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/golden").join(name);
    if env::var_os("UPDATE_GOLDEN").is_some_and(|value| value == "1") {
        fs::write(&path, seen).expect("the golden directory can be written");
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(seen == expected, "{name} differs.\n--- expected\n{expected}\n--- seen\n{seen}");
}
