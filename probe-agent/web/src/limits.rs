//! The bounds of every request.

use std::time::Duration;

/// What a client may cost. The most memory that clients can make the agent hold is that of `connections` heads and
/// chunks of an answer: some 20 MiB with the default values, beside at most 256 KiB for each in the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Connections at the same time. One more takes the place of the one that has been idle for longest; if all
    /// are busy, it is refused.
    pub connections: usize,
    /// Bytes of a request's head. hyper accepts no less than 8 KiB.
    pub head: usize,
    /// Header fields of a request.
    pub headers: usize,
    /// The time for a head, TLS handshake included; also the longest that a connection stays idle.
    pub head_time: Duration,
    /// How long a client may leave an answer unread.
    pub write_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 128,
            head: 16 << 10,
            headers: 64,
            head_time: Duration::from_secs(10),
            write_time: Duration::from_secs(10),
        }
    }
}

/// The least that hyper takes as the size of its buffer.
pub(crate) const LEAST_HEAD: usize = 8192;

/// What the kernel holds of an answer that a client does not read.
pub(crate) const SEND_BUFFER: usize = 256 << 10;
