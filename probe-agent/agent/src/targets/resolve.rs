//! Resolves host names to addresses, in the network namespace of the calling thread.
//!
//! `getaddrinfo` cannot be interrupted, so it runs in threads that are abandoned if they do not answer.
//! A thread starts in the namespace of the thread that made it: enter the run's namespace first. A
//! literal address never reaches the resolver.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    net::{IpAddr, SocketAddr, SocketAddrV6, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use model::target::Target;

use super::spec::{Host, TargetSpec};

/// Lookups at the same time: enough to hide their latency, few enough for any resolver.
const THREADS: usize = 16;

/// Why a target has no address.
#[derive(Debug, thiserror::Error)]
#[error("target {name:?}: cannot resolve {host}: {reason}")]
pub(crate) struct ResolveError {
    /// As written.
    name: String,
    /// The part that was looked up.
    host: String,
    reason: String,
}

/// Looks a host name up.
pub(crate) type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The system's resolver.
///
/// # Errors
/// The name has no address, or no server answered.
pub(crate) fn system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// The index of a network interface, in the network namespace of the calling thread.
pub(crate) fn interface_index(name: &str) -> Option<u32> {
    nix::net::if_::if_nametoindex(name).ok()
}

/// Gives each target its address: the first one in the resolver's order that has the family of
/// `source`, if there is a source. Gives up when no lookup has answered for `patience`.
///
/// Consumes the targets: there may be 100,000, and the run does not need them as written.
///
/// # Errors
/// The first target that has no address.
pub(crate) fn resolve(
    specs: Vec<TargetSpec>,
    source: Option<IpAddr>,
    patience: Duration,
    lookup: Arc<Lookup>,
) -> Result<Vec<Target>, ResolveError> {
    let found = look_up_all(&specs, patience, lookup);
    specs.into_iter().map(|spec| target(spec, source, patience, &found)).collect()
}

fn target(
    spec: TargetSpec,
    source: Option<IpAddr>,
    patience: Duration,
    found: &HashMap<String, Answer>,
) -> Result<Target, ResolveError> {
    let TargetSpec { name, host, port, .. } = spec;
    let failed = |host: &str, reason: String| ResolveError {
        name: name.clone(),
        host: host.to_owned(),
        reason,
    };
    let (host, address) = match host {
        Host::Address { ip, zone } => {
            let address = scoped(ip, port, zone.as_deref())
                .map_err(|reason| failed(&ip.to_string(), reason))?;
            (ip.to_string(), address)
        }
        Host::Name(host) => {
            let addresses = match found.get(&host) {
                Some(answer) => answer.as_ref().map_err(|e| failed(&host, e.clone()))?,
                None => {
                    let reason = format!("no answer from the resolver within {patience:?}");
                    return Err(failed(&host, reason));
                }
            };
            let ip = choose(addresses, source).map_err(|reason| failed(&host, reason))?;
            (host, SocketAddr::new(ip, port))
        }
    };
    Ok(Target { name, host, address })
}

type Answer = Result<Vec<IpAddr>, String>;

/// Looks each name up once. A name without an answer in time is not in the result.
fn look_up_all(
    specs: &[TargetSpec],
    patience: Duration,
    lookup: Arc<Lookup>,
) -> HashMap<String, Answer> {
    let mut known = HashSet::new();
    let mut names: Vec<String> = Vec::new();
    for spec in specs {
        if let Host::Name(name) = &spec.host
            && known.insert(name)
        {
            names.push(name.clone());
        }
    }
    let queue = Arc::new(Mutex::new((0..names.len()).collect::<VecDeque<usize>>()));
    let names = Arc::new(names);
    let (answers, inbox) = mpsc::channel();
    for _ in 0..names.len().min(THREADS) {
        let (queue, names) = (Arc::clone(&queue), Arc::clone(&names));
        let (lookup, answers) = (Arc::clone(&lookup), answers.clone());
        thread::spawn(move || {
            loop {
                let next = queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
                let Some(index) = next else { return };
                let answer = lookup(&names[index]).map_err(|error| reason(&error));
                if answers.send((index, answer)).is_err() {
                    return;
                }
            }
        });
    }
    drop(answers);
    let mut found = HashMap::new();
    while let Ok((index, answer)) = inbox.recv_timeout(patience) {
        found.insert(names[index].clone(), answer);
    }
    // Nobody waits for the lookups that have not started yet.
    queue.lock().unwrap_or_else(PoisonError::into_inner).clear();
    found
}

fn choose(addresses: &[IpAddr], source: Option<IpAddr>) -> Result<IpAddr, String> {
    let Some(source) = source else {
        return addresses.first().copied().ok_or_else(|| "it has no address".to_owned());
    };
    let ipv4 = source.to_canonical().is_ipv4();
    addresses.iter().copied().find(|ip| ip.to_canonical().is_ipv4() == ipv4).ok_or_else(|| {
        let family = if ipv4 { "IPv4" } else { "IPv6" };
        format!("it has no {family} address, which --source {source} needs")
    })
}

fn scoped(ip: IpAddr, port: u16, zone: Option<&str>) -> Result<SocketAddr, String> {
    match (ip, zone) {
        (IpAddr::V6(ip), Some(zone)) => {
            let index = match zone.parse::<u32>() {
                Ok(index) => index,
                Err(_) => interface_index(zone)
                    .ok_or_else(|| format!("there is no network interface {zone}"))?,
            };
            Ok(SocketAddrV6::new(ip, port, 0, index).into())
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => Ok(SocketAddr::new(ip, port)),
    }
}

/// The resolver's message without the standard library's prefix.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests;
