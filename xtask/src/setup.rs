//! Set-up: checks which tools are there, and installs those that are missing.
//!
//! Each part has a check that changes nothing, and an installation. The check runs again after the
//! installation, so that "ready" always means "found usable", and a second run only checks.

mod apt;
mod deny;
mod linker;
mod programs;
mod rotel;
mod rust_tools;
mod toolchain;

use std::path::PathBuf;
use std::time::Instant;

pub(crate) use self::toolchain::Toolchain;
use crate::failure::{Failure, Result};
use crate::progress;

/// What the set-up is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Building the eBPF programs and the agent.
    Build,
    /// Building and running the demo.
    Demo,
    /// Passing every test.
    Test,
    /// Running the demo on other kernels.
    Vm,
}

impl Scope {
    /// Whether everything that `other` needs is needed for this, too.
    fn includes(self, other: Self) -> bool {
        match self {
            Self::Build => other == Self::Build,
            Self::Demo => matches!(other, Self::Build | Self::Demo),
            Self::Test => matches!(other, Self::Build | Self::Demo | Self::Test),
            Self::Vm => matches!(other, Self::Build | Self::Demo | Self::Vm),
        }
    }
}

/// The tools that the set-up found or installed. A part sets its own field when it is ready.
#[derive(Default)]
pub(crate) struct Tools {
    toolchain: Option<Toolchain>,
    linker: Option<PathBuf>,
    rotel: Option<PathBuf>,
    deny: Option<PathBuf>,
}

impl Tools {
    /// The toolchain that builds the eBPF crate.
    pub(crate) fn toolchain(&self) -> Result<&Toolchain> {
        self.toolchain.as_ref().ok_or_else(|| Failure::new("the eBPF toolchain is not known yet"))
    }

    /// The `bpf-linker` for the toolchain.
    pub(crate) fn linker(&self) -> Result<&PathBuf> {
        self.linker.as_ref().ok_or_else(|| Failure::new("bpf-linker is not known yet"))
    }

    /// The program that compares the dependencies with `deny.toml`.
    pub(crate) fn deny(&self) -> Result<&PathBuf> {
        self.deny.as_ref().ok_or_else(|| Failure::new("cargo-deny is not known yet"))
    }

    /// The OTLP collector that the export tests talk to.
    pub(crate) fn rotel(&self) -> Result<&PathBuf> {
        self.rotel.as_ref().ok_or_else(|| Failure::new("rotel-agent is not known yet"))
    }
}

/// The result of a check of one part.
enum Look {
    /// Usable. The text says what was found.
    Ready(String),
    /// Not usable. The text says what is missing.
    Missing(String),
}

/// One thing that the set-up takes care of.
#[derive(Clone, Copy)]
enum Part {
    Toolchain,
    Linker,
    Programs(Scope),
    RustTools,
    Rotel,
    Deny,
}

impl Part {
    /// The parts of `scope`, each after those that it needs.
    fn of(scope: Scope) -> Vec<Self> {
        let mut parts = vec![Self::Toolchain, Self::Linker];
        if scope.includes(Scope::Demo) {
            parts.push(Self::Programs(scope));
        }
        if scope.includes(Scope::Test) {
            parts.extend([Self::RustTools, Self::Deny, Self::Rotel]);
        }
        parts
    }

    fn name(self) -> &'static str {
        match self {
            Self::Toolchain => "eBPF toolchain",
            Self::Linker => "bpf-linker",
            Self::Programs(_) => "system programs",
            Self::RustTools => "rustfmt and clippy",
            Self::Rotel => "Rotel",
            Self::Deny => "cargo-deny",
        }
    }

    /// Why it is needed, and how long the installation takes.
    fn why(self) -> &'static str {
        match self {
            Self::Toolchain => {
                "rustc with the sources of core builds the eBPF programs (about a minute)"
            }
            Self::Linker => "it links the eBPF programs into one object (one to three minutes)",
            Self::Programs(_) => "the network lab and the virtual machines use them (seconds)",
            Self::RustTools => "formatting and lints are part of the tests (seconds)",
            Self::Deny => "it checks licenses and sources of the dependencies (some three minutes)",
            Self::Rotel => "the export tests send their spans to this collector (seconds)",
        }
    }

    fn look(self, tools: &mut Tools) -> Result<Look> {
        match self {
            Self::Toolchain => toolchain::look(tools),
            Self::Linker => linker::look(tools),
            Self::Programs(scope) => Ok(programs::look(scope)),
            Self::RustTools => Ok(rust_tools::look()),
            Self::Rotel => rotel::look(tools),
            Self::Deny => deny::look(tools),
        }
    }

    fn install(self, tools: &Tools) -> Result<()> {
        match self {
            Self::Toolchain => toolchain::install(),
            Self::Linker => linker::install(tools),
            Self::Programs(scope) => programs::install(scope),
            Self::RustTools => rust_tools::install(),
            Self::Rotel => rotel::install(),
            Self::Deny => deny::install(),
        }
    }
}

/// Fetches apt's package lists if they are old or missing.
pub(crate) fn fresh_lists() -> Result<()> {
    apt::refresh()
}

/// Installs what is missing for `scope` and prints where each tool is.
pub(crate) fn ready(scope: Scope) -> Result<Tools> {
    let start = Instant::now();
    let mut tools = Tools::default();
    for part in Part::of(scope) {
        let missing = match part.look(&mut tools)? {
            Look::Ready(what) => {
                eprintln!("[setup] {}: {what}", part.name());
                continue;
            }
            Look::Missing(what) => what,
        };
        progress::step(&format!("setup: {}: {}", part.name(), part.why()), || {
            progress::note(&missing);
            part.install(&tools)?;
            match part.look(&mut tools)? {
                Look::Ready(what) => {
                    progress::note(&what);
                    Ok(())
                }
                Look::Missing(what) => Err(Failure::new(format!(
                    "{} was installed but is still not usable: {what}",
                    part.name()
                ))
                .remedy("`cargo xtask setup --check` shows what is missing")),
            }
        })?;
    }
    eprintln!("[setup] ready in {}", progress::seconds(start.elapsed()));
    Ok(tools)
}

/// Prints what is ready and what is missing for `scope`, and changes nothing.
pub(crate) fn check(scope: Scope) -> Result<()> {
    let mut tools = Tools::default();
    let mut missing = Vec::new();
    for part in Part::of(scope) {
        match part.look(&mut tools)? {
            Look::Ready(what) => println!("ready    {}: {what}", part.name()),
            Look::Missing(what) => {
                println!("missing  {}: {what}", part.name());
                missing.push(part.name());
            }
        }
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(Failure::new(format!("missing: {}", missing.join(", "))).remedy("run `cargo xtask setup`"))
}
