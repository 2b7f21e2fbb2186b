//! Decides which toolchain to use and how to install one. Pure: runs nothing.

use std::fmt;

use super::{Origin, Toolchain, release};

/// The value of `PROBE_AGENT_EBPF_TOOLCHAIN`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Preference {
    /// One that is already usable, else one from rustup, else Debian's packages.
    Auto,
    /// Only rustup's.
    Rustup,
    /// Only the system's.
    Debian,
}

/// A way to install a usable toolchain.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Add the sources to an installed toolchain of rustup.
    AddSources(String),
    /// Install rustup's nightly with the sources.
    InstallNightly,
    /// Install Debian's packages.
    DebianPackages,
}

impl Preference {
    /// Parses the value of the variable; `None` if it is none of the three.
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

/// The first usable one of `candidates`, which are sorted best first.
pub(super) fn first_usable(preference: Preference, candidates: &[Toolchain]) -> Option<&Toolchain> {
    candidates.iter().find(|toolchain| {
        preference.admits(toolchain.origin) && unusable_because(toolchain).is_none()
    })
}

/// Why `toolchain` cannot build the eBPF crate.
pub(super) fn unusable_because(toolchain: &Toolchain) -> Option<String> {
    unsuitable_because(toolchain).or_else(|| {
        (!toolchain.has_sources)
            .then(|| "the sources of core (rust-src) or its cargo are missing".into())
    })
}

/// Why `toolchain` cannot build the eBPF crate even if the sources are added.
fn unsuitable_because(toolchain: &Toolchain) -> Option<String> {
    let needed = minimum();
    if toolchain.release < needed {
        return Some(format!("older than {}.{}", needed.0, needed.1));
    }
    let llvm = toolchain.llvm;
    (!toolchain.linkable).then(|| format!("no bpf-linker is available for its LLVM {llvm}"))
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
            .filter(|toolchain| unsuitable_because(toolchain).is_none())
            .partition(|toolchain| toolchain.unstable);
        let sources = |toolchain: &Toolchain| Way::AddSources(toolchain.name.clone());
        ways.extend(nightlies.into_iter().map(sources));
        if !of_rustup().any(|toolchain| toolchain.unstable) {
            ways.push(Way::InstallNightly);
        }
        // A stable compiler works too: RUSTC_BOOTSTRAP makes it accept unstable options.
        ways.extend(others.into_iter().map(sources));
    }
    if apt && preference.admits(Origin::System) {
        ways.push(Way::DebianPackages);
    }
    ways
}

/// The oldest release that the workspace accepts.
fn minimum() -> (u32, u32) {
    release(env!("CARGO_PKG_RUST_VERSION")).unwrap_or((0, 0))
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
    fn a_usable_toolchain_is_preferred_and_the_preference_is_obeyed() {
        let mut nightly = toolchain("nightly", Origin::Rustup);
        nightly.has_sources = false;
        let all = [nightly, toolchain("stable", Origin::Rustup), toolchain("/usr", Origin::System)];
        assert_eq!(name(first_usable(Preference::Auto, &all)), Some("stable"));
        assert_eq!(name(first_usable(Preference::Debian, &all)), Some("/usr"));
        assert_eq!(name(first_usable(Preference::Rustup, &all[2..])), None);
    }

    #[test]
    fn toolchains_that_are_too_old_or_have_no_linker_are_skipped() {
        let mut old = toolchain("old", Origin::System);
        old.release = (1, 63);
        let mut unlinkable = toolchain("nightly", Origin::Rustup);
        unlinkable.linkable = false;
        assert_eq!(first_usable(Preference::Auto, &[old.clone(), unlinkable.clone()]), None);
        assert!(unusable_because(&old).unwrap().starts_with("older than"));
        assert!(unusable_because(&unlinkable).unwrap().contains("LLVM 22"));
    }

    #[test]
    fn sources_are_added_to_an_installed_nightly_first() {
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
    fn preferences_are_parsed() {
        assert_eq!(Preference::parse(""), Some(Preference::Auto));
        assert_eq!(Preference::parse("debian"), Some(Preference::Debian));
        assert_eq!(Preference::parse("Debian"), None);
    }
}
