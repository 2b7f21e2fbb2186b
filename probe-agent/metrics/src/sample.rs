//! What the service knows at the moment of a scrape.

use std::time::Duration;

/// The values that are read at a scrape rather than counted. `Duration` stands for a time since 1970 where the
/// name ends in `_at`.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    /// The version of the agent.
    pub version: &'static str,
    /// The workers, in order.
    pub workers: Vec<Worker>,
    /// Kernel events that are known to be missing.
    pub events_lost: u64,
    /// The source ports; `None` if they are not known yet.
    pub ports: Option<Ports>,
    /// The export of spans; `None` if there is none.
    pub exporter: Option<Exporter>,
    /// The configuration in force.
    pub configuration: Configuration,
    /// The kernel's capabilities, by name, and whether each is available.
    pub capabilities: Vec<(&'static str, bool)>,
}

/// One worker.
#[derive(Clone, Copy, Debug, Default)]
pub struct Worker {
    /// How long ago its last turn began; `None` before the first.
    pub since_last_turn: Option<Duration>,
    /// How often it was stalled for a second or longer.
    pub stalls: u64,
    /// Its probes in flight.
    pub in_flight: u64,
    /// Its probes that wait for late events.
    pub settling: u64,
}

/// The source ports of the agent.
#[derive(Clone, Copy, Debug, Default)]
pub struct Ports {
    /// Those that a slot is bound to.
    pub in_use: u64,
    /// Those that another slot could be bound to.
    pub free: u64,
}

/// The export of spans.
#[derive(Clone, Debug, Default)]
pub struct Exporter {
    /// Spans that wait or are being sent.
    pub queued: u64,
    /// Spans that the receiver accepted.
    pub sent: u64,
    /// Spans that were sent without success.
    pub failed: u64,
    /// Spans that were not sent, by reason.
    pub dropped: Vec<(&'static str, u64)>,
    /// When the last batch was accepted.
    pub last_success_at: Option<Duration>,
}

/// The configuration in force.
#[derive(Clone, Debug, Default)]
pub struct Configuration {
    /// A hash of its text.
    pub hash: String,
    /// Counts the configurations since the start, from 1.
    pub generation: u64,
    /// Whether the last reload was successful. True before the first one.
    pub last_reload_successful: bool,
    /// When the last good configuration was loaded.
    pub last_success_at: Option<Duration>,
    /// Reloads that took effect.
    pub reloads: u64,
    /// Reloads that were refused.
    pub reloads_refused: u64,
}
