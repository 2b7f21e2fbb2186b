//! Packages of Debian and its descendants.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

use crate::cache;
use crate::command;
use crate::failure::{Failure, Result};
use crate::privilege::as_root;
use crate::progress;

/// Older package lists tend to name files that the mirror no longer has.
const LISTS_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
const LISTS: &str = "/var/lib/apt/lists";

/// Whether this system has apt.
pub(crate) fn present() -> bool {
    command::find("apt-get").is_some() && command::find("dpkg-query").is_some()
}

/// Whether apt can install `package`; `None` if the package lists were never fetched.
pub(crate) fn knows(package: &str) -> Option<bool> {
    lists_age()?;
    Some(command::succeeds(Command::new("apt-cache").args(["show", package])))
}

/// Installs those of `packages` that are missing. `why` completes "sudo is needed to ..".
pub(crate) fn install(packages: &[&str], why: &str) -> Result<()> {
    install_with(packages, why, &[])
}

/// Like [`install`], with environment variables for the scripts of the packages.
pub(crate) fn install_with(packages: &[&str], why: &str, variables: &[(&str, &str)]) -> Result<()> {
    let missing: Vec<&str> = packages.iter().copied().filter(|name| !installed(name)).collect();
    if missing.is_empty() {
        return Ok(());
    }
    if !present() {
        let list = missing.join(", ");
        return Err(Failure::new(format!("apt is not on this system, so xtask cannot {why}"))
            .remedy(format!("install what Debian calls {list} with your package manager")));
    }
    let fresh = lists_age().is_some_and(|age| age < LISTS_AGE);
    if !fresh {
        update()?;
    }
    let attempt = || {
        progress::note(&format!("apt-get installs {}", missing.join(" ")));
        let mut apt = apt_get(why, variables)?;
        apt.args(["install", "--yes", "--no-install-recommends"]).args(&missing);
        progress::logged(&mut apt, &cache::log("apt-install.log")?)
    };
    let result = match attempt() {
        // Files that the lists name may have left the mirror meanwhile.
        Err(_) if fresh => update().and_then(|()| attempt()),
        other => other,
    };
    result.map_err(|failure| {
        failure
            .remedy(format!("run `apt-get install {}` and fix what it reports", missing.join(" ")))
    })
}

/// Fetches the package lists if they are old or missing.
pub(super) fn refresh() -> Result<()> {
    if lists_age().is_some_and(|age| age < LISTS_AGE) { Ok(()) } else { update() }
}

fn update() -> Result<()> {
    progress::note("apt-get fetches its package lists (seconds)");
    let mut apt = apt_get("fetch package lists", &[])?;
    apt.arg("update");
    progress::logged(&mut apt, &cache::log("apt-update.log")?)
}

fn apt_get(why: &str, variables: &[(&str, &str)]) -> Result<Command> {
    // Without this a package may wait for an answer to a question that is not shown.
    let quiet = [("DEBIAN_FRONTEND", "noninteractive")];
    let mut apt = as_root(why, "apt-get", quiet.iter().chain(variables).copied())?;
    // Another apt-get may be running, such as the system's own upgrade.
    apt.args(["-o", "DPkg::Lock::Timeout=300"]);
    Ok(apt)
}

fn installed(package: &str) -> bool {
    let query = ["--show", "--showformat=${db:Status-Status}", package];
    command::capture(Command::new("dpkg-query").args(query))
        .is_ok_and(|status| status.contains("installed") && !status.contains("not-installed"))
}

/// The age of the newest package list; `None` if there is none.
fn lists_age() -> Option<Duration> {
    let is_list = |name: &str| name.ends_with("Release") || name.contains("_Packages");
    let newest = fs::read_dir(Path::new(LISTS))
        .ok()?
        .flatten()
        .filter(|entry| is_list(&entry.file_name().to_string_lossy()))
        .filter_map(|entry| entry.metadata().ok()?.modified().ok())
        .max()?;
    Some(SystemTime::now().duration_since(newest).unwrap_or_default())
}
