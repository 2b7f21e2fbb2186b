//! What really happened in a world.

use std::collections::{BTreeMap, BTreeSet};

use super::Segment;
use model::packet_drop::DropPlace;

/// What became of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tests) enum Fate {
    /// It arrives at this time.
    Arrives(u64),
    /// It was lost; a hook saw the drop there and then.
    Lost(Option<(DropPlace, u64)>),
}

/// A segment that was sent.
#[derive(Clone, Copy, Debug)]
pub(in crate::tests) struct Sent {
    pub(in crate::tests) at: u64,
    pub(in crate::tests) segment: Segment,
    pub(in crate::tests) fate: Fate,
}

/// A half-open connection that a server held.
#[derive(Clone, Copy, Debug)]
pub(in crate::tests) struct HeldConnection {
    pub(in crate::tests) server: usize,
    pub(in crate::tests) of: u32,
    pub(in crate::tests) from: u64,
    pub(in crate::tests) until: u64,
}

#[derive(Debug, Default)]
pub(in crate::tests) struct Truth {
    /// First RSTs that did not arrive.
    pub(in crate::tests) lost: BTreeSet<u32>,
    /// When the RST would have reached the server.
    pub(in crate::tests) arrives: BTreeMap<u32, u64>,
    /// Those of them that the client could notice.
    pub(in crate::tests) shown: BTreeSet<u32>,
    /// Stale connections that were met while a second copy of a SYN-ACK was just as likely.
    pub(in crate::tests) ambiguous: BTreeSet<u32>,
    /// When an event was lost, and the probe whose socket took part in it.
    pub(in crate::tests) events_lost: Vec<(u64, Option<u32>)>,
    /// Every segment.
    pub(in crate::tests) sent: Vec<Sent>,
    /// Every connection that a server held.
    pub(in crate::tests) held: Vec<HeldConnection>,
    /// Probes that a proxy answered.
    pub(in crate::tests) proxied: BTreeSet<u32>,
}

impl Truth {
    /// The segments of a kind.
    pub(in crate::tests) fn segments(
        &self,
        is_wanted: impl Fn(&Segment) -> bool,
    ) -> impl Iterator<Item = &Sent> {
        self.sent.iter().filter(move |sent| is_wanted(&sent.segment))
    }

    /// Whether a server held a connection of a probe at a time.
    pub(in crate::tests) fn is_held(&self, server: usize, of: u32, at: u64) -> bool {
        let mut held = self.held.iter().filter(|held| held.of == of && held.server == server);
        held.any(|held| held.from <= at && at < held.until)
    }

    pub(super) fn hold(&mut self, server: usize, of: u32, from: u64) {
        self.held.push(HeldConnection { server, of, from, until: u64::MAX });
    }

    pub(super) fn release(&mut self, server: usize, at: u64) {
        let held = self.held.iter_mut().rev().find(|held| held.server == server);
        if let Some(held) = held.filter(|held| held.until == u64::MAX) {
            held.until = at;
        }
    }
}
