//! How targets are probed and judged.

use std::{borrow::Cow, path::Path, sync::Arc, time::Duration};

use model::expect::Expect;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer};

use crate::{
    decode::split,
    origin::Found,
    settings::settings,
    values::{
        Count, Expectation, FilePath, InterfaceName, Interval, Mark, MaybeZero, PortList,
        PortRange, SourceAddress, Switch,
    },
};

/// A server retransmits its SYN-ACK 1 s after a lost RST; the rest is for the way here.
pub(crate) const SHORTEST_CONFIRMING_SETTLE: Duration = Duration::from_millis(1100);

/// The timeout where nobody sets one, if the interval is not shorter.
const DEFAULT_TIMEOUT: Interval = Interval::from_millis(2_000);

settings! {
    /// How targets are probed and judged.
    PolicySettings => FoundPolicy {
        /// The time between the starts of two probes of a target.
        interval: Interval = Interval::from_millis(5_000);
        /// The interval while the state of a target is changing: a few results differ from its state, but not yet
        /// as many as `rise` or `fall` ask for. Without it, `interval`.
        fast_interval: Interval;
        /// How long to wait for the answer to a SYN; not longer than the shortest interval. Without it, 2s or the
        /// shortest interval, whichever is less.
        timeout: Interval;
        /// How long to observe a probe after its close. A server that did not receive the RST retransmits its
        /// SYN-ACK after 1 s: with less than 1.1 s, a clean probe is inferred and not confirmed.
        settle: MaybeZero = MaybeZero::from_millis(2_000);
        /// So many good results in a row make a target up.
        rise: Count<1, 100> = Count::clamped(2);
        /// So many bad results in a row make a target down.
        fall: Count<1, 100> = Count::clamped(3);
        /// What a healthy target does: it answers with a SYN-ACK (`open`) or with a RST (`closed`).
        expect: Expectation = Expectation::Open;
        /// The ports to probe where an address has none: one, a list, or ranges.
        ports: PortList;
        /// The source address. Without it, the routing table chooses.
        source: SourceAddress;
        /// The source ports. Without them, free ports of this host.
        source_ports: PortRange;
        /// Allow a source address that this host does not have (`IP_FREEBIND`).
        freebind: Switch = Switch::Off;
        /// The network interface to send through (`SO_BINDTODEVICE`).
        interface: InterfaceName;
        /// The mark of the packets, for policy routing (`SO_MARK`).
        mark: Mark;
        /// The network namespace to probe from: `/run/netns/NAME` or `/proc/PID/ns/net`.
        netns: FilePath;
    }
}

/// How one target is probed and judged. Two targets that have the same address and an equal policy are
/// probed once.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// The time between the starts of two probes.
    pub interval: Duration,
    /// The interval while the state is changing.
    pub fast_interval: Duration,
    /// How long to wait for the answer to a SYN; not longer than the shortest interval, unless a problem was
    /// reported.
    pub timeout: Duration,
    /// How long to observe a probe after its close.
    pub settle: Duration,
    /// Good results in a row that make the target up.
    pub rise: u32,
    /// Bad results in a row that make the target down.
    pub fall: u32,
    /// What a healthy target does.
    pub expect: Expect,
    /// How the probe leaves this host.
    pub path: NetworkPath,
}

/// How a probe leaves this host. Together with the address it says which packets are sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NetworkPath {
    /// The source address.
    pub source: Option<SourceAddress>,
    /// The source ports.
    pub source_ports: Option<PortRange>,
    /// Whether the source address may be one that this host does not have.
    pub freebind: bool,
    /// The network interface.
    pub interface: Option<InterfaceName>,
    /// The mark of the packets.
    pub mark: Option<u32>,
    /// The network namespace.
    pub netns: Option<Arc<Path>>,
}

impl FoundPolicy {
    /// The policy, with what follows from other settings.
    #[must_use]
    pub fn policy(&self) -> Policy {
        fn get<T: Clone>(found: Option<&Found<T>>) -> Option<T> {
            found.map(|found| found.value.clone())
        }
        let time = |found: &Option<Found<Interval>>, otherwise: Duration| {
            get(found.as_ref()).map_or(otherwise, Interval::get)
        };
        let interval = time(&self.interval, Duration::from_secs(5));
        let fast_interval = time(&self.fast_interval, interval);
        let shortest = interval.min(fast_interval);
        Policy {
            interval,
            fast_interval,
            timeout: time(&self.timeout, DEFAULT_TIMEOUT.get().min(shortest)),
            settle: get(self.settle.as_ref()).map_or(Duration::ZERO, MaybeZero::get),
            rise: get(self.rise.as_ref()).map_or(1, Count::get),
            fall: get(self.fall.as_ref()).map_or(1, Count::get),
            expect: get(self.expect.as_ref()).map_or(Expect::Open, Expect::from),
            path: NetworkPath {
                source: get(self.source.as_ref()),
                source_ports: get(self.source_ports.as_ref()),
                freebind: get(self.freebind.as_ref()) == Some(Switch::On),
                interface: get(self.interface.as_ref()),
                mark: get(self.mark.as_ref()).map(|mark| mark.0),
                netns: get(self.netns.as_ref()).map(|path| Arc::from(path.get())),
            },
        }
    }
}

/// A section with settings of the policy beside keys of its own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct WithPolicy<T> {
    /// How to probe and judge.
    pub policy: PolicySettings,
    /// The other keys.
    pub own: T,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for WithPolicy<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (policy, own) = split(deserializer, PolicySettings::KEYS)?;
        Ok(Self { policy, own })
    }
}

impl<T: JsonSchema> JsonSchema for WithPolicy<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn schema_id() -> Cow<'static, str> {
        format!("WithPolicy<{}>", T::schema_id()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = T::json_schema(generator);
        let policy = PolicySettings::json_schema(generator);
        let settings = policy.get("properties").and_then(|keys| keys.as_object()).cloned();
        let keys = schema.get_mut("properties").and_then(|keys| keys.as_object_mut());
        if let (Some(keys), Some(settings)) = (keys, settings) {
            keys.extend(settings);
        }
        schema
    }
}
