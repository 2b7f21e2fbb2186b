//! Set-up: looks what is there, and installs what is missing for what was asked.
//!
//! Each part can look without changing anything, and install. After installing it looks again, so
//! that "ready" always means "seen to be usable", and a second run only looks.

mod apt;
mod linker;
mod programs;
mod rotel;
mod rust_tools;
mod toolchain;
mod tracefs;

use std::path::PathBuf;
use std::time::Instant;

pub(crate) use self::toolchain::Toolchain;
use crate::failure::{Failure, Result};
use crate::progress;

/// What the set-up is for; later ones need all that earlier ones need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Scope {
    /// Building both halves of the agent.
    Build,
    /// Building and running the demo.
    Demo,
    /// Passing every test.
    Test,
}

/// What the set-up found or made. A part fills in its own field when it is ready.
#[derive(Default)]
pub(crate) struct Tools {
    toolchain: Option<Toolchain>,
    linker: Option<PathBuf>,
    rotel: Option<PathBuf>,
}

impl Tools {
    /// The toolchain that builds the eBPF crate.
    pub(crate) fn toolchain(&self) -> Result<&Toolchain> {
        self.toolchain.as_ref().ok_or_else(|| Failure::new("the eBPF toolchain is not known yet"))
    }

    /// The `bpf-linker` that fits the toolchain.
    pub(crate) fn linker(&self) -> Result<&PathBuf> {
        self.linker.as_ref().ok_or_else(|| Failure::new("bpf-linker is not known yet"))
    }

    /// The OTLP collector that the export tests talk to.
    pub(crate) fn rotel(&self) -> Result<&PathBuf> {
        self.rotel.as_ref().ok_or_else(|| Failure::new("rotel-agent is not known yet"))
    }
}

/// What a look at one part found.
enum Look {
    /// Usable; the text says what it is.
    Ready(String),
    /// Not usable; the text says what is missing.
    Missing(String),
}

/// One thing that the set-up takes care of.
#[derive(Clone, Copy)]
enum Part {
    Toolchain,
    Linker,
    Programs(Scope),
    Tracefs,
    RustTools,
    Rotel,
}

impl Part {
    /// The parts of `scope`, in the order in which they need each other.
    fn of(scope: Scope) -> Vec<Self> {
        let mut parts = vec![Self::Toolchain, Self::Linker];
        if scope >= Scope::Demo {
            parts.extend([Self::Programs(scope), Self::Tracefs]);
        }
        if scope >= Scope::Test {
            parts.extend([Self::RustTools, Self::Rotel]);
        }
        parts
    }

    fn name(self) -> &'static str {
        match self {
            Self::Toolchain => "eBPF toolchain",
            Self::Linker => "bpf-linker",
            Self::Programs(_) => "system programs",
            Self::Tracefs => "tracefs",
            Self::RustTools => "rustfmt and clippy",
            Self::Rotel => "Rotel",
        }
    }

    /// Why it is needed, and how long it takes when it is not there.
    fn why(self) -> &'static str {
        match self {
            Self::Toolchain => {
                "rustc with the sources of core builds the kernel side (about a minute)"
            }
            Self::Linker => "it links the kernel side into one eBPF object (one to three minutes)",
            Self::Programs(_) => "the network lab is made of them (seconds)",
            Self::Tracefs => "the kernel describes its tracepoints there (an instant)",
            Self::RustTools => "formatting and lints are part of the tests (seconds)",
            Self::Rotel => "the export tests send their spans to this real collector (seconds)",
        }
    }

    fn look(self, tools: &mut Tools) -> Result<Look> {
        match self {
            Self::Toolchain => toolchain::look(tools),
            Self::Linker => linker::look(tools),
            Self::Programs(scope) => Ok(programs::look(scope)),
            Self::Tracefs => Ok(tracefs::look()),
            Self::RustTools => Ok(rust_tools::look()),
            Self::Rotel => rotel::look(tools),
        }
    }

    fn install(self, tools: &Tools) -> Result<()> {
        match self {
            Self::Toolchain => toolchain::install(),
            Self::Linker => linker::install(tools),
            Self::Programs(scope) => programs::install(scope),
            Self::Tracefs => tracefs::install(),
            Self::RustTools => rust_tools::install(),
            Self::Rotel => rotel::install(),
        }
    }
}

/// Makes everything in `scope` usable and says where it is.
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
                    "{} was installed and still cannot be used: {what}",
                    part.name()
                ))
                .remedy("run `cargo xtask setup --check` and read what it says")),
            }
        })?;
    }
    eprintln!("[setup] ready in {}", progress::seconds(start.elapsed()));
    Ok(tools)
}

/// Says what is there and what is missing for `scope`, and changes nothing.
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
