//! Gives each target its addresses, in the network namespace of the calling thread.

use std::{
    net::{IpAddr, SocketAddr, SocketAddrV6},
    time::Duration,
};

use ::config::{
    echo::Echo,
    target_spec::{Host, TargetSpec},
};
use engine::names::{Names, NamesBuilder};
use model::{errno::NameError, target::Target};
use tracing::warn;

use crate::names::{self, Choice, NameWatch, Watched};

/// Why the targets have no addresses.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResolveError {
    /// The network interface of a link-local address.
    #[error(
        "target {:?}: there is no network interface {}; 'ip link' lists them",
        Echo(name),
        Echo(zone)
    )]
    Zone {
        /// As written.
        name: String,
        /// The part after `%`.
        zone: String,
    },
}

/// The targets of a run, with their addresses.
pub(crate) struct Resolved {
    pub(crate) names: Names,
    /// The intervals of targets that have one of their own, by target; empty if no target has.
    pub(crate) intervals: Box<[Option<Duration>]>,
    /// Keeps the addresses of names up to date; `None` if there is no name.
    pub(crate) watch: Option<NameWatch>,
}

/// Looks all names up, and makes a target of each address. A name that does not resolve is a target without
/// an address. `interval` is that of a target without one of its own.
///
/// Consumes the targets: there may be 100,000, and the run does not need them as written.
///
/// # Errors
/// An address needs a network interface that this host does not have.
pub(crate) fn resolve(
    specs: Vec<TargetSpec>,
    choice: Choice,
    interval: Duration,
    patience: Duration,
) -> Result<Resolved, ResolveError> {
    let watched: Vec<Watched> = specs
        .iter()
        .filter_map(|spec| match &spec.host {
            Host::Name(host) => {
                let interval = spec.interval.unwrap_or(interval);
                Some(Watched { host: host.clone(), interval })
            }
            Host::Address { .. } => None,
        })
        .collect();
    let mut watch = match &*watched {
        [] => None,
        _ => names::start(watched, choice, patience)
            .inspect_err(|error| {
                warn!("cannot look names up: {error}; their probes are local errors");
            })
            .ok(),
    };
    let has_intervals = specs.iter().any(|spec| spec.interval.is_some());
    let (mut builder, mut intervals) = (NamesBuilder::default(), Vec::new());
    for spec in specs {
        let TargetSpec { name, host, port, interval } = spec;
        let added = match host {
            Host::Address { ip, zone } => {
                let address = scoped(&name, ip, port, zone.as_deref())?;
                builder.literal(Target { name, host: ip.to_string(), address });
                1
            }
            Host::Name(host) => {
                let target = Target { name, host, address: ([0, 0, 0, 0], port).into() };
                let failed = Err(NameError::Failed.errno());
                let answer = watch.as_ref().map_or(failed, |watch| watch.answer(&target.host));
                let (number, added) = builder.name(&target, answer);
                if let Some(watch) = &mut watch {
                    watch.follow(&target.host, number);
                }
                added
            }
        };
        if has_intervals {
            intervals.extend(std::iter::repeat_n(interval, added));
        }
    }
    Ok(Resolved { names: builder.build(), intervals: intervals.into(), watch })
}

/// The index of a network interface, in the network namespace of the calling thread.
pub(crate) fn interface_index(name: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(name).ok()
}

fn scoped(
    name: &str,
    ip: IpAddr,
    port: u16,
    zone: Option<&str>,
) -> Result<SocketAddr, ResolveError> {
    match (ip, zone) {
        (IpAddr::V6(ip), Some(zone)) => {
            // An interface may have a number for a name.
            let index = interface_index(zone)
                .or_else(|| zone.parse().ok().filter(|index| *index != 0 && has_interface(*index)));
            let unknown = || ResolveError::Zone { name: name.to_owned(), zone: zone.to_owned() };
            Ok(SocketAddrV6::new(ip, port, 0, index.ok_or_else(unknown)?).into())
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => Ok(SocketAddr::new(ip, port)),
    }
}

/// Whether an interface has this index.
fn has_interface(index: u32) -> bool {
    nix::net::if_::if_indextoname(index).is_ok_and(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
