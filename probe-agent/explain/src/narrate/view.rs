//! The claims of a verdict, as the words need them.

use std::net::SocketAddr;

use model::claim::{Act, Assumption, Basis, Claim, Party};
use model::packet_drop::PacketDrop;

/// The claims of one verdict, or of all verdicts of a probe.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    /// The claims.
    pub(super) claims: &'a [Claim],
    /// Whose probe it is: where the SYN went.
    pub(super) target: SocketAddr,
    /// The port that it left from.
    pub(super) local_port: u16,
}

impl<'a> View<'a> {
    /// The first claim that `read` makes something of.
    pub(super) fn find<T>(self, read: impl Fn(&'a Claim) -> Option<T>) -> Option<T> {
        self.claims.iter().find_map(read)
    }

    /// The first claim of such an act.
    pub(super) fn claim(self, is_wanted: impl Fn(&Act) -> bool) -> Option<&'a Claim> {
        self.claims.iter().find(|claim| is_wanted(&claim.act))
    }

    /// Whether any claim has such an act.
    pub(super) fn has(self, is_wanted: impl Fn(&Act) -> bool) -> bool {
        self.claim(is_wanted).is_some()
    }

    /// How long after the SYN the target's SYN-ACK came.
    pub(super) fn answered(self) -> Option<u64> {
        self.find(|claim| match (claim.party, claim.act) {
            (Party::Target(_), Act::Answered { after }) => Some(after),
            _ => None,
        })
    }

    /// The first drop that is wanted, with its party and how many like it there were.
    pub(super) fn dropped(
        self,
        is_wanted: impl Fn(&PacketDrop) -> bool,
    ) -> Option<(Party, PacketDrop, usize)> {
        self.find(|claim| match claim.act {
            Act::Dropped { packet, times } if is_wanted(&packet) => {
                Some((claim.party, packet, times))
            }
            _ => None,
        })
    }

    /// The other port of ours that an address translation gave the same port.
    pub(super) fn shared_port(self) -> Option<u16> {
        self.find(|claim| match claim.act {
            Act::SharedPort { other } => Some(other),
            _ => None,
        })
    }

    /// The drop of the RST of the close.
    pub(super) fn dropped_close(self) -> Option<PacketDrop> {
        self.find(|claim| match claim.act {
            Act::DroppedClose { packet } => Some(packet),
            _ => None,
        })
    }

    /// The first drop of a RST of ours.
    pub(super) fn dropped_rst(self) -> Option<PacketDrop> {
        let is_rst = |packet: &PacketDrop| packet.outgoing && packet.segment.flags.is_rst();
        self.dropped_close().or_else(|| self.dropped(is_rst).map(|(_, packet, _)| packet))
    }
}

/// The address of the target that a claim is about.
pub(super) const fn address(claim: &Claim) -> Option<SocketAddr> {
    match claim.party {
        Party::Target(address) | Party::OtherClient(address) | Party::Other(address) => {
            Some(address)
        }
        Party::Agent
        | Party::ThisHost
        | Party::OtherNetns
        | Party::SomeNetns
        | Party::TargetHost(_)
        | Party::Router(_)
        | Party::Unknown => None,
    }
}

/// Whether something shows the claim, or it follows without a reservation.
pub(super) const fn is_certain(claim: &Claim) -> bool {
    match &claim.basis {
        Basis::Seen(_) => true,
        Basis::Concluded { given, .. } => !matches!(given, Some(Assumption::NotShown(_))),
    }
}
