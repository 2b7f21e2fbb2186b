//! Looks a name up: in `/etc/hosts`, or with the name servers of `/etc/resolv.conf`.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr},
    os::unix::fs::MetadataExt,
    sync::Arc,
    time::Duration,
};

use hickory_resolver::{
    TokioResolver,
    config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts},
    net::{DnsError, NetError, NoRecords, runtime::TokioRuntimeProvider},
    proto::{
        op::ResponseCode,
        rr::{Name, RecordType},
    },
    system_conf::parse_resolv_conf,
};
use model::errno::NameError;

use super::{Families, hosts::Hosts, search::Search};

const HOSTS: &str = "/etc/hosts";
const RESOLV_CONF: &str = "/etc/resolv.conf";

/// How long an address from `/etc/hosts` is valid: the file may be edited at any time.
const HOSTS_VALID: Duration = Duration::from_secs(10);

/// The longest lookup. Within this time, all servers of the usual `/etc/resolv.conf` were asked.
const LONGEST_LOOKUP: Duration = Duration::from_secs(15);

/// The addresses of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) addresses: Vec<IpAddr>,
    /// For how long the name servers allow to use them.
    pub(super) valid: Duration,
    /// A family that could not be looked up now: the name may have more addresses of it.
    pub(super) missing: Option<Families>,
}

/// Why there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotFound {
    pub(super) error: NameError,
    /// In words.
    pub(super) reason: String,
}

impl NotFound {
    /// Whether the name servers know that there is no address, rather than not knowing one.
    pub(super) const fn is_certain(&self) -> bool {
        match self.error {
            NameError::NoName | NameError::NoAddress => true,
            NameError::NoAnswer | NameError::Failed => false,
        }
    }

    fn new(error: NameError, reason: impl Into<String>) -> Self {
        Self { error, reason: reason.into() }
    }
}

/// The client, as the files configure it.
pub(super) struct Dns {
    hosts: Hosts,
    search: Search,
    /// Or why no name server can be asked.
    resolver: Result<TokioResolver, String>,
    files: [Stamp; 2],
}

/// Shows whether a file has changed.
type Stamp = Option<(u64, u64, i64, i64)>;

impl Dns {
    /// Reads the files.
    pub(super) fn read() -> Arc<Self> {
        let files = stamps();
        let hosts = Hosts::parse(&String::from_utf8_lossy(&fs::read(HOSTS).unwrap_or_default()));
        let (search, resolver) = match configuration() {
            Ok((search, config, options)) => {
                let provider = TokioRuntimeProvider::default();
                let builder = TokioResolver::builder_with_config(config, provider);
                let built = builder.with_options(options).build();
                (search, built.map_err(|error| error.to_string()))
            }
            Err(reason) => (Search::default(), Err(reason)),
        };
        Arc::new(Self { hosts, search, resolver, files })
    }

    /// Whether one of the files has changed since.
    pub(super) fn is_outdated(&self) -> bool {
        self.files != stamps()
    }

    /// Looks a name up.
    ///
    /// # Errors
    /// It has no address, or none is known.
    pub(super) async fn look_up(
        self: Arc<Self>,
        name: String,
        families: Families,
    ) -> Result<Found, NotFound> {
        if let Some(addresses) = self.hosts.get(&name) {
            return Ok(Found { addresses, valid: HOSTS_VALID, missing: None });
        }
        let resolver = self
            .resolver
            .as_ref()
            .map_err(|reason| NotFound::new(NameError::Failed, reason.clone()))?;
        let lookup = self.ask(resolver, &name, families);
        tokio::time::timeout(LONGEST_LOOKUP, lookup).await.unwrap_or_else(|_| Err(no_answer()))
    }

    async fn ask(
        &self,
        resolver: &TokioResolver,
        name: &str,
        families: Families,
    ) -> Result<Found, NotFound> {
        let mut error = NotFound::new(NameError::NoName, "there is no such name");
        for candidate in self.search.candidates(name) {
            let (v4, v6) = tokio::join!(
                query(resolver, &candidate, RecordType::A, families != Families::V6),
                query(resolver, &candidate, RecordType::AAAA, families != Families::V4),
            );
            match combine(v4, v6) {
                Ok(found) => return Ok(found),
                // The other candidates would have to wait for the same servers.
                Err(not) if not.error == NameError::NoAnswer => return Err(not),
                // As the C library does: another candidate may exist, but if none does, it is not certain
                // that this one does not.
                Err(not) if not.error == NameError::Failed => error = not,
                Err(not) if not.error == NameError::NoAddress && error.is_certain() => error = not,
                Err(_) => {}
            }
        }
        Err(error)
    }
}

/// Asks for the records of one type; no records and no question if they are not wanted.
async fn query(
    resolver: &TokioResolver,
    name: &str,
    kind: RecordType,
    wanted: bool,
) -> Result<(Vec<IpAddr>, Duration), NotFound> {
    if !wanted {
        return Ok((Vec::new(), Duration::MAX));
    }
    let name = Name::from_ascii(name)
        .map_err(|error| NotFound::new(NameError::NoName, error.to_string()))?;
    let lookup = resolver.lookup(name, kind).await.map_err(|error| not_found(&error))?;
    // Aliases count: a failover may change an alias with a short lifetime.
    let valid = lookup.answers().iter().map(|record| record.ttl).min().unwrap_or_default();
    let addresses = lookup.answers().iter().filter_map(|record| record.data.ip_addr()).collect();
    Ok((addresses, Duration::from_secs(valid.into())))
}

type Part = Result<(Vec<IpAddr>, Duration), NotFound>;

/// One answer from those for the two families.
fn combine(v4: Part, v6: Part) -> Result<Found, NotFound> {
    let unknown = |part: &Part| part.as_ref().is_err_and(|not| !not.is_certain());
    let missing = match (unknown(&v4), unknown(&v6)) {
        (true, _) => Some(Families::V4),
        (_, true) => Some(Families::V6),
        (false, false) => None,
    };
    let (mut addresses, mut valid, mut error) = (Vec::new(), Duration::MAX, None);
    for part in [v4, v6] {
        match part {
            Ok((ips, valid_for)) => {
                addresses.extend(ips);
                valid = valid.min(valid_for);
            }
            Err(not) if error.as_ref().is_none_or(NotFound::is_certain) => error = Some(not),
            Err(_) => {}
        }
    }
    if addresses.is_empty() {
        let nothing = || NotFound::new(NameError::NoAddress, "it has no address");
        return Err(error.unwrap_or_else(nothing));
    }
    Ok(Found { addresses, valid, missing })
}

fn no_answer() -> NotFound {
    NotFound::new(NameError::NoAnswer, "no answer from the name servers")
}

fn not_found(error: &NetError) -> NotFound {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NXDomain,
            ..
        })) => NotFound::new(NameError::NoName, "there is no such name"),
        NetError::Dns(DnsError::NoRecordsFound(NoRecords {
            response_code: ResponseCode::NoError,
            ..
        })) => NotFound::new(NameError::NoAddress, "it has no address"),
        NetError::Dns(DnsError::NoRecordsFound(NoRecords { response_code: code, .. }))
        | NetError::Dns(DnsError::ResponseCode(code)) => {
            NotFound::new(NameError::Failed, format!("the name server answered: {code}"))
        }
        NetError::Timeout => no_answer(),
        NetError::Io(error) => {
            NotFound::new(NameError::NoAnswer, format!("cannot ask the name servers: {error}"))
        }
        other => NotFound::new(NameError::NoAnswer, format!("no answer: {other}")),
    }
}

/// What `/etc/resolv.conf` says.
fn configuration() -> Result<(Search, ResolverConfig, ResolverOpts), String> {
    let text = fs::read(RESOLV_CONF).unwrap_or_default();
    // Without a server, the C library asks this host. The line before the file's own options changes none
    // of them.
    let has_server = String::from_utf8_lossy(&text)
        .lines()
        .any(|line| line.split_whitespace().next() == Some("nameserver"));
    let local = format!("nameserver {}\n", Ipv4Addr::LOCALHOST).into_bytes();
    let text = if has_server { text } else { [local, text].concat() };
    let (config, mut options) =
        parse_resolv_conf(&text).map_err(|error| format!("{RESOLV_CONF}: {error}"))?;
    let plain = |name: &Name| name.to_ascii().trim_end_matches('.').to_owned();
    let mut domains: Vec<String> = config.search().iter().map(plain).collect();
    if domains.is_empty() {
        domains.extend(config.domain().map(plain));
    }
    domains.retain(|domain| !domain.is_empty());
    let search = Search { domains, ndots: options.ndots };
    // Every answer is asked for because the last one has grown old.
    options.cache_size = 0;
    options.preserve_intermediates = true;
    options.use_hosts_file = ResolveHosts::Never;
    let servers: Vec<NameServerConfig> = config.name_servers().to_vec();
    Ok((search, ResolverConfig::from_name_servers(servers), options))
}

fn stamps() -> [Stamp; 2] {
    [HOSTS, RESOLV_CONF].map(|path| {
        fs::metadata(path)
            .ok()
            .map(|file| (file.ino(), file.size(), file.mtime(), file.mtime_nsec()))
    })
}

#[cfg(test)]
mod tests;
