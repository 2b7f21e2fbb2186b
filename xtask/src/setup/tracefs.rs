//! tracefs: where the kernel describes its tracepoints.

use std::fs;
use std::path::Path;

use super::Look;
use crate::command;
use crate::failure::{Failure, Result};
use crate::privilege::as_root;

const PLACE: &str = "/sys/kernel/tracing";

/// Whether tracefs is mounted where the agent looks for it.
pub(super) fn look() -> Look {
    let mounts = fs::read_to_string("/proc/mounts").unwrap_or_default();
    if is_mounted(&mounts) {
        Look::Ready(format!("mounted on {PLACE}"))
    } else {
        Look::Missing(format!("nothing of type tracefs is mounted on {PLACE}"))
    }
}

/// Mounts it.
pub(super) fn install() -> Result<()> {
    let refusal = "enable CONFIG_FTRACE in the kernel; in a container, start it with --privileged \
                   or mount tracefs from outside";
    if !Path::new(PLACE).is_dir() {
        return Err(Failure::new(format!("this kernel has no {PLACE}")).remedy(refusal));
    }
    let mut mount = as_root("mount tracefs", "mount", [("LC_ALL", "C")])?;
    mount.args(["-t", "tracefs", "tracefs", PLACE]);
    command::capture(&mut mount).map(drop).map_err(|failure| failure.remedy(refusal))
}

fn is_mounted(mounts: &str) -> bool {
    mounts.lines().any(|line| {
        let mut fields = line.split(' ').skip(1);
        fields.next() == Some(PLACE) && fields.next() == Some("tracefs")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_tracefs_at_its_place_counts() {
        assert!(is_mounted("proc /proc proc rw 0 0\nnone /sys/kernel/tracing tracefs rw 0 0\n"));
        assert!(!is_mounted("none /sys/kernel/tracing tmpfs rw 0 0\n"));
        assert!(!is_mounted("none /sys/kernel/debug/tracing tracefs rw 0 0\n"));
        assert!(!is_mounted(""));
    }
}
