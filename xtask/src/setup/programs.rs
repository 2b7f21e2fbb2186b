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

const PROGRAMS: [Program; 10] = [
    Program { name: "ip", package: "iproute2", scope: Scope::Demo },
    Program { name: "nft", package: "nftables", scope: Scope::Demo },
    Program { name: "nginx", package: "nginx-light", scope: Scope::Test },
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
    let (web, plain): (Vec<_>, Vec<_>) =
        missing(scope).map(|program| program.package).partition(|name| name.starts_with("nginx"));
    apt::install(&plain, "install the network tools of the lab")?;
    if web.is_empty() { Ok(()) } else { install_nginx(&web) }
}

/// Installs nginx as a program. Its package would also start it as a service, on a port that may be in use.
/// With systemd, a mask that lasts until the next boot prevents that; with the older init, a run level in
/// which services are not started.
fn install_nginx(packages: &[&str]) -> Result<()> {
    const WHY: &str = "install nginx, which the tests probe";
    let no_services = [("RUNLEVEL", "1")];
    if !Path::new("/run/systemd/system").is_dir() {
        return apt::install_with(packages, WHY, &no_services);
    }
    systemctl(&["mask", "--runtime", "nginx.service"])?;
    let installed = apt::install_with(packages, WHY, &no_services);
    systemctl(&["unmask", "--runtime", "nginx.service"])?;
    installed?;
    systemctl(&["disable", "nginx.service"])
}

fn systemctl(arguments: &[&str]) -> Result<()> {
    let mut systemctl =
        as_root("keep nginx from being started as a service", "systemctl", [("LC_ALL", "C")])?;
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
        assert_eq!(names(Scope::Test), ["ip", "nft", "nginx"]);
        assert!(!names(Scope::Vm).contains(&"nginx"));
    }
}
