//! Which targets can share an event loop.
//!
//! An event loop has one way to make its sockets, one network namespace and one settle window. Targets that agree in
//! these are probed by the same loop, whatever else their policies say.

use std::{collections::BTreeSet, time::Duration};

use config::schema::{NetworkPath, Policy};
use engine::settings::{PortPolicy, Settings, SocketSettings};
use model::expect::Expect;

/// The most profiles at the same time. Each has a thread, a set of hooks that sees every event of the host, and the
/// maps of these.
pub const MOST_PROFILES: usize = 8;

/// What all targets of an event loop have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Profile {
    /// How the probes leave this host.
    pub path: NetworkPath,
    /// How long a probe is observed after its close.
    pub settle: Duration,
}

/// The targets need more event loops than one agent may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the targets have {found} different combinations of source, source_ports, freebind, interface, mark, netns and \
     settle; at most {MOST_PROFILES} can be probed by one agent: give more targets the same ones, or run a second \
     agent"
)]
pub struct TooManyProfiles {
    /// How many there are.
    pub found: usize,
}

/// How much of this host one event loop may use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LoopLimits {
    /// Probes in flight.
    pub concurrency: usize,
    /// Slots: each takes a source port and a file descriptor.
    pub slots: u32,
    /// Whether kernel events are received.
    pub traces: bool,
}

impl Profile {
    /// The profile of a target with this policy.
    #[must_use]
    pub fn of(policy: &Policy) -> Self {
        Self { path: policy.path.clone(), settle: policy.settle }
    }

    /// How its event loop probes. Interval, timeout and expectation are those of each target.
    #[must_use]
    pub fn settings(&self, limits: LoopLimits) -> Settings {
        let NetworkPath { source, source_ports, freebind, interface, mark, netns: _ } = &self.path;
        Settings {
            interval: Duration::ZERO,
            concurrency: limits.concurrency,
            timeout: Duration::ZERO,
            settle: self.settle,
            slots: limits.slots,
            first_slot: 0,
            port_policy: PortPolicy::Rotate,
            expect: Expect::Open,
            socket: SocketSettings {
                source: source.map(|source| source.get()),
                ports: source_ports.map(|ports| ports.ports()),
                are_ports_chosen: source_ports.is_some(),
                interface: interface.as_ref().map(|name| name.as_str().to_owned()),
                mark: *mark,
                freebind: *freebind,
                fresh_sockets: false,
            },
        }
    }
}

/// The profiles that targets with these policies need.
///
/// # Errors
/// There are more than [`MOST_PROFILES`].
pub fn profiles<'a>(
    policies: impl IntoIterator<Item = &'a Policy>,
) -> Result<BTreeSet<Profile>, TooManyProfiles> {
    let profiles: BTreeSet<Profile> = policies.into_iter().map(Profile::of).collect();
    if profiles.len() > MOST_PROFILES {
        return Err(TooManyProfiles { found: profiles.len() });
    }
    Ok(profiles)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::Duration};

    use config::schema::{NetworkPath, Policy, PolicySettings};

    use super::{LoopLimits, MOST_PROFILES, Profile, TooManyProfiles, profiles};

    fn policy(path: NetworkPath) -> Policy {
        Policy { path, ..PolicySettings::resolve(&[]).policy() }
    }

    fn marked(mark: u32) -> Policy {
        policy(NetworkPath { mark: Some(mark), ..NetworkPath::default() })
    }

    #[test]
    fn targets_share_a_loop_unless_their_sockets_or_windows_differ() {
        let usual = policy(NetworkPath::default());
        let often = Policy {
            interval: Duration::from_millis(100),
            timeout: Duration::from_millis(50),
            fall: 9,
            ..usual.clone()
        };
        assert_eq!(profiles([&usual, &often]).map(|p| p.len()), Ok(1));
        let netns = |name: &str| {
            policy(NetworkPath { netns: Some(Arc::from(name.as_ref())), ..NetworkPath::default() })
        };
        let short = Policy { settle: Duration::from_millis(1), ..usual.clone() };
        let all = [usual, often, marked(1), marked(1), netns("/run/a"), netns("/run/b"), short];
        assert_eq!(profiles(&all).map(|p| p.len()), Ok(5));
    }

    #[test]
    fn too_many_profiles_are_an_error_that_counts_them() {
        let most: Vec<Policy> = (0..MOST_PROFILES as u32).map(marked).collect();
        assert_eq!(profiles(&most).map(|p| p.len()), Ok(MOST_PROFILES));
        let more: Vec<Policy> = (0..12).map(marked).collect();
        let error = profiles(&more).unwrap_err();
        assert_eq!(error, TooManyProfiles { found: 12 });
        assert!(error.to_string().contains("12 different"), "{error}");
    }

    #[test]
    fn a_loop_probes_as_its_profile_says() {
        let path = NetworkPath {
            source: Some("192.0.2.1".parse().unwrap()),
            source_ports: Some("40000-40009".parse().unwrap()),
            freebind: true,
            interface: Some("eth7".parse().unwrap()),
            mark: Some(7),
            netns: None,
        };
        let profile = Profile { path, settle: Duration::from_secs(3) };
        let settings = profile.settings(LoopLimits { concurrency: 5, slots: 6, traces: false });
        assert_eq!((settings.concurrency, settings.slots, settings.settle.as_secs()), (5, 6, 3));
        let socket = settings.socket;
        assert_eq!(socket.source, Some([192, 0, 2, 1].into()));
        assert_eq!((socket.ports, socket.are_ports_chosen), (Some(40_000..=40_009), true));
        assert_eq!((socket.interface.as_deref(), socket.mark), (Some("eth7"), Some(7)));
        assert!(socket.freebind);
    }
}
