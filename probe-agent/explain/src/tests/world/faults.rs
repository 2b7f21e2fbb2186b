//! What goes wrong in a world.

/// Faults, in percent.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::tests) struct Faults {
    /// Of SYNs.
    pub(in crate::tests) syn: u64,
    /// Of SYN-ACKs and challenge ACKs.
    pub(in crate::tests) syn_ack: u64,
    /// Of the RSTs of closes.
    pub(in crate::tests) first_rst: u64,
    /// Of all other RSTs.
    pub(in crate::tests) recovery_rst: u64,
    /// Of events, between hook and reader.
    pub(in crate::tests) event: u64,
    /// Of the segments lost, those that this host drops, which a hook sees.
    pub(in crate::tests) drop_here: u64,
    /// Of the others, those that another network namespace of this host drops, which a hook sees.
    pub(in crate::tests) drop_there: u64,
    /// Of the SYNs that meet no connection, those that are refused.
    pub(in crate::tests) refusal: u64,
    /// Of the others, those that the server accepts and then resets.
    pub(in crate::tests) target_reset: u64,
    /// Of the others, those that a proxy answers, with a window of 0.
    pub(in crate::tests) no_window: u64,
    /// Of probes, those whose port another program has left a connection on.
    pub(in crate::tests) foreign: u64,
    /// Of SYN retransmits, those that reach another server.
    pub(in crate::tests) other_server: u64,
    /// Of probes, those beside which other connections on the same addresses and ports speak.
    pub(in crate::tests) noise: u64,
    /// The server is on this host: its SYN-ACK retransmits are seen.
    pub(in crate::tests) is_local: bool,
}
