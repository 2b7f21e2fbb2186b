//! How much of this host the workers may use.

use config::schema::FoundLimits;
use engine::{live::SharedLimits, pacing::Pacing};

use super::Service;
use crate::profile::LoopLimits;

/// The slots of `check`: each costs about 3 KiB of kernel memory.
const SLOTS: u32 = 8_192;

/// The most probes in flight, if the configuration says nothing.
const CONCURRENCY: u32 = 256;

impl Service {
    /// How much of this host each event loop may use.
    pub(super) fn loop_limits(&self) -> LoopLimits {
        let set = |count: Option<u32>, usual| count.unwrap_or(usual);
        let slots = set(self.limits.slots.as_ref().map(|slots| slots.value.get()), SLOTS);
        let concurrency =
            set(self.limits.concurrency.as_ref().map(|most| most.value.get()), CONCURRENCY);
        let slots = slots.max(concurrency.saturating_add(1)).min(self.room.descriptors).max(1);
        LoopLimits { concurrency: concurrency.min(slots) as usize, slots, traces: self.traces }
    }

    /// The rate limits that all workers share.
    pub(super) fn rates(&self) -> SharedLimits {
        let FoundLimits { rate, rate_per_host, .. } = &self.limits;
        let pacing = Pacing {
            rate: rate.as_ref().and_then(|rate| rate.value.get().try_into().ok()),
            rate_per_host: rate_per_host.as_ref().and_then(|rate| rate.value.get().try_into().ok()),
            ..Pacing::default()
        };
        SharedLimits::new(&pacing)
    }
}
