//! What every line about a probe begins with, whether it is settled or not.

use kernel::clock::Clock;
use model::{
    errno::NameError,
    flow,
    outcome::{Outcome, error_type},
    record::{ProbeId, ProbeRecord},
    target::Target,
};
use nix::errno::Errno;
use serde::Serialize;

use super::text::Text;

/// Which probe it was, and how it ended. Names and order are a contract.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Head<'a> {
    target: &'a str,
    address: Text,
    /// `null` if this host gave the probe no port.
    local: Option<Text>,
    /// Slot and generation; `null` if this host gave the probe no socket.
    probe: Option<Text>,
    /// When the SYN left, in RFC 3339.
    start_time: Text,
    /// The same in nanoseconds. A string, because a double is not precise enough.
    start_unix_nano: Text,
    outcome: Outcome,
    #[serde(skip_serializing_if = "Option::is_none")]
    errno_name: Option<Text>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_type: Option<&'static str>,
}

impl<'a> Head<'a> {
    /// The head of a probe of `target`.
    pub(super) fn new(
        record: &ProbeRecord,
        outcome: Outcome,
        target: &'a Target,
        clock: Clock,
    ) -> Self {
        let syn_at = record.syn_at();
        Self {
            target: &target.name,
            address: address(target),
            local: local(record),
            probe: probe_id(record.id),
            start_time: Text::time(clock, syn_at),
            start_unix_nano: Text::new(clock.unix_ns(syn_at)),
            outcome,
            errno_name: errno_name(record.errno),
            error_type: error_type(outcome, record.errno),
        }
    }
}

/// The agent's end of a probe, unless this host gave it no port.
fn local(record: &ProbeRecord) -> Option<Text> {
    let local = flow::local(&record.flow);
    (local.port() != 0).then(|| Text::socket(local))
}

/// Where the probe went; `unresolved` for a name without an address.
fn address(target: &Target) -> Text {
    if target.is_resolved() {
        Text::socket(target.address)
    } else {
        Text::new(target.address_text())
    }
}

/// Slot and generation, if it has any.
pub(super) fn probe_id(id: ProbeId) -> Option<Text> {
    id.has_slot().then(|| Text::new(id))
}

/// E.g. `ECONNREFUSED`; the number if the C library has no name for it.
fn errno_name(errno: i32) -> Option<Text> {
    if let Some(error) = NameError::from_errno(errno) {
        return Some(Text::new(error.name()));
    }
    match (errno, Errno::from_raw(errno)) {
        (0, _) => None,
        (number, Errno::UnknownErrno) => Some(Text::new(number)),
        (_, known) => Some(Text::new(format_args!("{known:?}"))),
    }
}
