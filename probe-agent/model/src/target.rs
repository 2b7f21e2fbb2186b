//! Targets of probes.

use std::{
    collections::BTreeSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::{Arc, Mutex, PoisonError},
};

use crate::append_list::AppendList;

/// The index of a target in the run's list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TargetId(pub u32);

/// An address and port to probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// As the user wrote it, e.g. `db.example:5432`.
    pub name: String,
    /// The host part of the name, e.g. `db.example` (`server.address`).
    pub host: String,
    /// Where the SYN goes. An IPv4-mapped IPv6 address is kept as such: its socket is `AF_INET6`. The
    /// unspecified address stands for a name that does not resolve.
    pub address: SocketAddr,
}

impl Target {
    /// A target without a name.
    #[must_use]
    pub fn at(address: SocketAddr) -> Self {
        Self { name: address.to_string(), host: address.ip().to_string(), address }
    }

    /// The same target at an address.
    #[must_use]
    pub fn with_ip(&self, ip: IpAddr) -> Self {
        Self { address: SocketAddr::new(ip, self.address.port()), ..self.clone() }
    }

    /// The same target without an address: its name does not resolve.
    #[must_use]
    pub fn unresolved(&self) -> Self {
        self.with_ip(IpAddr::V4(Ipv4Addr::UNSPECIFIED))
    }

    /// Whether the target has an address. No target can have the unspecified one.
    #[must_use]
    pub fn is_resolved(&self) -> bool {
        !self.address.ip().is_unspecified()
    }

    /// The address in words: `unresolved` if there is none.
    #[must_use]
    pub fn address_text(&self) -> String {
        if self.is_resolved() { self.address.to_string() } else { "unresolved".to_owned() }
    }

    /// `ipv4` or `ipv6`, as on the wire (`network.type`).
    #[must_use]
    pub fn network_type(&self) -> &'static str {
        if self.address.ip().to_canonical().is_ipv4() { "ipv4" } else { "ipv6" }
    }
}

/// The targets of a run, by [`TargetId`]. Clones share one list. It grows when a name gets a new address.
#[derive(Clone, Debug)]
pub struct Targets(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    list: AppendList<Target>,
    retired: Mutex<BTreeSet<TargetId>>,
}

impl Targets {
    /// The targets that are not probed any more, because their name has other addresses now.
    #[must_use]
    pub fn retired(&self) -> BTreeSet<TargetId> {
        self.0.retired.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The name of a target has, or no longer has, its address.
    pub fn retire(&self, target: TargetId, is_retired: bool) {
        let mut retired = self.0.retired.lock().unwrap_or_else(PoisonError::into_inner);
        if is_retired {
            retired.insert(target);
        } else {
            retired.remove(&target);
        }
    }
}

impl Deref for Targets {
    type Target = AppendList<Target>;

    fn deref(&self) -> &AppendList<Target> {
        &self.0.list
    }
}

impl FromIterator<Target> for Targets {
    fn from_iter<I: IntoIterator<Item = Target>>(targets: I) -> Self {
        let (list, retired) = (targets.into_iter().collect(), Mutex::default());
        Self(Arc::new(Shared { list, retired }))
    }
}

impl From<Vec<Target>> for Targets {
    fn from(targets: Vec<Target>) -> Self {
        targets.into_iter().collect()
    }
}

impl<const N: usize> From<[Target; N]> for Targets {
    fn from(targets: [Target; N]) -> Self {
        targets.into_iter().collect()
    }
}

impl Default for Targets {
    fn default() -> Self {
        [].into()
    }
}
