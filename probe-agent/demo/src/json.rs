//! One JSON object per probe, on a line of its own.

use std::io::{self, Write};

use serde::Serialize;

use super::result::ScenarioResult;
use kernel::clock::Clock;
use lab::Family;
use model::verdict::Verdict;
use report::json::{ProbeObject, write_line};

/// A probe within its scenario. Names and order are a contract.
#[derive(Serialize)]
struct Object<'a> {
    scenario: &'static str,
    network_type: &'static str,
    /// Whether the whole scenario went as injected.
    as_injected: bool,
    /// What is wrong, a line for each.
    complaints: &'a [String],
    /// What this host cannot show, a line for each.
    limits: &'a [String],
    /// The verdicts that this probe ought to get.
    expected_verdicts: &'a [Verdict],
    /// How many segments nftables counted, for each fault.
    hits: &'a [u64],
    probe: ProbeObject<'a>,
}

/// Writes the probes of a scenario.
pub(super) fn write(out: &mut impl Write, result: &ScenarioResult, clock: Clock) -> io::Result<()> {
    let mut expected = result.scenario.expected.iter();
    for probe in &result.probes {
        let object = Object {
            scenario: result.scenario.name,
            network_type: match result.family {
                Family::V4 => "ipv4",
                Family::V6 => "ipv6",
            },
            as_injected: result.mismatches.is_empty() && result.limits.is_empty(),
            complaints: &result.mismatches,
            limits: &result.limits,
            expected_verdicts: expected.next().map_or(&[], |expected| expected.verdicts),
            hits: &result.hits,
            probe: ProbeObject::new(probe, &result.target, clock),
        };
        write_line(out, &object)?;
    }
    Ok(())
}
