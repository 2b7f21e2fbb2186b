//! How many slots fit: each takes a source port and a file descriptor.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

use crate::{config::CheckConfig, words::say};

/// Descriptors that are needed for other things: maps, programs, epoll, the exporter, the files of
/// the run.
const RESERVED_DESCRIPTORS: u64 = 96;

/// Slots that a run takes of its own accord; more only make sense when asked for. Each costs about
/// 3 KiB of kernel memory.
const DEFAULT_SLOTS: u32 = 8_192;

/// Slots and probes in flight for the whole run.
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

/// Works out how many slots to take, raising the soft limit of open files as far as it goes.
pub(super) fn slots(config: &CheckConfig) -> Result<Limits, TooMany> {
    let files = open_files();
    let by_files = u32::try_from(files.saturating_sub(RESERVED_DESCRIPTORS)).unwrap_or(u32::MAX);
    let range = config.source_ports.map(|p| p.ports()).or_else(|| {
        let netns = config.netns.as_ref().map(|n| n.file());
        engine::runtime::inside(netns.as_ref(), engine::addresses::ephemeral_ports).ok()
    });
    let by_ports = range.map_or(u32::MAX, |r| u32::try_from(r.len()).unwrap_or(u32::MAX));
    let fit = by_files.min(by_ports).max(1);
    let asked = config.slots.map(|s| s.get());
    if let Some(asked) = asked.filter(|asked| *asked > fit) {
        let reason = if by_files < by_ports {
            format!("{files} open files are allowed: raise them with `ulimit -n`")
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
        // A second opinion needs a port of its own.
        .max(config.concurrency.get() + 1);
    let slots = asked.unwrap_or(wanted.min(fit));
    let concurrency = config.concurrency.get().min(slots);
    if asked.is_none() && concurrency < config.concurrency.get() {
        say(format_args!(
            "--concurrency {}: only {slots} probes fit at a time ({files} open files, \
             {by_ports} source ports)",
            config.concurrency
        ));
    }
    Ok(Limits { slots, concurrency })
}

/// The number of open files that this process may have, after raising it as far as it goes.
fn open_files() -> u64 {
    let Ok((soft, hard)) = getrlimit(Resource::RLIMIT_NOFILE) else { return 1024 };
    // A refusal leaves the limit as it was.
    if soft < hard && setrlimit(Resource::RLIMIT_NOFILE, hard, hard).is_ok() { hard } else { soft }
}
