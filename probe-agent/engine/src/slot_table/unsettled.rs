//! The probes of one slot that have ended and are not settled.

use std::{collections::VecDeque, net::SocketAddr};

use model::record::Closing;

/// A probe that has ended and is not settled.
#[derive(Clone, Copy, Debug)]
pub(super) struct UnsettledProbe {
    pub(super) remote: SocketAddr,
    pub(super) generation: u32,
    pub(super) closing: Closing,
}

/// The unsettled probes of one slot, oldest first.
#[derive(Debug, Default)]
pub(super) struct UnsettledProbes(VecDeque<UnsettledProbe>);

impl UnsettledProbes {
    /// Adds a probe that has just ended.
    pub(super) fn push(&mut self, probe: UnsettledProbe) {
        self.0.push_back(probe);
    }

    /// Removes a probe that is settled, and the earlier probes that it supersedes.
    pub(super) fn remove(&mut self, generation: u32) {
        let Some(at) = self.0.iter().position(|probe| probe.generation == generation) else {
            return;
        };
        let Some(settled) = self.0.remove(at) else { return };
        // Earlier probes on the 4-tuple no longer matter to the next one, unless the kernel closed this
        // one: then it left nothing at the server, and they may have.
        if at > 0 && settled.closing.may_leave_connection() {
            self.0.retain(|other| other.remote != settled.remote || other.generation > generation);
        }
    }

    /// Removes all probes.
    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// How the newest probe towards an address was closed.
    pub(super) fn last_closing(&self, remote: SocketAddr) -> Option<Closing> {
        self.0.iter().rev().find(|probe| probe.remote == remote).map(|probe| probe.closing)
    }
}
