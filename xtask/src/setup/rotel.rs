//! Rotel: an OpenTelemetry collector that is distributed as a Python wheel.

use std::path::Path;
use std::process::Command;

use super::{Look, Tools, apt};
use crate::cache::{self, Entry, State};
use crate::command::{capture, succeeds};
use crate::failure::{Failure, Result};
use crate::progress;

const VERSION: &str = "0.0.1a15";

/// A build of Rotel: the architecture, the tag of its wheel and the SHA-256 of the binary in it.
struct Build {
    architecture: &'static str,
    platform: &'static str,
    sha256: &'static str,
}

const BUILDS: [Build; 2] = [
    Build {
        architecture: "x86_64",
        platform: "manylinux_2_34_x86_64",
        sha256: "182f2a4ad68346bb1ca3bb87b8d52c80595f89aa9751dc8d80f0feb9ca18ca5d",
    },
    Build {
        architecture: "aarch64",
        platform: "manylinux_2_34_aarch64",
        sha256: "07e945ad635d2f9054dc304d5537ae74aa58dcb34844bd8190fdafe4084c3b5b",
    },
];

/// Whether the cached binary is what was downloaded, and runs here.
pub(super) fn look(tools: &mut Tools) -> Result<Look> {
    let entry = entry()?;
    Ok(match entry.state() {
        State::Absent => Look::Missing(format!("rotel {VERSION} is not in the cache")),
        State::Corrupt(why) => {
            Look::Missing(format!("{} is corrupt: {why}", entry.executable().display()))
        }
        State::Good if !runs(&entry.executable()) => {
            Look::Missing(format!("{} does not run", entry.executable().display()))
        }
        State::Good => {
            tools.rotel = Some(entry.executable());
            Look::Ready(format!("{VERSION} in {}", entry.executable().display()))
        }
    })
}

/// Downloads the wheel and puts its binary into the cache.
pub(super) fn install() -> Result<()> {
    let build = build()?;
    entry()?.install(|work| {
        let python = python()?;
        progress::note(&format!("pip downloads rotel {VERSION} (10 MB)"));
        let mut pip = Command::new(python);
        // Only the binary in the wheel is used, so that the wheel need not match this system's Python.
        pip.args(["-m", "pip", "download", "--no-deps", "--pre", "--only-binary=:all:"])
            .args(["--python-version", "3.11", "--platform", build.platform, "--dest"])
            .arg(work)
            .arg(format!("rotel=={VERSION}"));
        progress::logged(&mut pip, &cache::log("rotel.log")?).map_err(|failure| {
            failure.remedy("give pip access to PyPI or to a mirror (PIP_INDEX_URL, HTTPS_PROXY)")
        })?;
        let wheel = work.join(format!("rotel-{VERSION}-cp311-cp311-{}.whl", build.platform));
        capture(Command::new(python).args(["-m", "zipfile", "-e"]).arg(wheel).arg(work))?;
        let binary = work.join("rotel/rotel-agent");
        verify(&binary, build.sha256)?;
        make_executable(&binary)?;
        if !runs(&binary) {
            return Err(Failure::new("rotel-agent does not run on this system")
                .remedy("the tests need a GNU C library of at least 2.34"));
        }
        Ok(binary)
    })
}

fn entry() -> Result<Entry> {
    let key = format!("rotel-{VERSION}-{}", std::env::consts::ARCH);
    Ok(Entry::new(cache::directory()?, key, "rotel-agent"))
}

fn build() -> Result<&'static Build> {
    let here = std::env::consts::ARCH;
    BUILDS.iter().find(|build| build.architecture == here).ok_or_else(|| {
        Failure::new(format!("there is no rotel for {here}"))
            .remedy("run the tests on x86_64 or aarch64")
    })
}

/// A Python whose pip works: the first on PATH, else the system's. If neither has pip, apt installs it.
fn python() -> Result<&'static str> {
    const CANDIDATES: [&str; 2] = ["python3", "/usr/bin/python3"];
    let with_pip = || {
        CANDIDATES
            .into_iter()
            .find(|python| succeeds(Command::new(python).args(["-m", "pip", "--version"])))
    };
    if let Some(python) = with_pip() {
        return Ok(python);
    }
    apt::install(&["python3", "python3-pip"], "install pip, which downloads Rotel")?;
    with_pip().ok_or_else(|| {
        Failure::new("no python3 on this system has pip")
            .remedy("install pip for python3, for instance with `python3 -m ensurepip`")
    })
}

fn verify(binary: &Path, expected: &str) -> Result<()> {
    let found = cache::sha256(binary)?;
    if found == expected {
        return Ok(());
    }
    Err(Failure::new(format!("the downloaded rotel-agent has SHA-256 {found}, not {expected}"))
        .remedy("try again; if it happens again, the package index does not serve the file that was reviewed"))
}

fn make_executable(path: &Path) -> Result<()> {
    capture(Command::new("chmod").arg("755").arg(path)).map(drop)
}

fn runs(binary: &Path) -> bool {
    succeeds(Command::new(binary).arg("--version"))
}
