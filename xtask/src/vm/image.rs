//! The first and only file system of a virtual machine: busybox, the agent, the lab's programs with their
//! libraries, kernel modules, and the script that runs everything.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::failure::{OrFail, Result};

use super::cpio::Archive;
use super::files;
use super::modules;
use super::package::Kernel;
use super::situation::Boot;

/// What process 1 runs.
pub(super) const INIT: &str = include_str!("init.sh");

/// What the situations' commands are put together from.
const SCRIPTS: [(&str, &str); 3] = [
    // Probes the server of `init.sh` once.
    ("check", "exec probe-agent check 127.0.0.1:7000 --output jsonl"),
    // as CAPABILITIES COMMAND...: an ordinary user with these capabilities, each after ",+".
    (
        "as",
        "capabilities=-all$1; shift; exec /bin/setpriv --reuid 1000 --regid 1000 --clear-groups \
         --inh-caps \"$capabilities\" --ambient-caps \"$capabilities\" -- \"$@\"",
    ),
    // within CGROUP COMMAND...
    ("within", "echo 0 >/sys/fs/cgroup/$1/cgroup.procs; shift; exec \"$@\""),
];

/// The programs of the lab, and what takes away privileges.
const PROGRAMS: [&str; 3] = ["ip", "nft", "setpriv"];

/// Makes it.
pub(super) fn make(kernel: &Kernel, agent: &Path, boot: &Boot) -> Result<Vec<u8>> {
    let mut archive = Archive::default();
    let programs: Vec<_> = PROGRAMS.iter().map(|name| files::find(name)).collect::<Result<_>>()?;
    let busybox = files::find("busybox")?;
    let libraries: BTreeSet<String> =
        programs.iter().chain([&busybox]).flat_map(|path| files::libraries(path)).collect();
    let mut directories: BTreeSet<String> =
        ["bin", "dev", "etc", "modules", "proc", "run", "sys"].map(str::to_owned).into();
    directories.extend(libraries.iter().flat_map(|library| above(library)));
    for directory in &directories {
        archive.directory(directory, 0o755);
    }
    archive.directory("tmp", 0o1777);
    let read = |path: &Path| fs::read(path).or_fail(|| format!("read {}", path.display()));
    for library in &libraries {
        archive.file(library.trim_start_matches('/'), &read(Path::new(library))?);
    }
    for (name, path) in PROGRAMS.iter().zip(&programs) {
        archive.file(&format!("bin/{name}"), &read(path)?);
    }
    archive.file("bin/busybox", &read(&busybox)?);
    archive.link("bin/sh", "busybox");
    archive.file("bin/probe-agent", &read(agent)?);
    let mut order = String::new();
    for module in modules::of(&kernel.root)? {
        archive.file(&format!("modules/{}.ko", module.name), &module.content);
        order.push_str(&format!("{}\n", module.name));
    }
    archive.file("modules/order", order.as_bytes());
    for (name, script) in SCRIPTS {
        archive.file(&format!("bin/{name}"), format!("#!/bin/sh\n{script}\n").as_bytes());
    }
    archive.file("etc/passwd", b"root:x:0:0::/:/bin/sh\n");
    archive.file("situations", boot.script().as_bytes());
    archive.file("init", INIT.as_bytes());
    Ok(archive.finish())
}

/// The directories above a path, outermost first, without the leading slash.
fn above(path: &str) -> Vec<String> {
    let path = path.trim_start_matches('/');
    path.match_indices('/').map(|(at, _)| path[..at].to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_needs_the_directories_above_it() {
        assert_eq!(above("/lib/x86_64-linux-gnu/libc.so.6"), ["lib", "lib/x86_64-linux-gnu"]);
        assert!(above("/init").is_empty());
    }
}
