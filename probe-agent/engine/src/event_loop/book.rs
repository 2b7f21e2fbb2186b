//! The addresses that the engine probes: those of the run, and those of requests while they last.

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, SocketAddr},
    ops::{Index, IndexMut},
};

use slab::Slab;

use super::super::{requests::Request, settings::SocketSettings, source::Routes};
use model::record::ProbeRecord;
use model::target::{Target, TargetId};

/// Requests for so many hosts have their source addresses remembered; beyond, all are looked up
/// anew. One takes some 50 bytes.
const HOSTS: usize = 4096;

/// One address to probe.
pub(super) struct Entry {
    pub(super) address: SocketAddr,
    /// Source address, once it is known.
    pub(super) source: Option<IpAddr>,
    /// What asked for it; `None` for a target of the run. Boxed, because a run may have 100,000.
    pub(super) job: Option<Box<Job>>,
}

/// A request that was taken in.
pub(super) struct Job {
    pub(super) request: Request,
    /// When it ends, whatever happens; `None` until its first probe has started.
    pub(super) ends_at: Option<u64>,
    /// Its first probe, whose refusal a second one is to decide about.
    pub(super) first: Option<ProbeRecord>,
}

/// What is probed, by [`TargetId`].
#[derive(Default)]
pub(super) struct Book {
    entries: Slab<Entry>,
    /// Source address by host and interface, for requests.
    hosts: HashMap<(IpAddr, u32), IpAddr>,
}

impl Book {
    /// The targets of a run, each under its index.
    pub(super) fn new(targets: &[Target]) -> Self {
        let mut book = Self { entries: Slab::with_capacity(targets.len()), ..Self::default() };
        for target in targets {
            book.add(target.address, None);
        }
        book
    }

    /// Takes a request in.
    pub(super) fn enter(&mut self, request: Request) -> TargetId {
        self.add(request.address, Some(Box::new(Job { request, ends_at: None, first: None })))
    }

    fn add(&mut self, address: SocketAddr, job: Option<Box<Job>>) -> TargetId {
        let entry = Entry { address, source: None, job };
        TargetId(u32::try_from(self.entries.insert(entry)).unwrap_or(u32::MAX))
    }

    /// Strikes a request out.
    pub(super) fn leave(&mut self, target: TargetId) -> Option<Box<Job>> {
        self.entries.try_remove(target.0 as usize)?.job
    }

    /// The source address for a target, looked up once and again after each failure.
    pub(super) fn source(
        &mut self,
        target: TargetId,
        routes: &mut Routes,
        settings: &SocketSettings,
    ) -> io::Result<IpAddr> {
        let entry = &mut self.entries[target.0 as usize];
        if let Some(ip) = entry.source {
            return Ok(ip);
        }
        let host = host(entry.address);
        let known = entry.job.as_ref().and_then(|_| self.hosts.get(&host));
        let ip = match known {
            Some(ip) => *ip,
            None => routes.source(entry.address, settings)?,
        };
        if entry.job.is_some() {
            if self.hosts.len() >= HOSTS {
                self.hosts.clear();
            }
            self.hosts.insert(host, ip);
        }
        entry.source = Some(ip);
        Ok(ip)
    }

    /// A probe failed: the route, or the source address, may be another by the next time.
    pub(super) fn forget_source(&mut self, target: TargetId) {
        let entry = &mut self.entries[target.0 as usize];
        entry.source = None;
        if entry.job.is_some() {
            self.hosts.remove(&host(entry.address));
        }
    }
}

impl Index<TargetId> for Book {
    type Output = Entry;

    fn index(&self, target: TargetId) -> &Entry {
        &self.entries[target.0 as usize]
    }
}

impl IndexMut<TargetId> for Book {
    fn index_mut(&mut self, target: TargetId) -> &mut Entry {
        &mut self.entries[target.0 as usize]
    }
}

/// A host, and the interface that a link-local one is reached by.
fn host(address: SocketAddr) -> (IpAddr, u32) {
    match address {
        SocketAddr::V4(v4) => (IpAddr::V4(*v4.ip()), 0),
        SocketAddr::V6(v6) => (IpAddr::V6(*v6.ip()), v6.scope_id()),
    }
}
