//! The tables of stealth, accuracy, deadlines and many targets.

use super::{mib, ratio, section};
use crate::{
    accuracy::Accuracy, deadline::Deadline, results::Results, stealth::Stealth, targets::Fleet,
};

pub(super) fn write(page: &mut String, results: &Results) {
    section(
        page,
        "Stealth on overloaded processors",
        "| ACK guard | SYN-ACKs lost | busy loops | probes | in flight | alive | ACKs held back | reported `ack_leaked` | accepted |",
        &results.stealth,
        stealth,
    );
    section(
        page,
        "Lost RSTs at full speed",
        "| probes | workers | probes/s | RSTs dropped | reported lost | by timer | by port reuse | unrecovered | events lost | verdicts unknown |",
        &results.accuracy,
        accuracy,
    );
    section(
        page,
        "Timeouts of 1 s",
        "| settle window | busy loops | probes | in flight | p50 | p99.9 | latest |",
        &results.deadline,
        deadline,
    );
    section(
        page,
        "Many targets at one rate",
        "| targets | interval | probes/s | CPU per probe | over the fewest | resident |",
        &results.fleets,
        fleet,
    );
}

fn stealth(run: &Stealth) -> String {
    format!(
        "| {} | {} % ({}) | {} | {} | {} | {} | {} | {} | {} |",
        if run.ack_guard { "on" } else { "off (control)" },
        run.loss_percent,
        run.synacks_dropped,
        run.busy_loops,
        run.probes,
        run.in_flight,
        run.alive,
        run.acks_held,
        run.leaks_reported,
        run.accepted,
    )
}

fn accuracy(run: &Accuracy) -> String {
    format!(
        "| {} | {} | {:.0} | {} | {} | {} | {} | {} | {} | {} |",
        run.probes,
        run.workers,
        run.per_second,
        run.dropped,
        run.reported,
        run.by_timer,
        run.by_port_reuse,
        run.unrecovered,
        run.events_lost,
        run.unknown,
    )
}

fn deadline(run: &Deadline) -> String {
    format!(
        "| {} s | {} | {} | {} | {:.4} s | {:.4} s | {:.4} s |",
        run.settle_seconds, run.busy_loops, run.probes, run.in_flight, run.p50, run.p999, run.max,
    )
}

fn fleet(fleet: &Fleet) -> String {
    format!(
        "| {} | {} s | {:.0} | {:.2} us | {} | {} |",
        fleet.targets,
        fleet.interval_seconds,
        fleet.per_second.median,
        fleet.cpu_ns.median / 1e3,
        ratio(&fleet.over_few),
        mib(fleet.resident_kib),
    )
}
