//! Which toolchain to use and how to get one: decisions over facts, without running anything.

use std::fmt;

use super::{Origin, Toolchain};

/// What the user asks for by `PROBE_AGENT_EBPF_TOOLCHAIN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preference {
    /// One that is usable already, else by rustup, else by Debian's packages.
    Auto,
    /// Only rustup's.
    Rustup,
    /// Only the system's.
    Debian,
}

/// A way to get a usable toolchain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// The sources for a toolchain of rustup that is there.
    AddSources(String),
    /// rustup's nightly, with the sources.
    InstallNightly,
    /// Debian's packages.
    DebianPackages,
}

impl Preference {
    /// Reads the variable's value; `None` when it is none of the three.
    pub(super) fn parse(value: &str) -> Option<Self> {
        match value {
            "" | "auto" => Some(Self::Auto),
            "rustup" => Some(Self::Rustup),
            "debian" => Some(Self::Debian),
            _ => None,
        }
    }

    fn admits(self, origin: Origin) -> bool {
        match self {
            Self::Auto => true,
            Self::Rustup => origin == Origin::Rustup,
            Self::Debian => origin == Origin::System,
        }
    }
}

/// The first of `candidates`, which come best first, that can be used as it is.
pub(super) fn first_usable(preference: Preference, candidates: &[Toolchain]) -> Option<&Toolchain> {
    candidates.iter().find(|toolchain| {
        preference.admits(toolchain.origin) && unusable_because(toolchain).is_none()
    })
}

/// What keeps `toolchain` from building the eBPF crate.
pub(super) fn unusable_because(toolchain: &Toolchain) -> Option<String> {
    cannot_be_mended(toolchain).or_else(|| {
        (!toolchain.has_sources)
            .then(|| "the sources of core (rust-src) or its cargo are missing".into())
    })
}

/// What not even adding the sources would mend.
fn cannot_be_mended(toolchain: &Toolchain) -> Option<String> {
    let needed = minimum();
    if toolchain.release < needed {
        return Some(format!("older than {}.{}", needed.0, needed.1));
    }
    let llvm = toolchain.llvm;
    (!toolchain.linkable).then(|| format!("no bpf-linker can be had for its LLVM {llvm}"))
}

/// The ways worth trying, cheapest first.
pub(super) fn ways(
    preference: Preference,
    candidates: &[Toolchain],
    rustup: bool,
    apt: bool,
) -> Vec<Way> {
    let mut ways = Vec::new();
    if rustup && preference.admits(Origin::Rustup) {
        let of_rustup = || candidates.iter().filter(|toolchain| toolchain.origin == Origin::Rustup);
        let (nightlies, others): (Vec<_>, Vec<_>) = of_rustup()
            .filter(|toolchain| cannot_be_mended(toolchain).is_none())
            .partition(|toolchain| toolchain.unstable);
        let sources = |toolchain: &Toolchain| Way::AddSources(toolchain.name.clone());
        ways.extend(nightlies.into_iter().map(sources));
        if !of_rustup().any(|toolchain| toolchain.unstable) {
            ways.push(Way::InstallNightly);
        }
        // A stable compiler will do when it is told to accept unstable options.
        ways.extend(others.into_iter().map(sources));
    }
    if apt && preference.admits(Origin::System) {
        ways.push(Way::DebianPackages);
    }
    ways
}

/// The oldest release that the workspace accepts.
fn minimum() -> (u32, u32) {
    super::facts::release(env!("CARGO_PKG_RUST_VERSION")).unwrap_or((0, 0))
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AddSources(name) => write!(f, "rustup adds rust-src to {name}"),
            Self::InstallNightly => f.write_str("rustup installs nightly with rust-src"),
            Self::DebianPackages => {
                f.write_str("apt installs rustc-web, rust-web-src and cargo-web")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn toolchain(name: &str, origin: Origin) -> Toolchain {
        let place = std::path::PathBuf::from(name);
        Toolchain {
            name: name.into(),
            origin,
            cargo: place.clone(),
            rustc: place,
            release: (1, 97),
            unstable: name.starts_with("nightly"),
            llvm: 22,
            has_sources: true,
            linkable: true,
        }
    }

    fn name(toolchain: Option<&Toolchain>) -> Option<&str> {
        toolchain.map(|toolchain| toolchain.name.as_str())
    }

    #[test]
    fn what_is_usable_goes_first_and_the_preference_is_kept() {
        let mut nightly = toolchain("nightly", Origin::Rustup);
        nightly.has_sources = false;
        let all = [nightly, toolchain("stable", Origin::Rustup), toolchain("/usr", Origin::System)];
        assert_eq!(name(first_usable(Preference::Auto, &all)), Some("stable"));
        assert_eq!(name(first_usable(Preference::Debian, &all)), Some("/usr"));
        assert_eq!(name(first_usable(Preference::Rustup, &all[2..])), None);
    }

    #[test]
    fn what_is_too_old_or_cannot_be_linked_is_passed_over() {
        let mut old = toolchain("old", Origin::System);
        old.release = (1, 63);
        let mut unlinkable = toolchain("nightly", Origin::Rustup);
        unlinkable.linkable = false;
        assert_eq!(first_usable(Preference::Auto, &[old.clone(), unlinkable.clone()]), None);
        assert!(unusable_because(&old).unwrap().starts_with("older than"));
        assert!(unusable_because(&unlinkable).unwrap().contains("LLVM 22"));
    }

    #[test]
    fn a_fresh_machine_completes_its_nightly_first() {
        let mut nightly = toolchain("nightly", Origin::Rustup);
        nightly.has_sources = false;
        let mut stable = toolchain("stable", Origin::Rustup);
        stable.has_sources = false;
        let add = |name: &str| Way::AddSources(name.into());
        assert_eq!(
            ways(Preference::Auto, &[nightly.clone(), stable.clone()], true, true),
            [add("nightly"), add("stable"), Way::DebianPackages]
        );
        assert_eq!(
            ways(Preference::Rustup, &[stable], true, true),
            [Way::InstallNightly, add("stable")]
        );
        assert_eq!(ways(Preference::Auto, &[], false, true), [Way::DebianPackages]);
        assert_eq!(ways(Preference::Debian, &[nightly], true, false), []);
    }

    #[test]
    fn preferences_are_read() {
        assert_eq!(Preference::parse(""), Some(Preference::Auto));
        assert_eq!(Preference::parse("debian"), Some(Preference::Debian));
        assert_eq!(Preference::parse("Debian"), None);
    }
}
