//! Keeps tools that are slow to build or download in the user's cache directory, and verifies them at each
//! use.
//!
//! An entry is a directory with one executable and its SHA-256 in the format of `sha256sum`. It is made in a
//! temporary directory and renamed into place, so that it is complete or absent. A lock keeps two runs of
//! xtask from making the same entry.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command::{capture, succeeds};
use crate::failure::{Failure, OrFail, Result};

/// One executable in the cache.
pub(crate) struct Entry {
    cache: PathBuf,
    key: String,
    program: &'static str,
}

/// The state of an entry.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// It was never made.
    Absent,
    /// It is as it was installed.
    Good,
    /// It is not as it was installed. The text says why.
    Corrupt(String),
}

/// The cache directory of this user.
pub(crate) fn directory() -> Result<PathBuf> {
    let variable =
        |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    variable("XDG_CACHE_HOME")
        .or_else(|| Some(variable("HOME")?.join(".cache")))
        .map(|base| base.join("probe-agent"))
        .ok_or_else(|| {
            Failure::new(
                "there is no directory for the cache: neither XDG_CACHE_HOME nor HOME is set",
            )
            .remedy("set HOME, or set XDG_CACHE_HOME to a writable directory")
        })
}

/// The log file of a slow set-up step.
pub(crate) fn log(name: &str) -> Result<PathBuf> {
    Ok(directory()?.join("logs").join(name))
}

impl Entry {
    /// The entry `key`, which contains `program`. The key names everything that the content depends on.
    pub(crate) fn new(cache: PathBuf, key: String, program: &'static str) -> Self {
        Self { cache, key, program }
    }

    /// The path of the executable, once the entry is good.
    pub(crate) fn executable(&self) -> PathBuf {
        self.directory().join(self.program)
    }

    /// Compares the executable with the checksum recorded beside it.
    pub(crate) fn state(&self) -> State {
        let (executable, record) = (self.executable(), self.directory().join("SHA256SUMS"));
        if !executable.exists() && !record.exists() {
            return State::Absent;
        }
        if !record.exists() {
            return State::Corrupt("its checksum is missing".into());
        }
        let mut check = Command::new("sha256sum");
        check.args(["--check", "--status", "--strict", "SHA256SUMS"]).current_dir(self.directory());
        if succeeds(&mut check) {
            State::Good
        } else {
            State::Corrupt("it differs from its recorded checksum".into())
        }
    }

    /// Makes the entry unless it is good. `make` works in an empty directory and returns the path of the
    /// executable that it made.
    pub(crate) fn install(&self, make: impl FnOnce(&Path) -> Result<PathBuf>) -> Result<()> {
        let lock = self.lock()?;
        if self.state() != State::Good {
            let work = self.cache.join(format!("{}.tmp", self.key));
            remove(&work)?;
            create(&work)?;
            let made = make(&work)?;
            self.put(&work, &made)?;
            remove(&work)?;
        }
        drop(lock);
        Ok(())
    }

    /// Removes the entry, so that the next installation makes it again.
    pub(crate) fn discard(&self) -> Result<()> {
        remove(&self.directory())
    }

    fn put(&self, work: &Path, made: &Path) -> Result<()> {
        let ready = work.join("ready");
        create(&ready)?;
        let executable = ready.join(self.program);
        fs::rename(made, &executable).or_fail(|| format!("move {}", made.display()))?;
        let sums = capture(Command::new("sha256sum").arg(self.program).current_dir(&ready))?;
        let record = ready.join("SHA256SUMS");
        fs::write(&record, sums).or_fail(|| format!("write {}", record.display()))?;
        remove(&self.directory())?;
        fs::rename(&ready, self.directory())
            .or_fail(|| format!("move {} into place", self.directory().display()))
    }

    fn directory(&self) -> PathBuf {
        self.cache.join(&self.key)
    }

    fn lock(&self) -> Result<File> {
        create(&self.cache)?;
        let path = self.cache.join("lock");
        let file = File::create(&path).or_fail(|| format!("create {}", path.display()))?;
        if file.try_lock().is_err() {
            eprintln!("    waiting for another `cargo xtask` that is filling the cache");
            file.lock().or_fail(|| format!("lock {}", path.display()))?;
        }
        Ok(file)
    }
}

/// The SHA-256 of a file, in hexadecimal.
pub(crate) fn sha256(path: &Path) -> Result<String> {
    let output = capture(Command::new("sha256sum").arg("--").arg(path))?;
    // A leading backslash marks an escaped file name.
    let sum = output.trim_start_matches('\\').split_whitespace().next();
    sum.map(str::to_owned).ok_or_else(|| Failure::new("sha256sum printed nothing"))
}

fn create(path: &Path) -> Result<()> {
    fs::create_dir_all(path).or_fail(|| format!("create {}", path.display()))
}

/// Removes a folder, if it is there.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).or_fail(|| format!("remove {}", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
