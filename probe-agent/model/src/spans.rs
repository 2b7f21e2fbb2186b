//! Delivery counts of spans.

/// How many spans were delivered, and how many were not.
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounts {
    /// Accepted by the receiver.
    pub accepted: u64,
    /// Rejected by the receiver, or sent without success.
    pub rejected: u64,
    /// Dropped before sending.
    pub dropped: u64,
}

impl SpanCounts {
    /// Whether all spans were accepted; otherwise the exit code is 4.
    #[must_use]
    pub const fn delivered(&self) -> bool {
        self.rejected == 0 && self.dropped == 0
    }
}
