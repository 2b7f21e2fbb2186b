//! The programs that the network lab and the virtual machines run.

use std::path::Path;
use std::process::Command;

use super::{Look, Scope, apt};
use crate::command;
use crate::failure::Result;
use crate::privilege::as_root;

/// A program, its Debian package, and the scope that needs it.
struct Program {
    name: &'static str,
    package: &'static str,
    scope: Scope,
}

/// Packages that would start a service, and its unit: on a port that may be in use.
const SERVICES: [(&str, &str); 2] =
    [("nginx-light", "nginx.service"), ("prometheus", "prometheus.service")];

/// Debian has no package of promtool alone. That of Prometheus is a download of 20 MB and takes 330 MB on disk with
/// the scripts of its web pages; the tests also scrape the agent with it.
const PROGRAMS: [Program; 11] = [
    Program { name: "ip", package: "iproute2", scope: Scope::Demo },
    Program { name: "nft", package: "nftables", scope: Scope::Demo },
    Program { name: "nginx", package: "nginx-light", scope: Scope::Test },
    Program { name: "promtool", package: "prometheus", scope: Scope::Test },
    Program { name: "qemu-system-x86_64", package: "qemu-system-x86", scope: Scope::Vm },
    Program { name: "busybox", package: "busybox-static", scope: Scope::Vm },
    Program { name: "depmod", package: "kmod", scope: Scope::Vm },
    Program { name: "setpriv", package: "util-linux", scope: Scope::Vm },
    Program { name: "lz4", package: "lz4", scope: Scope::Vm },
    Program { name: "xz", package: "xz-utils", scope: Scope::Vm },
    Program { name: "zstd", package: "zstd", scope: Scope::Vm },
];

/// Which programs of `scope` are missing.
pub(super) fn look(scope: Scope) -> Look {
    let missing: Vec<String> = missing(scope)
        .map(|program| format!("{} (package {})", program.name, program.package))
        .collect();
    if missing.is_empty() {
        let names: Vec<&str> = needed(scope).map(|program| program.name).collect();
        Look::Ready(names.join(", "))
    } else {
        Look::Missing(format!("not found: {}", missing.join(", ")))
    }
}

/// Installs the packages of the missing ones.
pub(super) fn install(scope: Scope) -> Result<()> {
    let (services, plain): (Vec<_>, Vec<_>) =
        missing(scope).map(|program| program.package).partition(|name| service(name).is_some());
    apt::install(&plain, "install the network tools of the lab")?;
    services.iter().try_for_each(|package| install_without_service(package))
}

/// The unit that a package would start.
fn service(package: &str) -> Option<&'static str> {
    SERVICES.iter().find(|(name, _)| *name == package).map(|(_, unit)| *unit)
}

/// Installs nginx or Prometheus as a program, not as a service. With systemd, a mask that lasts until the next boot
/// keeps it from being started; with the older init, a run level in which services are not started.
fn install_without_service(package: &str) -> Result<()> {
    const WHY: &str = "install a program that the tests use";
    let no_services = [("RUNLEVEL", "1")];
    let Some(unit) = service(package).filter(|_| Path::new("/run/systemd/system").is_dir()) else {
        return apt::install_with(&[package], WHY, &no_services);
    };
    systemctl(&["mask", "--runtime", unit])?;
    let installed = apt::install_with(&[package], WHY, &no_services);
    systemctl(&["unmask", "--runtime", unit])?;
    installed?;
    systemctl(&["disable", unit])
}

fn systemctl(arguments: &[&str]) -> Result<()> {
    let mut systemctl = as_root(
        "keep a program of the tests from being started as a service",
        "systemctl",
        [("LC_ALL", "C")],
    )?;
    let systemctl: &mut Command = systemctl.args(arguments);
    command::capture(systemctl).map(drop)
}

fn needed(scope: Scope) -> impl Iterator<Item = &'static Program> {
    PROGRAMS.iter().filter(move |program| scope.includes(program.scope))
}

fn missing(scope: Scope) -> impl Iterator<Item = &'static Program> {
    needed(scope).filter(|program| command::find(program.name).is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demo_needs_no_web_server() {
        let names = |scope| needed(scope).map(|program| program.name).collect::<Vec<_>>();
        assert_eq!(names(Scope::Build), [""; 0]);
        assert_eq!(names(Scope::Demo), ["ip", "nft"]);
        assert_eq!(names(Scope::Test), ["ip", "nft", "nginx", "promtool"]);
        assert!(!names(Scope::Vm).contains(&"nginx"));
    }

    #[test]
    fn what_would_start_a_service_is_installed() {
        let is_installed = |package| PROGRAMS.iter().any(|program| program.package == package);
        assert!(SERVICES.iter().all(|(package, _)| is_installed(*package)));
    }
}
