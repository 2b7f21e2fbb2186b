//! The kernel modules that the lab needs, each after those that it needs itself.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::capture;
use crate::failure::{Failure, OrFail, Result};

use super::files;

/// The lab's links, firewall rules and socket tables.
const WANTED: [&str; 5] = ["veth", "tcp_diag", "inet_diag", "nf_tables", "nf_conntrack"];

/// Expressions and chains of nftables. Whatever a scenario uses begins with this.
const EXPRESSIONS: &str = "nft_";

/// A module, uncompressed.
pub(super) struct Module {
    pub(super) name: String,
    pub(super) content: Vec<u8>,
}

/// The modules of an unpacked kernel package, in the order in which to load them.
pub(super) fn of(root: &Path) -> Result<Vec<Module>> {
    let directory = directory(root)?;
    let version = files::name(&directory);
    // depmod looks in lib/modules.
    if !root.join("lib").exists() {
        let link = || "link lib to usr/lib".to_owned();
        std::os::unix::fs::symlink("usr/lib", root.join("lib")).or_fail(link)?;
    }
    capture(Command::new(files::find("depmod")?).arg("-b").arg(root).arg(&version))?;
    let table = directory.join("modules.dep");
    let table = fs::read_to_string(&table).or_fail(|| format!("read {}", table.display()))?;
    order(&table).into_iter().map(|path| read(&directory.join(path))).collect()
}

/// The directory of the modules, which is named after the kernel's release.
fn directory(root: &Path) -> Result<PathBuf> {
    let found = ["lib/modules", "usr/lib/modules"].into_iter().find_map(|place| {
        fs::read_dir(root.join(place)).ok()?.flatten().map(|entry| entry.path()).next()
    });
    found.ok_or_else(|| Failure::new(format!("{} contains no kernel modules", root.display())))
}

/// The wanted modules of `modules.dep`, each after those that it needs.
fn order(table: &str) -> Vec<&str> {
    let lines: Vec<(&str, &str)> = table.lines().filter_map(|line| line.split_once(':')).collect();
    let mut order: Vec<&str> = Vec::new();
    for (path, needs) in lines.iter().filter(|(path, _)| is_wanted(&stem(path))) {
        // The list begins with what is needed directly.
        for path in needs.split_whitespace().rev().chain([*path]) {
            if !order.contains(&path) {
                order.push(path);
            }
        }
    }
    order
}

fn is_wanted(name: &str) -> bool {
    WANTED.contains(&name) || name.starts_with(EXPRESSIONS)
}

/// `nft_ct` of `kernel/net/netfilter/nft_ct.ko.xz`.
fn stem(path: &str) -> String {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.split('.').next().unwrap_or(file).replace('-', "_")
}

fn read(path: &Path) -> Result<Module> {
    let name = stem(&path.to_string_lossy());
    let program = match path.extension().and_then(|e| e.to_str()) {
        Some("xz") => "xz",
        Some("zst") => "zstd",
        _ => {
            let content = fs::read(path).or_fail(|| format!("read {}", path.display()))?;
            return Ok(Module { name, content });
        }
    };
    let output = Command::new(program).arg("-dc").arg(path).output();
    let output = output.or_fail(|| format!("start `{program}`"))?;
    if !output.status.success() {
        return Err(Failure::new(format!("{program} cannot unpack {}", path.display())));
    }
    Ok(Module { name, content: output.stdout })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_module_comes_after_those_that_it_needs() {
        let table = "kernel/drivers/net/veth.ko:\n\
                     kernel/drivers/net/dummy.ko:\n\
                     kernel/net/nft_ct.ko.xz: kernel/net/nf_tables.ko.xz kernel/net/nf-conntrack.ko.xz kernel/lib/crc.ko.xz\n\
                     kernel/net/nf_tables.ko.xz: kernel/lib/crc.ko.xz\n";
        let names: Vec<_> = order(table).into_iter().map(stem).collect();
        assert_eq!(names, ["veth", "crc", "nf_conntrack", "nf_tables", "nft_ct"]);
    }
}
