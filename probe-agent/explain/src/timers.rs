//! Timers of TCP, in nanoseconds, and how much later than due they may show.

/// The first SYN-ACK retransmit comes this long after the SYN-ACK; each further interval is twice as
/// long (`TCP_TIMEOUT_INIT`, `reqsk_timer_handler`; RFC 6298, sections 2.1 and 5.5).
pub const SYNACK_TIMER: u64 = 1_000_000_000;

/// How late a SYN-ACK retransmit, and the RST that answers it, may be seen after the timer is due: the
/// granularity of the timer wheel, a busy server, and one round trip.
pub(crate) const SYNACK_SLACK: u64 = 250_000_000;

/// A settle window from this length on makes silence conclusive: a server that did not get the RST
/// would have retransmitted its SYN-ACK after [`SYNACK_TIMER`].
pub(crate) const CONCLUSIVE_WINDOW: u64 = SYNACK_TIMER + 100_000_000;

/// Before this much time has passed, no timer of a SYN or SYN-ACK has expired: both start at 1 s
/// (RFC 6298, section 2.1; `TCP_TIMEOUT_INIT`). An earlier SYN retransmit was caused by an answer.
pub(crate) const TIMER_MIN: u64 = 900_000_000;

/// After this much time, the timer of a SYN has expired: it starts at 1 s (`TCP_TIMEOUT_INIT`).
pub(crate) const SYN_TIMER_EXPIRED: u64 = 1_300_000_000;
