//! What on the probing host may have kept a SYN or its answer back, where no hook shows it.

use crate::packet_drop::InterfaceName;

/// Which SYNs of the host ask for ECN (RFC 3168): a device on the path may drop these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ecn {
    /// None, as far as its setting says (`net.ipv4.tcp_ecn`).
    #[default]
    No,
    /// The first one of a connection (`net.ipv4.tcp_ecn_fallback`).
    FirstSyn,
    /// Every one.
    EverySyn,
}

/// What was found. Looked for only if a probe's SYN got no answer or was sent again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostClues {
    /// Which SYNs ask for ECN.
    pub ecn: Ecn,
    /// An interface that an XDP program is attached to: no hook shows what that drops. Empty if there is none.
    pub xdp: InterfaceName,
    /// The probe was bound to the loopback interface, and its target is not this host.
    pub is_bound_to_loopback: bool,
}
