//! The answer for a name, for those who follow names without a schedule.

use std::{net::IpAddr, sync::atomic::Ordering};

use super::{NO_NAME, Names, Unresolved};

impl Names {
    /// Counts the changes of the answer for a name; 0 for a name that there is not.
    #[must_use]
    pub fn version_of(&self, name: usize) -> u32 {
        u32::try_from(name).map_or(0, |name| self.version(name))
    }

    /// The addresses that a name has now, or why it has none; and the version of that.
    pub fn answer(&self, name: usize) -> (u32, Result<Vec<IpAddr>, Unresolved>) {
        let (version, current) = self.current(u32::try_from(name).unwrap_or(NO_NAME));
        let targets = current.iter().filter_map(|id| self.targets.get(id.0 as usize));
        let ips: Vec<IpAddr> =
            targets.filter(|target| target.is_resolved()).map(|t| t.address.ip()).collect();
        let reason = self.names.get(name).map_or(0, |name| name.reason.load(Ordering::Relaxed));
        (version, if ips.is_empty() { Err(reason) } else { Ok(ips) })
    }
}
