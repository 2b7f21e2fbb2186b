//! Where processes are in the cgroup v2 hierarchy.

use std::{
    fmt::Display,
    fs,
    path::{Path, PathBuf},
};

/// The directory of the cgroup that a process is in: its id, or `self`.
///
/// # Panics
/// There is no such process, or no cgroup v2.
#[must_use]
pub fn of(process: impl Display) -> PathBuf {
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    let mount = mounts.lines().find(|line| line.contains(" - cgroup2 ")).unwrap();
    let mut fields = mount.split(' ').skip(3);
    let (root, place) = (fields.next().unwrap(), fields.next().unwrap());
    let cgroups = fs::read_to_string(format!("/proc/{process}/cgroup")).unwrap();
    let path = Path::new(cgroups.lines().find_map(|line| line.strip_prefix("0::")).unwrap());
    Path::new(place).join(path.strip_prefix(root).unwrap_or(path))
}
