//! Whether as many lost RSTs are reported as nftables dropped, at full speed.

use anyhow::Result;
use lab::{Family, Fault, LabBuilder, Segment};
use model::verdict::{Proof, Verdict};
use probe_agent_tests::{plan, run};
use serde::Serialize;

use crate::arguments::Effort;

/// What was dropped, and what was reported.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Accuracy {
    pub(crate) probes: u64,
    pub(crate) workers: u32,
    /// Probes per second, including the cost of the packet filter.
    pub(crate) per_second: f64,
    /// First RSTs that the packet filter dropped.
    pub(crate) dropped: u64,
    /// Probes with one of the three verdicts of a lost RST.
    pub(crate) reported: u64,
    /// Of those: found by the server's own timer, by the next use of the port, not recovered.
    pub(crate) by_timer: u64,
    pub(crate) by_port_reuse: u64,
    pub(crate) unrecovered: u64,
    /// Kernel events that are known to be missing, and verdicts that are `unknown` for that reason.
    pub(crate) events_lost: u64,
    pub(crate) unknown: u64,
    /// Difference between reported and dropped, beyond the lost events.
    pub(crate) unaccounted: u64,
}

/// RSTs that are lost, in per cent.
const LOSS: u8 = 1;

const WORKERS: u32 = 2;

pub(crate) fn measure(effort: &Effort) -> Result<Vec<Accuracy>> {
    let lost = Fault::lost(Segment::FirstRst).percent(LOSS);
    let lab = LabBuilder::new(Family::V4).fault(lost).build()?;
    let mut plan = plan::in_lab(lab.lab(), lab.address(), effort.accuracy_probes)?;
    plan::share(&mut plan, WORKERS);
    let summary = run::traced(&plan, &mut run::discard())?;
    let dropped = lab.hits()?.iter().sum();
    let of = |verdict| summary.verdict(verdict);
    let by_timer = of(Verdict::RstLostSynackRetransmit);
    let by_port_reuse = of(Verdict::RstLostPortReuse);
    let unrecovered = of(Verdict::RstLostUnrecovered);
    let reported = by_timer + by_port_reuse + unrecovered;
    let (events_lost, unknown) = (summary.events_lost, summary.proof(Proof::Unknown));
    // Missing events excuse a difference only where verdicts are `unknown` because of them.
    let excused = if unknown > 0 { events_lost } else { 0 };
    let accuracy = Accuracy {
        probes: summary.probes,
        workers: WORKERS,
        per_second: summary.probes_per_second,
        dropped,
        reported,
        by_timer,
        by_port_reuse,
        unrecovered,
        events_lost,
        unknown,
        unaccounted: reported.abs_diff(dropped).saturating_sub(excused),
    };
    eprintln!("{accuracy:?}");
    Ok(vec![accuracy])
}
