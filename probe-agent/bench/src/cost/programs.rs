//! Run times of this process's own programs, from `/proc/self/fdinfo`: other processes may have loaded
//! the same programs.

use std::{collections::BTreeMap, fs, ops::Sub, path::PathBuf};

use anyhow::{Context as _, Result, ensure};
use kernel::loader::Tracer;

/// How often a program ran, and for how long.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Count {
    pub(super) runs: u64,
    pub(super) ns: u64,
}

impl Count {
    /// Nanoseconds per run, if there were enough runs.
    pub(super) fn mean(self, enough: u64) -> Option<f64> {
        (self.runs >= enough).then(|| self.ns as f64 / self.runs as f64)
    }
}

impl Sub for Count {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        Self { runs: self.runs - other.runs, ns: self.ns - other.ns }
    }
}

/// The programs of a tracer, by name.
pub(super) struct Programs(Vec<(&'static str, PathBuf)>);

impl Programs {
    /// The kernel numbers programs in the order in which they were loaded. Its own names of them are cut
    /// after 15 letters, and two of them are then the same.
    pub(super) fn of(tracer: &Tracer) -> Result<Self> {
        let names = tracer.programs();
        let mut files = BTreeMap::new();
        for entry in fs::read_dir("/proc/self/fdinfo")? {
            let path = entry?.path();
            // The directory's own descriptor is among them, but closed by now.
            let Ok(text) = fs::read_to_string(&path) else { continue };
            if field(&text, "prog_type:").is_some() && field(&text, "run_cnt:").is_some() {
                files.insert(field(&text, "prog_id:").context("a program has an id")?, path);
            }
        }
        ensure!(files.len() == names.len(), "{} programs for {names:?}", files.len());
        Ok(Self(names.iter().copied().zip(files.into_values()).collect()))
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|(name, _)| *name)
    }

    /// The counts of each so far.
    pub(super) fn count(&self) -> Result<Vec<Count>> {
        let count = |path: &PathBuf| {
            let text = fs::read_to_string(path)?;
            let of = |name| field(&text, name).with_context(|| format!("fdinfo has no {name}"));
            Ok(Count { runs: of("run_cnt:")?, ns: of("run_time_ns:")? })
        };
        self.0.iter().map(|(_, path)| count(path)).collect()
    }
}

fn field(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.trim().parse().ok()
}
