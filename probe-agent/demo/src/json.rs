//! One JSON object per probe, on a line of its own.

use std::io::{self, Write};

use serde::Serialize;

use super::play::Played;
use kernel::clock::Clock;
use lab::Family;
use report::json::{ProbeObject, write_line};

/// A probe within its scenario. Names and order are a contract.
#[derive(Serialize)]
struct Object<'a> {
    scenario: &'static str,
    network_type: &'static str,
    /// Whether the whole scenario went as injected.
    as_injected: bool,
    /// What did not.
    complaints: &'a [String],
    /// How many segments nftables counted, for each fault.
    hits: &'a [u64],
    probe: ProbeObject<'a>,
}

/// Writes the probes of a scenario.
pub(super) fn write(out: &mut impl Write, played: &Played, clock: Clock) -> io::Result<()> {
    let complaints = played.complaints();
    for probe in &played.probes {
        let object = Object {
            scenario: played.scenario.name,
            network_type: match played.family {
                Family::V4 => "ipv4",
                Family::V6 => "ipv6",
            },
            as_injected: complaints.is_empty(),
            complaints: &complaints,
            hits: &played.hits,
            probe: ProbeObject::new(probe, &played.target, clock),
        };
        write_line(out, &object)?;
    }
    Ok(())
}
