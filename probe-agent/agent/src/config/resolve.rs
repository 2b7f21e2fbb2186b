//! From host names to addresses, in the network namespace of the calling thread.
//!
//! `getaddrinfo` cannot be interrupted, so it runs in threads that are left behind when they do not
//! answer. A thread starts in the namespace of the one that made it: enter the run's namespace
//! first. Literal addresses never get near the resolver.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    io,
    net::{IpAddr, SocketAddr, SocketAddrV6, ToSocketAddrs},
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread,
    time::Duration,
};

use super::{
    ConfigError,
    target::{Host, TargetSpec},
};
use model::target::Target;

/// Lookups at the same time: enough to hide their latency, few enough for any resolver.
const THREADS: usize = 16;

/// Looks a host name up; the port is 0.
pub(crate) type Lookup = dyn Fn(&str) -> io::Result<Vec<IpAddr>> + Send + Sync;

/// The system's resolver.
///
/// # Errors
/// The name has no address, or nobody who knows could be asked.
pub(crate) fn system(host: &str) -> io::Result<Vec<IpAddr>> {
    Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
}

/// The index of the interface of `--interface`, in the network namespace of the calling thread.
///
/// # Errors
/// There is none of that name.
pub(crate) fn interface(name: &str) -> Result<u32, ConfigError> {
    nix::net::if_::if_nametoindex(name).map_err(|_| ConfigError::NoInterface(name.to_owned()))
}

/// Gives each target its address: the first one in the resolver's order, of the family of `source`
/// where one is given. `patience` is how long no lookup may answer. Takes the targets, because there
/// may be 100,000 and a run has no further use for them as they were written.
///
/// # Errors
/// The first target that has no address.
pub(crate) fn resolve(
    specs: Vec<TargetSpec>,
    source: Option<IpAddr>,
    patience: Duration,
    lookup: Arc<Lookup>,
) -> Result<Vec<Target>, ConfigError> {
    let found = look_up_all(&specs, patience, lookup);
    specs.into_iter().map(|spec| target(spec, source, patience, &found)).collect()
}

fn target(
    spec: TargetSpec,
    source: Option<IpAddr>,
    patience: Duration,
    found: &HashMap<String, Answer>,
) -> Result<Target, ConfigError> {
    let TargetSpec { name, host, port, .. } = spec;
    let failed = |host: &str, reason: String| ConfigError::Resolve {
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

/// Looks each name up once. A name that got no answer in time is not in the result.
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
    // Lookups that nobody waits for any more need not be started.
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
        format!("it has no {family} address, as --source {source} asks for")
    })
}

fn scoped(ip: IpAddr, port: u16, zone: Option<&str>) -> Result<SocketAddr, String> {
    match (ip, zone) {
        (IpAddr::V6(ip), Some(zone)) => {
            let index = match zone.parse::<u32>() {
                Ok(index) => index,
                Err(_) => {
                    interface(zone).map_err(|_| format!("there is no network interface {zone}"))?
                }
            };
            Ok(SocketAddrV6::new(ip, port, 0, index).into())
        }
        (IpAddr::V4(_) | IpAddr::V6(_), _) => Ok(SocketAddr::new(ip, port)),
    }
}

/// The resolver's words without what the standard library puts before them.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    text.strip_prefix("failed to lookup address information: ").map(str::to_owned).unwrap_or(text)
}

#[cfg(test)]
mod tests;
