//! The cgroup that the ACK guard stands on.
//!
//! A socket belongs to the cgroup that its creating task was in, so the agent joins its cgroup before
//! it makes slots. A cgroup of its own keeps the guard out of other programs' way; where none can be
//! made (a read-only mount in a container), the one that the agent is in serves too, because the
//! guard knows the agent's sockets.

use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// The one that this process is in, and how many use it: sessions of one process share it, because
/// it is the process that moves. Whoever moves it holds the lock.
static JOINED: Mutex<Option<(Arc<Directory>, usize)>> = Mutex::new(None);

fn joined() -> MutexGuard<'static, Option<(Arc<Directory>, usize)>> {
    JOINED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the names of the agent's cgroups begin with; its process id follows.
const PREFIX: &str = "probe-agent-";

/// A share of the cgroup that this process is in; the last one to be dropped leaves it.
#[derive(Debug)]
pub(crate) struct Cgroup(Arc<Directory>);

/// A cgroup.
#[derive(Debug)]
struct Directory {
    directory: File,
    /// Where to go back to, and what to remove then; `None` where none was made.
    made: Option<(PathBuf, PathBuf)>,
}

impl Cgroup {
    /// Makes a cgroup and joins it, or takes the one that the process is in.
    ///
    /// # Errors
    /// If there is no cgroup v2, or it cannot be opened.
    pub(crate) fn join() -> io::Result<Self> {
        let mut joined = joined();
        if let Some((place, users)) = joined.as_mut() {
            *users += 1;
            return Ok(Self(Arc::clone(place)));
        }
        let home = home()?;
        sweep(&home);
        let place = Arc::new(match Directory::make(&home) {
            Ok(place) => place,
            Err(_) => Directory { directory: File::open(&home)?, made: None },
        });
        *joined = Some((Arc::clone(&place), 1));
        Ok(Self(place))
    }
}

impl Directory {
    fn make(home: &Path) -> io::Result<Self> {
        let own = home.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&own)?;
        let joined = File::open(&own).and_then(|directory| {
            move_into(&own)?;
            Ok(directory)
        });
        match joined {
            Ok(directory) => Ok(Self { directory, made: Some((home.to_owned(), own)) }),
            Err(error) => {
                // Half a cgroup is none.
                let _ = fs::remove_dir(&own);
                Err(error)
            }
        }
    }
}

impl AsFd for Cgroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.directory.as_fd()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        let mut joined = joined();
        let Some((_, users)) = joined.as_mut() else { return };
        *users -= 1;
        if *users > 0 {
            return;
        }
        *joined = None;
        if let Some((home, own)) = &self.0.made {
            // What cannot be removed now is swept away by the next agent.
            let _ = move_into(home).and_then(|()| fs::remove_dir(own));
        }
    }
}

fn move_into(cgroup: &Path) -> io::Result<()> {
    fs::write(cgroup.join("cgroup.procs"), "0")
}

/// Removes what agents left behind that were killed; the kernel refuses to remove what is in use.
fn sweep(home: &Path) {
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|n| n.strip_prefix(PREFIX)) else { continue };
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            // An agent that another one had started made its own within.
            sweep(&entry.path());
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// The directory of the cgroup that this process is in.
fn home() -> io::Result<PathBuf> {
    let missing = |why| io::Error::new(io::ErrorKind::NotFound, why);
    let table = fs::read_to_string("/proc/self/mountinfo")?;
    let (root, place) = mount(&table).ok_or_else(|| missing(unmounted(&table)))?;
    let own = own_path(&fs::read_to_string("/proc/self/cgroup")?)
        .ok_or_else(|| missing("this kernel has no cgroup v2".to_owned()))?;
    // In a container the mount may show a part of the hierarchy only.
    let below = own.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
    Ok(place.join(below))
}

/// Why there is no cgroup v2 in a mount table, and the remedy. `ip netns exec NAME` mounts /sys anew,
/// which hides it, and calls that mount NAME.
fn unmounted(table: &str) -> String {
    let sysfs = table.lines().find_map(|line| {
        let (fields, rest) = line.split_once(" - sysfs ")?;
        (fields.split(' ').nth(4)? == "/sys").then_some(rest)
    });
    match sysfs.and_then(|rest| rest.split(' ').next()) {
        Some(name) if !matches!(name, "sysfs" | "sys" | "none") => format!(
            "no cgroup v2 is mounted here, as within `ip netns exec {name}`, which mounts /sys anew: \
             run the agent outside, with --netns /run/netns/{name}"
        ),
        _ => "no cgroup v2 is mounted: have root `mount -t cgroup2 none /sys/fs/cgroup`".to_owned(),
    }
}

/// Root and mount point of the first cgroup v2 in `/proc/self/mountinfo` (proc(5)).
fn mount(table: &str) -> Option<(PathBuf, PathBuf)> {
    table.lines().find_map(|line| {
        let (fields, rest) = line.split_once(" - ")?;
        let mut fields = fields.split(' ').skip(3);
        rest.starts_with("cgroup2 ")
            .then(|| Some((fields.next()?.into(), fields.next()?.into())))?
    })
}

/// The path in the line of the unified hierarchy of `/proc/self/cgroup`: `0::/path` (cgroups(7)).
fn own_path(table: &str) -> Option<PathBuf> {
    table.lines().find_map(|line| line.strip_prefix("0::")).map(PathBuf::from)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{mount, own_path, unmounted};

    #[test]
    fn the_unified_hierarchy_is_found_among_the_others() {
        let table = "24 20 0:21 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n\
                     25 24 0:22 / /sys/fs/cgroup/cpu rw shared:7 - cgroup cgroup rw,cpu\n\
                     26 24 0:23 /pod /sys/fs/cgroup/unified rw shared:8 - cgroup2 cgroup2 rw\n";
        let (root, place) = mount(table).unwrap();
        assert_eq!(root, Path::new("/pod"));
        assert_eq!(place, Path::new("/sys/fs/cgroup/unified"));
        let own = own_path("3:cpu:/a\n0::/pod/b\n").unwrap();
        assert_eq!(own, Path::new("/pod/b"));
    }

    #[test]
    fn what_hides_it_is_told() {
        let host = "23 28 0:21 / /sys rw,relatime shared:6 - sysfs sysfs rw\n";
        assert!(unmounted(host).contains("have root"), "{}", unmounted(host));
        let within = "29 1 8:1 / / rw - ext4 /dev/vda rw\n49 46 0:39 / /sys rw - sysfs blue rw\n";
        assert!(unmounted(within).ends_with("--netns /run/netns/blue"), "{}", unmounted(within));
    }
}
