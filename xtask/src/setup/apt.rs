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

/// Package lists older than this tend to name files that the mirror has already dropped.
const LISTS_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
const LISTS: &str = "/var/lib/apt/lists";

/// Whether this system has apt.
pub(crate) fn present() -> bool {
    command::find("apt-get").is_some() && command::find("dpkg-query").is_some()
}

/// Whether apt could install `package`; unknown when the package lists were never fetched.
pub(crate) fn knows(package: &str) -> Option<bool> {
    lists_age()?;
    Some(command::succeeds(Command::new("apt-cache").args(["show", package])))
}

/// Installs those of `packages` that are missing. `why` completes "sudo is needed to ..".
pub(crate) fn install(packages: &[&str], why: &str) -> Result<()> {
    install_with(packages, why, &[])
}

/// Like [`install`], with more environment variables for the packages' own scripts.
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
        // A mirror moves on: lists of yesterday may name files that are gone today.
        Err(_) if fresh => update().and_then(|()| attempt()),
        other => other,
    };
    result.map_err(|failure| {
        failure.remedy(format!(
            "try `apt-get install {}` by hand and mend what it says",
            missing.join(" ")
        ))
    })
}

fn update() -> Result<()> {
    progress::note("apt-get fetches its package lists (seconds)");
    let mut apt = apt_get("fetch package lists", &[])?;
    apt.arg("update");
    progress::logged(&mut apt, &cache::log("apt-update.log")?)
}

fn apt_get(why: &str, variables: &[(&str, &str)]) -> Result<Command> {
    // Without this a package may stop and ask a question that nobody sees.
    let quiet = [("DEBIAN_FRONTEND", "noninteractive")];
    let mut apt = as_root(why, "apt-get", quiet.iter().chain(variables).copied())?;
    // Another apt-get may be at work, such as the system's own upgrades.
    apt.args(["-o", "DPkg::Lock::Timeout=300"]);
    Ok(apt)
}

fn installed(package: &str) -> bool {
    let query = ["--show", "--showformat=${db:Status-Status}", package];
    command::capture(Command::new("dpkg-query").args(query))
        .is_ok_and(|status| status.contains("installed") && !status.contains("not-installed"))
}

/// The age of the newest package list, if there is any.
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
