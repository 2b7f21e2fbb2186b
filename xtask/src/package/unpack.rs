//! Unpacks packages as a registry's client does.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::command;
use crate::failure::{OrFail, Result};

/// Unpacks the package `file` in the directory `into` and returns where its sources are. Sources of the
/// same package that are there already stay as they are, with their times: cargo need not rebuild them.
pub(super) fn unpack(file: &Path, into: &Path) -> Result<PathBuf> {
    let sources = into.join(file.file_stem().unwrap_or_default());
    let kept = into.join(file.file_name().unwrap_or_default());
    let package = fs::read(file).or_fail(|| format!("read {}", file.display()))?;
    if sources.is_dir() && fs::read(&kept).is_ok_and(|old| old == package) {
        return Ok(sources);
    }
    fs::create_dir_all(into).or_fail(|| format!("create {}", into.display()))?;
    // Removed first and written last, so that an interrupted run is not taken for a complete one.
    if kept.exists() {
        fs::remove_file(&kept).or_fail(|| format!("remove {}", kept.display()))?;
    }
    if sources.exists() {
        fs::remove_dir_all(&sources).or_fail(|| format!("remove {}", sources.display()))?;
    }
    // All files in a package have the same old time. cargo would not notice that they have changed.
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--touch", "--file"]).arg(file).arg("--directory").arg(into);
    command::capture(&mut tar)?;
    fs::write(&kept, package).or_fail(|| format!("write {}", kept.display()))?;
    Ok(sources)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes the package `a-1.0.crate` of one file.
    fn package(scratch: &Path, content: &str) -> PathBuf {
        let file = scratch.join("a-1.0.crate");
        fs::create_dir_all(scratch.join("a-1.0")).unwrap();
        fs::write(scratch.join("a-1.0/lib.rs"), content).unwrap();
        let mut tar = Command::new("tar");
        tar.args(["--create", "--gzip", "--mtime=@1", "--file"]).arg(&file);
        command::capture(tar.arg("--directory").arg(scratch).arg("a-1.0")).unwrap();
        file
    }

    #[test]
    fn a_changed_package_replaces_the_sources_and_an_unchanged_one_does_not() {
        let scratch = std::env::temp_dir().join(format!("xtask-unpack-{}", std::process::id()));
        let into = scratch.join("into");
        fs::create_dir_all(&scratch).unwrap();
        let unpacked = |content| {
            let sources = unpack(&package(&scratch, content), &into).unwrap();
            let file = sources.join("lib.rs");
            let time = fs::metadata(&file).unwrap().modified().unwrap();
            (fs::read_to_string(file).unwrap(), time)
        };
        let (text, first) = unpacked("one");
        assert_eq!(text, "one");
        assert!(first.elapsed().unwrap().as_secs() < 3600, "the time is that of the unpacking");
        assert_eq!(unpacked("one"), ("one".to_owned(), first));
        let (text, second) = unpacked("two");
        assert_eq!(text, "two");
        assert!(second > first);
        fs::remove_dir_all(&scratch).unwrap();
    }
}
