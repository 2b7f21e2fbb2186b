//! Notices that files have changed.
//!
//! The directories of the files are watched, not the files: an editor puts a new file in the place of the old one, and
//! a ConfigMap is changed by a new target of a symbolic link (`..data`) in the directory. An event only says that it
//! is time to look; what counts is whether a file is another one than before. The files are looked at now and then
//! without an event, too, because network file systems report nothing.

use std::{
    collections::BTreeMap,
    fs,
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};

/// A change is reported when nothing has changed for so long: many writers write more than once.
const QUIET: Duration = Duration::from_millis(100);

/// How often the files are looked at without an event.
const LOOK: Duration = Duration::from_secs(5);

/// What tells two versions of a file apart: device, inode, size, and the times of its last change in nanoseconds.
type Version = (u64, u64, u64, i128, i128);

/// Files, and the directories that they are in.
#[derive(Debug)]
pub struct FileWatch {
    /// `None` where this host refuses it: then the files are only looked at now and then.
    inotify: Option<Inotify>,
    files: BTreeMap<PathBuf, Option<Version>>,
    looked: Instant,
    changed: Option<Instant>,
}

impl FileWatch {
    /// Watches files from now on.
    #[must_use]
    pub fn new(files: impl IntoIterator<Item = PathBuf>, now: Instant) -> Self {
        let files = files.into_iter().map(|path| {
            let version = version(&path);
            (path, version)
        });
        let mut watch = Self { inotify: None, files: files.collect(), looked: now, changed: None };
        watch.attach();
        watch
    }

    /// Watches these files from now on. One that was not watched before counts as changed if it exists: it may have
    /// changed since it was read.
    pub fn set_files(&mut self, files: impl IntoIterator<Item = PathBuf>, now: Instant) {
        let known = std::mem::take(&mut self.files);
        self.files = files
            .into_iter()
            .map(|path| {
                let version = known.get(&path).copied().flatten();
                (path, version)
            })
            .collect();
        self.attach();
        if self.files.keys().any(|path| !known.contains_key(path)) && self.look() {
            self.changed = Some(now);
        }
    }

    /// Watches the directories as they are now.
    fn attach(&mut self) {
        let flags = InitFlags::IN_NONBLOCK | InitFlags::IN_CLOEXEC;
        let Ok(inotify) = Inotify::init(flags) else { return };
        let events = AddWatchFlags::IN_CLOSE_WRITE
            | AddWatchFlags::IN_CREATE
            | AddWatchFlags::IN_DELETE
            | AddWatchFlags::IN_DELETE_SELF
            | AddWatchFlags::IN_MOVE_SELF
            | AddWatchFlags::IN_MOVED_FROM
            | AddWatchFlags::IN_MOVED_TO;
        for path in self.files.keys() {
            let target = fs::canonicalize(path).ok();
            for directory in [Some(path.as_path()), target.as_deref()].into_iter().flatten() {
                let parent = directory.parent().filter(|parent| !parent.as_os_str().is_empty());
                // A directory that is not there is found again by looking.
                let _ = inotify.add_watch(parent.unwrap_or(Path::new(".")), events);
                if directory.is_dir() {
                    let _ = inotify.add_watch(directory, events);
                }
            }
        }
        self.inotify = Some(inotify);
    }

    /// Whether a file has changed since the last time that this was so, and nothing has changed for a moment.
    /// Does not wait.
    pub fn has_changed(&mut self, now: Instant) -> bool {
        let events = self.inotify.as_ref().and_then(|inotify| inotify.read_events().ok());
        let is_time = now.saturating_duration_since(self.looked) >= LOOK;
        if events.is_some() || is_time {
            self.looked = now;
            // A directory that came back is another one. Watched before the look: nothing is missed in between.
            self.attach();
            if self.look() {
                self.changed = Some(now);
            }
        }
        let is_quiet = |at: &Instant| now.saturating_duration_since(*at) >= QUIET;
        self.changed.take_if(|at| is_quiet(at)).is_some()
    }

    /// Whether a file is another one than at the last look.
    fn look(&mut self) -> bool {
        let mut is_changed = false;
        for (path, known) in &mut self.files {
            let version = version(path);
            is_changed |= version != *known;
            *known = version;
        }
        is_changed
    }
}

fn version(path: &Path) -> Option<Version> {
    let data = fs::metadata(path).ok()?;
    let nanos = |seconds: i64, nanos: i64| i128::from(seconds) * 1_000_000_000 + i128::from(nanos);
    let modified = nanos(data.mtime(), data.mtime_nsec());
    let changed = nanos(data.ctime(), data.ctime_nsec());
    Some((data.dev(), data.ino(), data.size(), modified, changed))
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        os::unix::fs::symlink,
        path::Path,
        time::{Duration, Instant},
    };

    use super::{FileWatch, LOOK, QUIET};

    /// Whether a change is reported, a moment later and not before, and only once.
    fn is_reported(watch: &mut FileWatch, now: &mut Instant) -> bool {
        let at_once = watch.has_changed(*now);
        *now += QUIET;
        let then = watch.has_changed(*now);
        *now += Duration::from_millis(1);
        assert!(!at_once && !watch.has_changed(*now));
        then
    }

    fn write(path: &Path, text: &str) {
        let new = path.with_extension("new");
        fs::write(&new, text).unwrap();
        fs::rename(new, path).unwrap();
    }

    #[test]
    fn a_file_that_is_written_replaced_removed_or_made_again_has_changed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.yaml");
        fs::write(&path, "a").unwrap();
        let mut now = Instant::now();
        let mut watch = FileWatch::new([path.clone()], now);
        assert!(!is_reported(&mut watch, &mut now));
        fs::write(&path, "ab").unwrap();
        assert!(is_reported(&mut watch, &mut now), "written");
        write(&path, "cd");
        assert!(is_reported(&mut watch, &mut now), "replaced by one of the same size");
        fs::write(directory.path().join("other"), "x").unwrap();
        assert!(!is_reported(&mut watch, &mut now), "another file");
        fs::remove_file(&path).unwrap();
        assert!(is_reported(&mut watch, &mut now), "removed");
        write(&path, "ef");
        assert!(is_reported(&mut watch, &mut now), "made again");
    }

    /// ..data -> ..1, agent.yaml -> ..data/agent.yaml, as the kubelet writes it.
    #[test]
    fn a_config_map_swaps_a_symbolic_link() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for version in ["..1", "..2"] {
            fs::create_dir(at(version)).unwrap();
            fs::write(at(version).join("agent.yaml"), version).unwrap();
        }
        symlink("..1", at("..data")).unwrap();
        symlink("..data/agent.yaml", at("agent.yaml")).unwrap();
        let mut now = Instant::now();
        let mut watch = FileWatch::new([at("agent.yaml")], now);
        assert!(!is_reported(&mut watch, &mut now));
        symlink("..2", at("..data_tmp")).unwrap();
        fs::rename(at("..data_tmp"), at("..data")).unwrap();
        fs::remove_dir_all(at("..1")).unwrap();
        assert!(is_reported(&mut watch, &mut now));
        assert_eq!(fs::read_to_string(at("agent.yaml")).unwrap(), "..2");
    }

    #[test]
    fn files_that_are_named_later_may_have_changed_before_and_the_others_have_not() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::write(at("agent.yaml"), "a").unwrap();
        fs::write(at("list.json"), "b").unwrap();
        let mut now = Instant::now();
        let mut watch = FileWatch::new([at("agent.yaml")], now);
        watch.set_files([at("agent.yaml"), at("gone.json")], now);
        assert!(!is_reported(&mut watch, &mut now));
        fs::create_dir(at("lists")).unwrap();
        assert!(!is_reported(&mut watch, &mut now));
        watch.set_files([at("agent.yaml"), at("list.json"), at("lists")], now);
        assert!(is_reported(&mut watch, &mut now));
        fs::write(at("lists").join("new.json"), "c").unwrap();
        assert!(is_reported(&mut watch, &mut now), "a file appears in a directory");
    }

    #[test]
    fn a_change_that_nobody_reports_is_found_later() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("agent.yaml");
        fs::write(&path, "a").unwrap();
        let mut now = Instant::now();
        let mut watch = FileWatch::new([path.clone()], now);
        watch.inotify = None;
        fs::write(&path, "ab").unwrap();
        assert!(!is_reported(&mut watch, &mut now));
        now += LOOK;
        assert!(is_reported(&mut watch, &mut now));
    }
}
