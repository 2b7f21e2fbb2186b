//! How many source ports and descriptors this host has for probes.

use config::capacity::Room;
use engine::source_ports::ephemeral_ports;

use crate::open_files::open_files;

/// Descriptors for everything else: maps, programs, epoll, names, the exporter, the HTTP server.
const RESERVED: u64 = 512;

/// What this host has.
pub(super) fn of_this_host() -> Room {
    let files = open_files();
    // With a low limit, at least half of it is for probes.
    let descriptors = files.saturating_sub(RESERVED).max(files / 2);
    Room {
        ports: u32::try_from(ephemeral_ports().len()).unwrap_or(u32::MAX),
        descriptors: u32::try_from(descriptors).unwrap_or(u32::MAX),
    }
}
