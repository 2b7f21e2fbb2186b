//! Which addresses of an answer are probed.

use std::net::IpAddr;

use nix::ifaddrs::getifaddrs;

use super::{Families, Resolve, order};

/// What the flags say about the addresses of names.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Choice {
    /// `--resolve`.
    pub(crate) resolve: Resolve,
    /// `-4`, `-6` and the family of `--source`.
    pub(crate) families: Families,
    /// `--source`, for messages.
    pub(crate) source: Option<IpAddr>,
    /// Whether the sockets have an interface, which link-local addresses need.
    pub(crate) has_interface: bool,
}

impl Choice {
    /// The addresses to probe, of those that the name servers returned.
    ///
    /// # Errors
    /// Why none of them can be probed.
    pub(super) fn choose(&self, addresses: &[IpAddr]) -> Result<Vec<IpAddr>, String> {
        let in_family: Vec<IpAddr> =
            addresses.iter().copied().filter(|ip| self.families.contain(*ip)).collect();
        let usable: Vec<IpAddr> =
            in_family.iter().copied().filter(|ip| self.is_usable(*ip)).collect();
        match (&*usable, &*in_family) {
            ([], []) => return Err(self.no_address()),
            ([], [first, ..]) => return Err(format!("its address {first} is not that of a host")),
            _ => {}
        }
        let mut chosen = match self.families {
            Families::Both => configured(usable, Configured::read()),
            Families::V4 | Families::V6 => usable,
        };
        order::sort(&mut chosen);
        if self.resolve == Resolve::First {
            chosen.truncate(1);
        }
        Ok(chosen)
    }

    /// The reason if a name has no address of the families.
    pub(super) fn no_address(&self) -> String {
        let family = self.families.adjective();
        match self.source {
            Some(source) => format!("it has no {family}address, which --source {source} needs"),
            None => format!("it has no {family}address"),
        }
    }

    /// Whether an address can be probed. Some name servers answer with `0.0.0.0` for a blocked name, and a
    /// connection to that address reaches this host.
    fn is_usable(&self, ip: IpAddr) -> bool {
        let needs_interface = match ip {
            IpAddr::V4(_) => false,
            IpAddr::V6(v6) => v6.is_unicast_link_local(),
        };
        engine::source_address::is_unicast(ip) && (self.has_interface || !needs_interface)
    }
}

/// The address families of this host's interfaces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Configured {
    /// IPv4 and IPv6 addresses, other than those of the loopback interface and link-local ones.
    beyond_host: [bool; 2],
    /// Any of these families.
    any: [bool; 2],
}

impl Configured {
    fn read() -> Self {
        let mut found = Self { beyond_host: [false; 2], any: [false; 2] };
        let Ok(interfaces) = getifaddrs() else {
            return Self { beyond_host: [true; 2], any: [true; 2] };
        };
        for address in interfaces.filter_map(|interface| interface.address) {
            if let Some(v4) = address.as_sockaddr_in() {
                found.any[0] = true;
                found.beyond_host[0] |= !v4.ip().is_loopback();
            }
            if let Some(v6) = address.as_sockaddr_in6() {
                found.any[1] = true;
                found.beyond_host[1] |= !v6.ip().is_loopback() && !v6.ip().is_unicast_link_local();
            }
        }
        found
    }
}

/// Leaves out a family that this host has no address of, as long as the name has an address of the other
/// one: most hosts without IPv6 look up names that have IPv6 addresses, too.
fn configured(addresses: Vec<IpAddr>, host: Configured) -> Vec<IpAddr> {
    let reachable = |ip: &IpAddr| {
        let is_loopback = ip.to_canonical().is_loopback();
        let has = if is_loopback { host.any } else { host.beyond_host };
        has[usize::from(Families::of(*ip) == Families::V6)]
    };
    let kept: Vec<IpAddr> = addresses.iter().copied().filter(reachable).collect();
    if kept.is_empty() { addresses } else { kept }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::{Choice, Configured, configured};
    use crate::names::{Families, Resolve};

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn addresses_of_no_host_are_left_out() {
        let choice = Choice { families: Families::V4, ..Choice::default() };
        assert_eq!(choice.choose(&ips(&["0.0.0.0", "10.0.0.1"])), Ok(ips(&["10.0.0.1"])));
        for (addresses, reason) in [
            (&["0.0.0.0"][..], "its address 0.0.0.0 is not that of a host"),
            (&["255.255.255.255"], "its address 255.255.255.255 is not that of a host"),
            (&["::1"], "it has no IPv4 address"),
            (&[], "it has no IPv4 address"),
        ] {
            assert_eq!(choice.choose(&ips(addresses)), Err(reason.to_owned()));
        }
        let source = "10.0.0.9".parse().ok();
        assert_eq!(
            Choice { source, ..choice }.choose(&[]),
            Err("it has no IPv4 address, which --source 10.0.0.9 needs".to_owned())
        );
        let link_local = Choice { families: Families::V6, ..Choice::default() };
        assert!(link_local.choose(&ips(&["fe80::1"])).is_err());
        assert!(Choice { has_interface: true, ..link_local }.choose(&ips(&["fe80::1"])).is_ok());
    }

    #[test]
    fn all_or_the_first() {
        let both = ips(&["127.0.0.1", "127.0.0.2"]);
        let choice = Choice { families: Families::V4, ..Choice::default() };
        assert_eq!(choice.choose(&both), Ok(both.clone()));
        let first = Choice { resolve: Resolve::First, ..choice };
        assert_eq!(first.choose(&both), Ok(ips(&["127.0.0.1"])));
    }

    #[test]
    fn a_family_that_this_host_lacks_is_left_out() {
        let only_v4 = Configured { beyond_host: [true, false], any: [true, true] };
        let both = ips(&["10.0.0.1", "2001:db8::1"]);
        assert_eq!(configured(both.clone(), only_v4), ips(&["10.0.0.1"]));
        assert_eq!(configured(ips(&["2001:db8::1"]), only_v4), ips(&["2001:db8::1"]));
        let all = Configured { beyond_host: [true; 2], any: [true; 2] };
        assert_eq!(configured(both.clone(), all), both);
        let loopback = ips(&["127.0.0.1", "::1"]);
        assert_eq!(configured(loopback.clone(), only_v4), loopback);
        let no_v6 = Configured { beyond_host: [true, false], any: [true, false] };
        assert_eq!(configured(loopback, no_v6), ips(&["127.0.0.1"]));
    }
}
