//! How many slots fit: each needs a source port and a file descriptor.

use tracing::warn;

use crate::{config::CheckConfig, open_files::open_files};

/// Descriptors for everything else: maps, programs, epoll, the exporter, the files of the run.
const RESERVED_DESCRIPTORS: u64 = 96;

/// Descriptors for lookups, if there are names.
const RESERVED_FOR_NAMES: u64 = 64;

/// Most slots that a run takes without `--slots`. Each costs about 3 KiB of kernel memory.
const DEFAULT_SLOTS: u32 = 8_192;

/// Slots and in-flight limit of the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) slots: u32,
    pub(super) concurrency: u32,
}

/// More slots were asked for than fit.
#[derive(Debug, thiserror::Error)]
#[error("--slots {asked}: only {fit} fit ({reason})")]
pub(super) struct TooMany {
    asked: u32,
    fit: u32,
    reason: String,
}

/// How many slots the run takes. Raises the soft limit of open files to the hard limit.
///
/// # Errors
/// `--slots` does not fit.
pub(super) fn limits(config: &CheckConfig, has_names: bool) -> Result<Limits, TooMany> {
    let files = open_files();
    let reserved = RESERVED_DESCRIPTORS + if has_names { RESERVED_FOR_NAMES } else { 0 };
    let by_files = u32::try_from(files.saturating_sub(reserved)).unwrap_or(u32::MAX);
    let range = config.source_ports.map(|p| p.ports()).or_else(|| {
        engine::runtime::inside(config.netns_file().as_ref(), engine::source_ports::ephemeral_ports)
            .ok()
    });
    let by_ports = range.map_or(u32::MAX, |r| u32::try_from(r.len()).unwrap_or(u32::MAX));
    let fit = by_files.min(by_ports).max(1);
    let asked = config.slots.map(|s| s.get());
    if let Some(asked) = asked.filter(|asked| *asked > fit) {
        let reason = if by_files < by_ports {
            format!("the limit is {files} open files: raise it with `ulimit -n`")
        } else {
            format!(
                "there are {by_ports} source ports: widen net.ipv4.ip_local_port_range or --source-port"
            )
        };
        return Err(TooMany { asked, fit, reason });
    }
    let wanted = config
        .total_probes()
        .map_or(DEFAULT_SLOTS, |n| u32::try_from(n).unwrap_or(u32::MAX).min(DEFAULT_SLOTS))
        // A confirmation probe needs a port of its own.
        .max(config.concurrency.get() + 1);
    let slots = asked.unwrap_or(wanted.min(fit));
    let concurrency = config.concurrency.get().min(slots);
    if asked.is_none() && concurrency < config.concurrency.get() {
        warn!(
            slots,
            "--concurrency {}: limited to {slots} probes in flight ({files} open files, \
             {by_ports} source ports)",
            config.concurrency
        );
    }
    Ok(Limits { slots, concurrency })
}
