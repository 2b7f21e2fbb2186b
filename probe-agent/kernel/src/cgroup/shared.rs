//! Who else is in a cgroup.

use std::{fs, io, path::Path};

use crate::{error::TraceError, privilege};

/// Whose packets pass the programs on a cgroup, besides this process's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Nobody's.
    Nobody,
    /// Those of some other processes, of a container or a session.
    Others,
    /// Those of the whole host: it is the root cgroup.
    Host,
}

/// Who shares this cgroup. What cannot be read counts as shared.
pub(super) fn sharing(cgroup: &Path) -> Sharing {
    // The root cgroup alone lacks this file (since 4.14); the root of a container's cgroup namespace has it.
    if !cgroup.join("cgroup.type").exists() {
        return Sharing::Host;
    }
    let read = |file: &str| fs::read_to_string(cgroup.join(file)).unwrap_or_default();
    let is_alone = is_only(&read("cgroup.procs"), std::process::id());
    if is_alone && has_no_descendants(&read("cgroup.stat")) {
        Sharing::Nobody
    } else {
        Sharing::Others
    }
}

/// The error of a process in the root cgroup that may not make another.
pub(super) fn with_the_host(refused: &io::Error) -> TraceError {
    let grant = privilege::also().map_or_else(String::new, |grant| format!(" ({grant}, too)"));
    TraceError::Missing {
        reason: format!(
            "this process is in the root cgroup, where the ACK guard would run for every packet of this \
             host, and cannot make one of its own: {refused}"
        ),
        remedy: format!(
            "run it as root, or start it in a cgroup of its own, as a systemd service or with \
             systemd-run{grant}"
        ),
    }
}

/// Whether `cgroup.procs` lists this process alone. A process outside of the PID namespace is listed as 0.
fn is_only(processes: &str, own: u32) -> bool {
    let mut ids = processes.lines().map(|line| line.trim().parse::<u32>());
    ids.next() == Some(Ok(own)) && ids.next().is_none()
}

/// Whether no cgroup below this one could hold processes.
fn has_no_descendants(statistics: &str) -> bool {
    statistics.lines().any(|line| line == "nr_descendants 0")
}

#[cfg(test)]
mod tests {
    use super::{has_no_descendants, is_only};

    #[test]
    fn another_process_or_a_cgroup_below_is_company() {
        assert!(is_only("42\n", 42));
        for processes in ["", "41\n", "42\n43\n", "0\n42\n"] {
            assert!(!is_only(processes, 42), "{processes}");
        }
        assert!(has_no_descendants("nr_descendants 0\nnr_dying_descendants 3\n"));
        assert!(!has_no_descendants("nr_descendants 1\n"));
        assert!(!has_no_descendants(""));
    }
}
