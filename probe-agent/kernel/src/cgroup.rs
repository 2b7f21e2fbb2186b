//! The cgroup that the ACK guard is attached to.
//!
//! A socket belongs to the cgroup that its creating task was in, so the agent joins its cgroup before
//! it makes slots. A cgroup of its own keeps the guard away from other programs' packets. Where none can
//! be made (a read-only mount in a container, a user who is not root), the one that the agent is in will do,
//! because the guard knows the agent's sockets; but never the root cgroup, where every packet of the host
//! would pass the guard.

mod shared;

use std::{
    fs::{self, File},
    io,
    os::fd::{AsFd, BorrowedFd},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use model::errno::in_words;

use self::shared::Sharing;
use crate::error::TraceError;

/// The one that this process is in, and how many use it. Sessions of one process share it, because the
/// process moves as a whole. The lock is held while it moves.
static JOINED: Mutex<Option<(Arc<Directory>, usize)>> = Mutex::new(None);

fn joined() -> MutexGuard<'static, Option<(Arc<Directory>, usize)>> {
    JOINED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the names of the agent's cgroups begin with; its process id follows.
const PREFIX: &str = "probe-agent-";

/// A share of the cgroup that this process is in. The last share leaves it: by [`Self::leave`], or when it
/// is dropped, as far as that is possible.
#[derive(Debug)]
pub(crate) struct Cgroup {
    place: Arc<Directory>,
    is_held: bool,
}

/// A cgroup.
#[derive(Debug)]
struct Directory {
    directory: File,
    /// Where to go back to, and what to remove then; `None` where none was made.
    made: Option<(PathBuf, PathBuf)>,
    /// Why packets of other processes pass the programs; `None` where they do not.
    others: Option<String>,
}

impl Cgroup {
    /// Makes a cgroup and joins it, or takes the one that the process is in.
    ///
    /// # Errors
    /// If there is no cgroup v2, it cannot be opened, or the process is in the root cgroup and may not make
    /// another.
    pub(crate) fn join() -> Result<Self, TraceError> {
        let mut joined = joined();
        if let Some((place, users)) = joined.as_mut() {
            *users += 1;
            return Ok(Self { place: Arc::clone(place), is_held: true });
        }
        let home = home()?;
        sweep(&home);
        let place = Arc::new(match Directory::make(&home) {
            Ok(place) => place,
            Err(error) => Directory::take(&home, &in_words(error))?,
        });
        *joined = Some((Arc::clone(&place), 1));
        Ok(Self { place, is_held: true })
    }

    /// Why packets of other processes pass the programs on it; `None` where they do not.
    pub(crate) fn others(&self) -> Option<&str> {
        self.place.others.as_deref()
    }

    /// Gives this share back; the last one moves the process to where it was and removes the cgroup.
    ///
    /// # Errors
    /// If the process cannot be moved or the cgroup cannot be removed; the next agent removes it.
    pub(crate) fn leave(mut self) -> io::Result<()> {
        self.release()
    }

    fn release(&mut self) -> io::Result<()> {
        if !std::mem::take(&mut self.is_held) {
            return Ok(());
        }
        let mut joined = joined();
        if let Some((_, users)) = joined.as_mut() {
            *users -= 1;
            if *users > 0 {
                return Ok(());
            }
        }
        *joined = None;
        let Some((home, own)) = &self.place.made else { return Ok(()) };
        move_into(home)?;
        fs::remove_dir(own)
    }
}

impl Directory {
    /// Takes the one that the process is in, because `refused` kept it from making one.
    fn take(home: &Path, refused: &io::Error) -> Result<Self, TraceError> {
        let others = match shared::sharing(home) {
            Sharing::Host => return Err(shared::with_the_host(refused)),
            Sharing::Nobody => None,
            Sharing::Others => Some(format!("no cgroup of the agent's own can be made: {refused}")),
        };
        let directory = File::open(home)
            .map_err(|e| TraceError::Load(format!("{}: {}", home.display(), in_words(e))))?;
        Ok(Self { directory, made: None, others })
    }

    fn make(home: &Path) -> io::Result<Self> {
        let own = home.join(format!("{PREFIX}{}", std::process::id()));
        match fs::create_dir(&own) {
            // This process made it before, and could not remove it when it left: a child was still in it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        let joined = File::open(&own).and_then(|directory| {
            move_into(&own)?;
            Ok(directory)
        });
        match joined {
            Ok(directory) => {
                Ok(Self { directory, made: Some((home.to_owned(), own)), others: None })
            }
            Err(error) => {
                // One that the process could not join is of no use.
                let _ = fs::remove_dir(&own);
                Err(error)
            }
        }
    }
}

impl AsFd for Cgroup {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.place.directory.as_fd()
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // What cannot be removed now is removed by the next agent.
        let _ = self.release();
    }
}

fn move_into(cgroup: &Path) -> io::Result<()> {
    fs::write(cgroup.join("cgroup.procs"), "0")
}

/// Removes the cgroups of agents that were killed; the kernel refuses to remove one in use.
fn sweep(home: &Path) {
    for entry in fs::read_dir(home).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(pid) = name.to_str().and_then(|n| n.strip_prefix(PREFIX)) else { continue };
        if pid.parse::<u32>().is_ok() && !Path::new("/proc").join(pid).exists() {
            // An agent that it had started made its own inside.
            sweep(&entry.path());
            let _ = fs::remove_dir(entry.path());
        }
    }
}

/// The directory of the cgroup that this process is in.
fn home() -> Result<PathBuf, TraceError> {
    let read = |file: &str| {
        let unread = |e| TraceError::Load(format!("{file}: {}", in_words(e)));
        fs::read_to_string(file).map_err(unread)
    };
    let table = read("/proc/self/mountinfo")?;
    let (root, place) = mount(&table).ok_or_else(|| unmounted(&table))?;
    let own = own_path(&read("/proc/self/cgroup")?)
        .ok_or_else(|| TraceError::Load("this kernel has no cgroup v2".to_owned()))?;
    // In a container the mount may show a part of the hierarchy only.
    let below = own.strip_prefix(&root).unwrap_or(Path::new("")).to_owned();
    Ok(place.join(below))
}

/// Why there is no cgroup v2 in a mount table, and the remedy. `ip netns exec NAME` mounts /sys anew,
/// which hides it, and calls that mount NAME.
fn unmounted(table: &str) -> TraceError {
    let sysfs = table.lines().find_map(|line| {
        let (fields, rest) = line.split_once(" - sysfs ")?;
        (fields.split(' ').nth(4)? == "/sys").then_some(rest)
    });
    match sysfs.and_then(|rest| rest.split(' ').next()) {
        Some(name) if !matches!(name, "sysfs" | "sys" | "none") => TraceError::Missing {
            reason: format!(
                "no cgroup v2 is mounted here, as within `ip netns exec {name}`, which mounts /sys anew"
            ),
            remedy: format!("run the agent outside, with --netns /run/netns/{name}"),
        },
        _ => TraceError::Missing {
            reason: "no cgroup v2 is mounted".to_owned(),
            remedy: "have root `mount -t cgroup2 none /sys/fs/cgroup`".to_owned(),
        },
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
    fn the_remedy_depends_on_what_hides_it() {
        let unmounted = |table| unmounted(table).to_string();
        let host = "23 28 0:21 / /sys rw,relatime shared:6 - sysfs sysfs rw\n";
        assert!(unmounted(host).contains("have root"), "{}", unmounted(host));
        let within = "29 1 8:1 / / rw - ext4 /dev/vda rw\n49 46 0:39 / /sys rw - sysfs blue rw\n";
        assert!(unmounted(within).ends_with("--netns /run/netns/blue"), "{}", unmounted(within));
    }
}
