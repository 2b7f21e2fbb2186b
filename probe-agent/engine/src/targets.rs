//! The addresses that a worker probes, and the source address for each.

mod entries;

use std::{
    collections::HashMap,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use model::target::{TargetId, Targets};

use self::entries::Entries;
use crate::{settings::SocketSettings, source_address::RouteLookup};

/// The most hosts whose source addresses are cached for transient targets. One takes some 50 bytes.
const MAX_HOSTS: usize = 4096;

/// A host, and the scope of a link-local address.
type Host = (IpAddr, u32);

/// Targets, by [`TargetId`]. `J` is what their source of probes stores with each.
pub struct TargetTable<J> {
    entries: Entries<Entry<J>>,
    routes: RouteLookup,
    /// Source addresses by host: transient targets do not look up their route each time.
    hosts: Option<HashMap<Host, IpAddr>>,
}

struct Entry<J> {
    address: SocketAddr,
    source: Source,
    job: J,
}

/// The source address for a target.
#[derive(Clone, Copy, Debug)]
enum Source {
    /// To be looked up.
    Unknown,
    Known(IpAddr),
    /// The target has no address, so there is no route: the reason, as an errno.
    Unresolved(i32),
}

impl TargetTable<()> {
    /// A table of all targets of a run. None of them is ever removed.
    pub(crate) fn fixed(targets: &Targets) -> Self {
        let entries = Entries::numbered(targets.len());
        let mut table = Self { entries, routes: RouteLookup::default(), hosts: None };
        table.follow(targets);
        table
    }

    /// Adds the targets by which the list of the run has grown.
    pub(crate) fn follow(&mut self, targets: &Targets) {
        for target in targets.iter().skip(self.entries.len()) {
            self.insert(target.address, ());
        }
    }
}

impl<J> TargetTable<J> {
    /// An empty table for targets that are added and removed.
    pub(crate) fn transient() -> Self {
        let hosts = Some(HashMap::new());
        Self { entries: Entries::numbered(0), routes: RouteLookup::default(), hosts }
    }

    /// An empty table for targets that have their ids from elsewhere.
    pub(crate) fn named() -> Self {
        let hosts = Some(HashMap::new());
        Self { entries: Entries::named(), routes: RouteLookup::default(), hosts }
    }

    /// Adds a target.
    pub(crate) fn insert(&mut self, address: SocketAddr, job: J) -> TargetId {
        self.entries.add(Entry { address, source: Source::Unknown, job })
    }

    /// Adds a target with an id that the table does not have.
    pub(crate) fn insert_as(&mut self, target: TargetId, address: SocketAddr, job: J) {
        self.entries.add_as(target, Entry { address, source: Source::Unknown, job });
    }

    /// Removes a target.
    pub(crate) fn remove(&mut self, target: TargetId) -> Option<J> {
        self.entries.remove(target).map(|entry| entry.job)
    }

    /// What the source of probes stores with a target.
    pub(crate) fn job(&mut self, target: TargetId) -> Option<&mut J> {
        self.entries.get_mut(target).map(|entry| &mut entry.job)
    }

    /// Where the SYN goes. Nowhere, for a target that was removed: its probe fails on this host.
    pub(crate) fn address(&self, target: TargetId) -> SocketAddr {
        let nowhere = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);
        self.entries.get(target).map_or(nowhere, |entry| entry.address)
    }

    /// The source address for a target. It is looked up once, and again after each failure.
    ///
    /// # Errors
    /// If there is no route. `EINVAL` for a target that was removed.
    pub(crate) fn source(
        &mut self,
        target: TargetId,
        settings: &SocketSettings,
    ) -> io::Result<IpAddr> {
        let entry = self.entries.get_mut(target);
        let entry = entry.ok_or(io::Error::from_raw_os_error(libc::EINVAL))?;
        match entry.source {
            Source::Known(ip) => return Ok(ip),
            Source::Unresolved(errno) => return Err(io::Error::from_raw_os_error(errno)),
            Source::Unknown => {}
        }
        let host = host(entry.address);
        let cached = self.hosts.as_ref().and_then(|hosts| hosts.get(&host).copied());
        let ip = match cached {
            Some(ip) => ip,
            None => self.routes.source(entry.address, settings)?,
        };
        if let Some(hosts) = &mut self.hosts {
            if hosts.len() >= MAX_HOSTS {
                hosts.clear();
            }
            hosts.insert(host, ip);
        }
        entry.source = Source::Known(ip);
        Ok(ip)
    }

    /// Whether the table has a target.
    pub(crate) fn contains(&self, target: TargetId) -> bool {
        self.entries.get(target).is_some()
    }

    /// The next probe of a target has no address to go to, and fails with this errno.
    pub(crate) fn set_unresolved(&mut self, target: TargetId, errno: i32) {
        if let Some(entry) = self.entries.get_mut(target) {
            entry.source = Source::Unresolved(errno);
        }
    }

    /// A probe failed: the next one looks up the route again, because it or the source address may have
    /// changed.
    pub(crate) fn forget_source(&mut self, target: TargetId) {
        let Some(entry) = self.entries.get_mut(target) else { return };
        entry.source = Source::Unknown;
        if let Some(hosts) = &mut self.hosts {
            hosts.remove(&host(entry.address));
        }
    }

    /// Whether the source address for a target has been removed from this host.
    pub(crate) fn source_removed(
        &mut self,
        target: TargetId,
        settings: &SocketSettings,
        now: u64,
    ) -> bool {
        let Some(entry) = self.entries.get(target) else { return false };
        let ip = match entry.source {
            Source::Known(ip) => Some(ip),
            Source::Unknown | Source::Unresolved(_) => settings.source,
        };
        ip.is_some_and(|ip| self.routes.is_removed(ip, entry.address, settings, now))
    }
}

fn host(address: SocketAddr) -> Host {
    match address {
        SocketAddr::V4(v4) => (IpAddr::V4(*v4.ip()), 0),
        SocketAddr::V6(v6) => (IpAddr::V6(*v6.ip()), v6.scope_id()),
    }
}
