//! What became of the spans.

/// What became of the spans.
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SpanCounts {
    /// The receiver took them.
    pub accepted: u64,
    /// The receiver refused them, or could not be reached.
    pub rejected: u64,
    /// They never left: the queue was full.
    pub dropped: u64,
}

impl SpanCounts {
    /// Whether all spans were accepted; otherwise exit code 4 is due.
    #[must_use]
    pub const fn delivered(&self) -> bool {
        self.rejected == 0 && self.dropped == 0
    }
}
