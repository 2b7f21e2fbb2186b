//! bpf-linker. It must be built with the major version of LLVM that wrote the bitcode: that of rustc.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Look, Tools, apt};
use crate::cache::{self, Entry, State};
use crate::command::{find, succeeds};
use crate::failure::{Failure, OrFail, Result};
use crate::progress;

const VERSION: &str = "0.13.0";
/// The major versions of LLVM for which this version of bpf-linker has a feature.
const SUPPORTED: std::ops::RangeInclusive<u32> = 21..=23;

/// Looks on PATH, then in the cache.
pub(super) fn look(tools: &mut Tools) -> Result<Look> {
    let Some(toolchain) = &tools.toolchain else {
        return Ok(Look::Missing("it depends on the toolchain, which is missing".into()));
    };
    let llvm = toolchain.llvm;
    if let Some(linker) = on_path(llvm) {
        let found = Look::Ready(format!("{} on PATH, for LLVM {llvm}", linker.display()));
        tools.linker = Some(linker);
        return Ok(found);
    }
    let entry = entry(llvm)?;
    let linker = entry.executable();
    Ok(match entry.state() {
        State::Absent => Look::Missing(format!("none for LLVM {llvm} on PATH or in the cache")),
        State::Corrupt(why) => Look::Missing(format!("{} is corrupt: {why}", linker.display())),
        State::Good if !runs(&linker) => {
            Look::Missing(format!("{} does not run: a library is missing", linker.display()))
        }
        State::Good => {
            let found = Look::Ready(format!("{VERSION} for LLVM {llvm} in {}", linker.display()));
            tools.linker = Some(linker);
            found
        }
    })
}

/// Builds it, unless the cached one needs only a library.
pub(super) fn install(tools: &Tools) -> Result<()> {
    let llvm = tools.toolchain()?.llvm;
    let entry = entry(llvm)?;
    if entry.state() == State::Good {
        if apt::present() {
            apt::install(&[&format!("libllvm{llvm}")], "install the LLVM library for bpf-linker")?;
        }
        if runs(&entry.executable()) {
            return Ok(());
        }
        // It is intact but does not run: it was built for another system (a shared cache, an upgrade).
        progress::note("the cached bpf-linker does not run on this system and will be rebuilt");
        entry.discard()?;
    }
    let prefix = llvm_prefix(llvm)?;
    entry.install(|work| build(work, llvm, &prefix))
}

/// Whether a bpf-linker for `llvm` is there or can be built on this system.
pub(super) fn obtainable(llvm: u32) -> bool {
    if on_path(llvm).is_some() {
        return true;
    }
    let package = format!("llvm-{llvm}-dev");
    SUPPORTED.contains(&llvm)
        && (installed_prefix(llvm).is_some()
            || (apt::present() && apt::knows(&package) != Some(false)))
}

fn build(work: &Path, llvm: u32, prefix: &Path) -> Result<PathBuf> {
    progress::note(&format!(
        "cargo builds bpf-linker {VERSION} for LLVM {llvm} (one to three minutes)"
    ));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let feature = format!("llvm-{llvm}");
    let mut install = Command::new(cargo);
    install
        .current_dir(work)
        .args(["install", "bpf-linker", "--version", VERSION, "--locked", "--no-default-features"])
        .args(["--features", &feature, "--root", "root", "--target-dir", "target"])
        .env("LLVM_PREFIX", prefix)
        .env_remove("CARGO_TARGET_DIR")
        .env_remove("CARGO_BUILD_TARGET");
    progress::logged(&mut install, &cache::log("bpf-linker.log")?).map_err(|failure| {
        failure.remedy("read the log; the build needs a C compiler and access to crates.io")
    })?;
    let made = work.join("root").join("bin/bpf-linker");
    if !runs(&made) {
        return Err(Failure::new("the bpf-linker that was just built does not run"));
    }
    Ok(made)
}

/// The directory of LLVM's development files. Installs them first if apt is there.
fn llvm_prefix(llvm: u32) -> Result<PathBuf> {
    if !apt::present() {
        return installed_prefix(llvm).ok_or_else(|| {
            Failure::new(format!("LLVM {llvm} with its development files is missing"))
                .remedy(format!("install LLVM {llvm} and set LLVM_PREFIX to its directory, or put a bpf-linker for it on PATH"))
        });
    }
    let (headers, polly) = (format!("llvm-{llvm}-dev"), format!("libpolly-{llvm}-dev"));
    let packages = [headers.as_str(), &polly, "zlib1g-dev", "libzstd-dev"];
    apt::install(&packages, "install what the build of bpf-linker needs")?;
    installed_prefix(llvm).ok_or_else(|| {
        Failure::new(format!("{headers} is installed but /usr/lib/llvm-{llvm} does not exist"))
            .remedy("set LLVM_PREFIX to the directory of LLVM")
    })
}

fn installed_prefix(llvm: u32) -> Option<PathBuf> {
    let given = std::env::var_os("LLVM_PREFIX").map(PathBuf::from);
    let debian = PathBuf::from(format!("/usr/lib/llvm-{llvm}"));
    given.into_iter().chain([debian]).find(|prefix| prefix.join("include/llvm-c").is_dir())
}

fn entry(llvm: u32) -> Result<Entry> {
    let key = format!("bpf-linker-{VERSION}-llvm{llvm}-{}", std::env::consts::ARCH);
    Ok(Entry::new(cache::directory()?, key, "bpf-linker"))
}

fn on_path(llvm: u32) -> Option<PathBuf> {
    let linker = find("bpf-linker")?;
    let bytes = fs::read(&linker).or_fail(|| "read".into()).ok()?;
    (llvm_of(&bytes) == Some(llvm) && runs(&linker)).then_some(linker)
}

fn runs(linker: &Path) -> bool {
    succeeds(Command::new(linker).arg("--version"))
}

/// The major version of LLVM in a bpf-linker, which prints only its own version. An older LLVM may read the
/// bitcode of a newer one without an error until it finds something new. But a dynamic build contains the
/// name of the library that it loads, and a static one the signature that LLVM writes into bitcode.
fn llvm_of(binary: &[u8]) -> Option<u32> {
    const SIGNS: [&[u8]; 3] = [b"libLLVM.so.", b"libLLVM-", b"LLVM"];
    SIGNS.into_iter().find_map(|sign| {
        binary
            .windows(sign.len())
            .enumerate()
            .filter(|(_, window)| *window == sign)
            .find_map(|(at, _)| major(&binary[at + sign.len()..]))
    })
}

/// Two digits and what may follow them: a point, or the end of a C string.
fn major(text: &[u8]) -> Option<u32> {
    match text {
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9', b'.' | 0, ..] => {
            Some(u32::from(tens - b'0') * 10 + u32::from(ones - b'0'))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_llvm_of_a_linker_is_found_in_its_bytes() {
        assert_eq!(llvm_of(b"..\0libLLVM.so.22.1\0.."), Some(22));
        assert_eq!(llvm_of(b"..\0libLLVM-14.so.1\0.."), Some(14));
        assert_eq!(llvm_of(b"LLVMContext..LLVM21.1.8\0"), Some(21));
        assert_eq!(llvm_of(b"LLVM ERROR: LLVM2"), None);
        assert_eq!(llvm_of(b""), None);
    }
}
