//! Which network namespaces a process has, and whether they still exist after its end.
//!
//! The kernel reuses the inode number of a namespace as soon as it is free, but never its cookie. Each
//! namespace is identified by both.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    thread,
};

use kernel::netns::cookie;
use nix::sched::{CloneFlags, setns};

/// Cookies by inode number.
pub type Namespaces = BTreeMap<u64, u64>;

/// The network namespaces that a process is in or holds a descriptor of, except the caller's own.
#[must_use]
pub fn of(process: u32) -> Namespaces {
    let own = inode(Path::new("/proc/self/ns/net"));
    places(&Path::new("/proc").join(process.to_string()))
        .into_iter()
        .filter_map(|place| Some((inode(&place)?, place)))
        .filter(|(inode, _)| Some(*inode) != own)
        .filter_map(|(inode, place)| Some((inode, cookie_of(&place)?)))
        .collect()
}

/// Those of `namespaces` that a process on this host is still in or holds a descriptor of.
#[must_use]
pub fn left(namespaces: &Namespaces) -> Namespaces {
    entries(Path::new("/proc"))
        .iter()
        .filter(|path| path.join("fd").exists())
        .flat_map(|process| places(process))
        .filter_map(|place| {
            let inode = inode(&place)?;
            let expected = namespaces.get(&inode)?;
            (cookie_of(&place)? == *expected).then_some((inode, *expected))
        })
        .collect()
}

/// Everything in a process that may be a network namespace.
fn places(process: &Path) -> Vec<PathBuf> {
    let threads = entries(&process.join("task")).into_iter().map(|thread| thread.join("ns/net"));
    threads.chain(entries(&process.join("fd"))).collect()
}

// Processes and descriptors may disappear during a scan; then they hold nothing.

fn inode(place: &Path) -> Option<u64> {
    let target = fs::read_link(place).ok()?;
    target.to_str()?.starts_with("net:[").then(|| fs::metadata(place).ok())?.map(|file| file.ino())
}

fn cookie_of(place: &Path) -> Option<u64> {
    let file = File::open(place).ok()?;
    let inside = thread::spawn(move || {
        setns(file, CloneFlags::CLONE_NEWNET)?;
        Ok::<_, io::Error>(cookie())
    });
    inside.join().ok()?.ok()
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
