//! The probes of one slot that have ended and are not settled.
//!
//! A slot that probes one target has few of them, and a scan is the fastest way to find one. A slot that
//! probes many targets goes on to the next without waiting, and may have thousands: the older ones are found
//! by their target.

use std::{
    collections::{HashMap, VecDeque},
    net::SocketAddr,
};

use foldhash::fast::RandomState;
use model::{
    flow::{FlowKey, address_bytes},
    record::Closing,
};

/// How many of the newest probes are scanned.
const SCANNED: usize = 8;

/// The target's end of a flow, as the kernel's events and the correlator name it: without a zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Remote([u8; 16], u16);

impl From<SocketAddr> for Remote {
    fn from(address: SocketAddr) -> Self {
        Self(address_bytes(address.ip()), address.port())
    }
}

impl From<&FlowKey> for Remote {
    fn from(flow: &FlowKey) -> Self {
        Self(flow.remote, flow.remote_port)
    }
}

/// A probe that has ended and is not settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnsettledProbe {
    pub(super) remote: Remote,
    pub(super) generation: u32,
    pub(super) closing: Closing,
}

/// Those towards one target, oldest first.
type OfTarget = VecDeque<(u32, Closing)>;

/// The unsettled probes of one slot.
#[derive(Debug, Default)]
pub(super) struct UnsettledProbes {
    /// The newest of them, oldest first.
    newest: VecDeque<UnsettledProbe>,
    /// All others. Most slots have none.
    #[expect(
        clippy::box_collection,
        reason = "the slots are read for each probe: they stay small"
    )]
    older: Option<Box<HashMap<Remote, OfTarget, RandomState>>>,
}

impl UnsettledProbes {
    /// Adds a probe that has just ended.
    pub(super) fn push(&mut self, probe: UnsettledProbe) {
        self.newest.push_back(probe);
        if self.newest.len() > SCANNED
            && let Some(old) = self.newest.pop_front()
        {
            let older = self.older.get_or_insert_default();
            older.entry(old.remote).or_default().push_back((old.generation, old.closing));
        }
    }

    /// Removes a probe that is settled, and the earlier probes that it supersedes: they no longer matter to
    /// the next one. If the kernel closed the settled one, it left nothing at the server, and they may
    /// have; so they stay.
    pub(super) fn remove(&mut self, remote: Remote, generation: u32) {
        let Some(at) = self.newest.iter().position(|probe| probe.generation == generation) else {
            return self.remove_older(remote, generation);
        };
        let Some(settled) = self.newest.remove(at) else { return };
        if settled.closing.may_leave_connection() {
            if at > 0 {
                self.newest.retain(|other| other.remote != remote || other.generation > generation);
            }
            if let Some(older) = &mut self.older {
                older.remove(&remote);
            }
        }
    }

    fn remove_older(&mut self, remote: Remote, generation: u32) {
        let Some(older) = &mut self.older else { return };
        let Some(of_target) = older.get_mut(&remote) else { return };
        let Some(at) = of_target.iter().position(|(other, _)| *other == generation) else { return };
        if of_target.remove(at).is_some_and(|(_, closing)| closing.may_leave_connection()) {
            of_target.drain(..at);
        }
        if of_target.is_empty() {
            older.remove(&remote);
        }
    }

    /// Removes all probes.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Whether there are none.
    pub(super) fn is_empty(&self) -> bool {
        self.newest.is_empty() && self.older.as_ref().is_none_or(|older| older.is_empty())
    }

    /// How the newest probe towards a target was closed.
    pub(super) fn last_closing(&self, remote: Remote) -> Option<Closing> {
        let newest = self.newest.iter().rev().find(|probe| probe.remote == remote);
        let older = || Some(self.older.as_ref()?.get(&remote)?.back()?.1);
        newest.map(|probe| probe.closing).or_else(older)
    }
}

#[cfg(test)]
mod tests {
    use model::record::Closing;

    use super::{Remote, SCANNED, UnsettledProbe, UnsettledProbes};

    const TARGETS: u32 = 5 * SCANNED as u32;

    fn remote(target: u32) -> Remote {
        Remote([0; 16], u16::try_from(target).unwrap())
    }

    /// One probe of each target.
    fn one_each(closing: Closing) -> UnsettledProbes {
        let mut probes = UnsettledProbes::default();
        for n in 0..TARGETS {
            probes.push(UnsettledProbe { remote: remote(n), generation: n, closing });
        }
        probes
    }

    #[test]
    fn each_of_many_targets_is_known_until_its_own_probe_is_settled() {
        let mut probes = one_each(Closing::Reset);
        assert!((0..TARGETS).all(|n| probes.last_closing(remote(n)) == Some(Closing::Reset)));
        for settled in 0..TARGETS {
            probes.remove(remote(settled), settled);
            let known = (0..TARGETS).filter(|n| probes.last_closing(remote(*n)).is_some());
            assert_eq!(known.collect::<Vec<_>>(), (settled + 1..TARGETS).collect::<Vec<_>>());
        }
        assert!(probes.is_empty());
    }

    #[test]
    fn old_probes_are_superseded_unless_the_kernel_closed_the_newer_one() {
        for (closing, rest) in [(Closing::Reset, None), (Closing::ByKernel, Some(Closing::Silent))]
        {
            for others in [0, TARGETS] {
                // The first is among the older ones; so is the second, if others follow.
                let mut probes = one_each(Closing::Silent);
                let second = UnsettledProbe { remote: remote(0), generation: TARGETS, closing };
                probes.push(second);
                for n in 0..others {
                    let (remote, generation) = (remote(TARGETS + n), TARGETS + 1 + n);
                    probes.push(UnsettledProbe { remote, generation, closing });
                }
                assert_eq!(probes.last_closing(remote(0)), Some(closing));
                probes.remove(remote(0), TARGETS);
                assert_eq!(probes.last_closing(remote(0)), rest, "{closing:?}, {others} others");
            }
        }
    }
}
