//! A kernel of the package archive: downloaded once, compared with the archive's checksum at each use, and
//! unpacked; never installed.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::cache;
use crate::command::{capture, run};
use crate::failure::{Failure, OrFail, Result};
use crate::progress::{logged, note};
use crate::setup;

/// An unpacked kernel.
pub(super) struct Kernel {
    /// The name of its package.
    pub(super) name: String,
    /// Everything in the package.
    pub(super) root: PathBuf,
    /// SHA-256 of the packages that it is made of.
    pub(super) sha256: String,
}

/// The newest kernel for virtual machines whose package name begins with `prefix`.
pub(super) fn fetch(prefix: &str) -> Result<Kernel> {
    setup::fresh_lists()?;
    let names = capture(Command::new("apt-cache").args(["pkgnames", prefix]))?;
    let name = newest(names.lines(), prefix).ok_or_else(|| {
        Failure::new(format!("the package archive of this system has no {prefix}*-cloud-amd64"))
            .remedy("name a kernel package that `apt-cache pkgnames linux-image-` lists, or add its archive")
    })?;
    let debs = cache::directory()?.join("vm").join("packages");
    fs::create_dir_all(&debs).or_fail(|| format!("create {}", debs.display()))?;
    let mut files = vec![download(&name, &debs)?];
    // Newer packages keep the image and the modules apart.
    let fields =
        capture(Command::new("dpkg-deb").arg("--field").arg(&files[0].path).arg("Depends"))?;
    for part in parts(&fields) {
        files.push(download(part, &debs)?);
    }
    let sha256 = files.iter().map(|file| file.sha256.as_str()).collect::<Vec<_>>().join("-");
    let root = cache::directory()?.join("vm").join(format!("{name}.unpacked"));
    // Made again each time: the archive's checksum is that of the packages.
    cache::remove(&root)?;
    for file in &files {
        run(Command::new("dpkg-deb").arg("--extract").arg(&file.path).arg(&root))?;
    }
    Ok(Kernel { name, root, sha256 })
}

/// A package as it is in the archive.
struct File {
    path: PathBuf,
    sha256: String,
}

/// Takes a package from the cache, or downloads it, and compares it with the archive's checksum.
fn download(name: &str, into: &Path) -> Result<File> {
    let shown = capture(Command::new("apt-cache").args(["show", "--no-all-versions", name]))?;
    let field = |key: &str| {
        let found = shown.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        found.ok_or_else(|| Failure::new(format!("`apt-cache show {name}` has no field {key}")))
    };
    let sha256 = field("SHA256")?.to_owned();
    let path = into.join(format!("{name}.{}.deb", &sha256[..sha256.len().min(16)]));
    let is_good = || path.exists() && cache::sha256(&path).is_ok_and(|found| found == sha256);
    if is_good() {
        return Ok(File { path, sha256 });
    }
    note(&format!("apt-get downloads {name}"));
    let work = into.join("download");
    cache::remove(&work)?;
    fs::create_dir_all(&work).or_fail(|| format!("create {}", work.display()))?;
    let mut apt = Command::new("apt-get");
    apt.args(["download", name]).current_dir(&work);
    logged(&mut apt, &cache::log("vm-download.log")?)
        .map_err(|failure| failure.remedy("run `apt-get update`, and see the log"))?;
    let downloaded = fs::read_dir(&work).or_fail(|| format!("read {}", work.display()))?;
    let file = downloaded.flatten().next();
    let file = file.ok_or_else(|| Failure::new(format!("apt-get downloaded no {name}")))?;
    fs::rename(file.path(), &path).or_fail(|| format!("write {}", path.display()))?;
    cache::remove(&work)?;
    if is_good() {
        return Ok(File { path, sha256 });
    }
    let found = cache::sha256(&path)?;
    Err(Failure::new(format!("{name} has SHA-256 {found}, not {sha256} as in the archive"))
        .remedy("run `apt-get update` and try again"))
}

/// The name itself, or the newest of those that begin with it, among the kernels for virtual machines. They
/// are smaller than the others.
fn newest<'a>(names: impl Iterator<Item = &'a str>, prefix: &str) -> Option<String> {
    let names: Vec<&str> = names.collect();
    if names.contains(&prefix) {
        return Some(prefix.to_owned());
    }
    // linux-image-6.1 is not the beginning of linux-image-6.12.
    let is_whole = |rest: &str| !prefix.ends_with(digit) || !rest.starts_with(digit);
    let is_kernel = |name: &&&str| {
        // One with two numbers only is a package without content, which depends on the newest kernel.
        let is_one = name.ends_with("-cloud-amd64") && name.matches('.').count() >= 2;
        is_one && name.strip_prefix(prefix).is_some_and(is_whole)
    };
    let newest = names.iter().filter(is_kernel).max_by(|a, b| by_version(a, b));
    newest.map(|name| (*name).to_owned())
}

fn digit(c: char) -> bool {
    c.is_ascii_digit()
}

/// Numbers are compared as numbers.
fn by_version(one: &str, other: &str) -> Ordering {
    let numbers = |name: &str| -> Vec<u64> {
        name.split(|c| !digit(c)).filter_map(|n| n.parse().ok()).collect()
    };
    numbers(one).cmp(&numbers(other))
}

/// The packages that hold the rest of a kernel.
fn parts(depends: &str) -> impl Iterator<Item = &str> {
    let names = depends.split(',').filter_map(|entry| entry.split_whitespace().next());
    names.filter(|n| n.starts_with("linux-binary-") || n.starts_with("linux-modules-"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_kernel_of_a_series_is_taken() {
        let names = [
            "linux-image-6.12-cloud-amd64",
            "linux-image-6.12.9+deb12-cloud-amd64",
            "linux-image-6.12.117+deb12-cloud-amd64",
            "linux-image-6.12.117+deb12-rt-amd64",
            "linux-image-6.12.118+deb12-amd64",
        ];
        let newest = |prefix| newest(names.into_iter().filter(|n| n.starts_with(prefix)), prefix);
        let expected = Some("linux-image-6.12.117+deb12-cloud-amd64".to_owned());
        assert_eq!(newest("linux-image-6.12."), expected);
        assert_eq!(newest("linux-image-6.12"), expected);
        assert_eq!(newest("linux-image-6.1"), None);
        let exact = "linux-image-6.12.9+deb12-cloud-amd64";
        assert_eq!(newest(exact).as_deref(), Some(exact));
        assert_eq!(newest("linux-image-6.1."), None);
    }

    #[test]
    fn a_kernel_in_parts_is_put_together() {
        let depends =
            "kmod, linux-base (>= 4.3~), linux-binary-7.3 (= 7.3-1), linux-modules-7.3 (= 7.3-1)\n";
        assert_eq!(parts(depends).collect::<Vec<_>>(), ["linux-binary-7.3", "linux-modules-7.3"]);
    }
}
