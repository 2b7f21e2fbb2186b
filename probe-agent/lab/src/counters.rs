//! The kernel's own counters of a namespace.

use std::collections::BTreeMap;
use std::fs;

use super::{LabError, Namespace, Result};

// /proc/net follows the main thread of the process; only /proc/thread-self/net follows the thread.
const FILES: [&str; 2] = ["/proc/thread-self/net/snmp", "/proc/thread-self/net/netstat"];

/// Counters of a namespace at one moment, in nstat's spelling: `TcpAttemptFails`,
/// `TcpExtEmbryonicRsts`, `TcpExtListenOverflows`. Source: /proc/net/snmp and /proc/net/netstat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counters(BTreeMap<String, i64>);

impl Counters {
    /// Reads the counters of the calling thread's namespace.
    ///
    /// # Errors
    /// [`LabError::Proc`] or [`LabError::ProcLine`] if /proc cannot be read or parsed.
    pub fn here() -> Result<Self> {
        let mut all = BTreeMap::new();
        for path in FILES {
            let text =
                fs::read_to_string(path).map_err(|source| LabError::Proc { path, source })?;
            all.extend(Self::parse(path, &text)?.0);
        }
        Ok(Self(all))
    }

    /// One counter, or `None` if this kernel does not have it.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<i64> {
        self.0.get(name).copied()
    }

    /// The counters that changed since `earlier`, and by how much.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> BTreeMap<String, i64> {
        let moved = |(name, value): (&String, &i64)| {
            let by = value - earlier.get(name).unwrap_or(0);
            (by != 0).then(|| (name.clone(), by))
        };
        self.0.iter().filter_map(moved).collect()
    }

    /// Parses pairs of lines: names, then their values.
    pub(super) fn parse(path: &'static str, text: &str) -> Result<Self> {
        let bad = |line: &str| LabError::ProcLine { path, line: line.to_owned() };
        let mut counters = BTreeMap::new();
        let mut lines = text.lines();
        while let Some(header) = lines.next() {
            let values = lines.next().ok_or_else(|| bad(header))?;
            let (group, names) = header.split_once(':').ok_or_else(|| bad(header))?;
            let (_, values) = values.split_once(':').ok_or_else(|| bad(values))?;
            for (name, value) in names.split_whitespace().zip(values.split_whitespace()) {
                let value = value.parse().map_err(|_| bad(value))?;
                counters.insert(format!("{group}{name}"), value);
            }
        }
        Ok(Self(counters))
    }
}

impl Namespace {
    /// Reads the counters of this namespace.
    ///
    /// # Errors
    /// [`LabError::Proc`] or [`LabError::ProcLine`] if /proc cannot be read or parsed.
    pub fn counters(&self) -> Result<Counters> {
        self.run(Counters::here)?
    }
}
