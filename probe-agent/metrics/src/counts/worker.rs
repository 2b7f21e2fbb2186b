//! Everything that one worker counts.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use model::packet_drop::{DropPlace, PacketDrop};

use super::{Count, ProbeCounts};

/// The most reasons that dropped packets are counted by. A kernel knows some 120; what is left shares one name.
const MOST_REASONS: usize = 128;

/// The name for the reasons beyond that.
const OTHER: &str = "OTHER";

/// The counts of one worker.
#[derive(Debug, Default)]
pub(crate) struct WorkerCounts {
    pub(crate) probes: ProbeCounts,
    pub(crate) confirmations: Count,
    pub(crate) early_reuses: Count,
    pub(crate) unguarded: Count,
    pub(crate) drops: Mutex<BTreeMap<DropKey, u64>>,
}

/// The reason of a drop as the kernel names it, and the name of its place.
pub(crate) type DropKey = (&'static str, &'static str);

impl WorkerCounts {
    /// Counts a packet that this host dropped.
    pub(crate) fn count_drop(&self, packet: &PacketDrop) {
        let place = match packet.place {
            DropPlace::OurNetns => "our_netns",
            DropPlace::OtherNetns => "other_netns",
            DropPlace::Unknown => "unknown",
        };
        let mut drops = self.drops.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (packet.reason.0, place);
        let key = if drops.len() < MOST_REASONS || drops.contains_key(&key) {
            key
        } else {
            (OTHER, place)
        };
        *drops.entry(key).or_default() += 1;
    }
}
