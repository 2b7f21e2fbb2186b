//! Ready-made settings and plans for tests and benchmarks.

use std::{net::SocketAddr, time::Duration};

use model::{expect::Expect, target::Target};

use crate::{
    session::Plan,
    settings::{PortPolicy, Settings, SocketSettings},
};

/// As fast as possible, with 256 probes in flight and the number of slots that `check` uses by default.
#[must_use]
pub fn settings() -> Settings {
    Settings {
        interval: Duration::ZERO,
        concurrency: 256,
        timeout: Duration::from_secs(2),
        settle: Duration::from_secs(2),
        slots: 8_192,
        first_slot: 0,
        port_policy: PortPolicy::Rotate,
        expect: Expect::Open,
        socket: SocketSettings::default(),
    }
}

/// A number of probes of one target by one worker, with [`settings`] and all kernel features.
#[must_use]
pub fn plan(target: SocketAddr, probes: u64) -> Plan {
    Plan { count: Some(probes), ..Plan::new(settings(), [Target::at(target)].into()) }
}
