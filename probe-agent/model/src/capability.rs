//! What the kernel and this process's privileges make possible, and what is lost where they do not.

use std::{borrow::Cow, fmt};

/// A feature of the kernel, or a privilege, that the agent uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capability {
    /// Its stable name.
    pub name: &'static str,
    /// Whether it is there.
    pub state: State,
    /// What is lost without it, in one sentence without a full stop.
    pub cost: &'static str,
    /// What to do about it; `None` where nothing helps, or where nothing needs to be done.
    pub remedy: Option<Cow<'static, str>>,
}

/// Whether a capability is there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// It is.
    Available,
    /// Something weaker takes its place, for this reason.
    Degraded(String),
    /// It is not, for this reason.
    Unavailable(String),
    /// It is not wanted.
    Off,
}

impl State {
    /// The stable name: `available`, `degraded`, `unavailable` or `off`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Degraded(_) => "degraded",
            Self::Unavailable(_) => "unavailable",
            Self::Off => "off",
        }
    }

    /// Why it is not available; `None` where it is, if only in a weaker form, or is not wanted.
    #[must_use]
    pub fn reason(&self) -> Option<&str> {
        match self {
            Self::Unavailable(reason) => Some(reason),
            Self::Available | Self::Degraded(_) | Self::Off => None,
        }
    }
}

/// One line: what is missing, why, what that costs and what to do.
impl fmt::Display for Capability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, state, cost, remedy } = self;
        match state {
            State::Available => return write!(f, "{name}: available"),
            State::Off => write!(f, "{name}: turned off: {cost}")?,
            State::Degraded(reason) => write!(f, "{name}: degraded ({reason}): {cost}")?,
            State::Unavailable(reason) => write!(f, "{name}: not available ({reason}): {cost}")?,
        }
        match remedy {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

/// All capabilities of a host, each after those that it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capabilities(Vec<Capability>);

impl Capabilities {
    /// Adds one that none of the others needs.
    pub fn push(&mut self, capability: Capability) {
        self.0.push(capability);
    }

    /// Adds one that the others need.
    pub fn put_first(&mut self, capability: Capability) {
        self.0.insert(0, capability);
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Capability> {
        self.0.iter()
    }

    /// The one of a name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Capability> {
        self.0.iter().find(|capability| capability.name == name)
    }

    /// Whether the one of a name is there; a weaker substitute counts.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let state = self.get(name).map(|capability| &capability.state);
        matches!(state, Some(State::Available | State::Degraded(_)))
    }

    /// Those that are not available, one for each reason: what one lacks for want of another is part of
    /// the other's cost.
    pub fn missing(&self) -> impl Iterator<Item = &Capability> {
        self.0.iter().enumerate().filter_map(|(at, capability)| {
            let reason = capability.state.reason()?;
            let mut earlier = self.0.iter().take(at).filter_map(|other| other.state.reason());
            earlier.all(|other| other != reason).then_some(capability)
        })
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(all: I) -> Self {
        Self(all.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::{Capabilities, Capability, State};

    fn capability(name: &'static str, state: State) -> Capability {
        Capability { name, state, cost: "much is lost", remedy: Some("buy another".into()) }
    }

    fn because(reason: &str) -> State {
        State::Unavailable(reason.to_owned())
    }

    #[test]
    fn a_line_names_reason_cost_and_remedy() {
        let line = |state| capability("BTF", state).to_string();
        assert_eq!(
            line(because("no file")),
            "BTF: not available (no file): much is lost; buy another"
        );
        assert_eq!(line(State::Off), "BTF: turned off: much is lost; buy another");
        assert_eq!(line(State::Available), "BTF: available");
    }

    #[test]
    fn what_is_missing_is_listed_once_for_each_reason() {
        let all: Capabilities = [
            capability("BTF", because("no file")),
            capability("cgroup", State::Available),
            capability("tracepoint", because("no file")),
            capability("guard", State::Off),
            capability("state hook", State::Degraded("no cgroup".to_owned())),
            capability("cookie", because("too old")),
        ]
        .into_iter()
        .collect();
        let missing: Vec<_> = all.missing().map(|capability| capability.name).collect();
        assert_eq!(missing, ["BTF", "cookie"]);
        assert!(all.has("cgroup") && all.has("state hook"));
        assert!(!all.has("guard") && !all.has("BTF") && !all.has("unheard of"));
    }
}
