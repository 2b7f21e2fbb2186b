//! The results as Markdown.

mod figures;

use std::fmt::Write as _;

use crate::{
    command,
    cost::Cost,
    latency::Difference,
    median::Spread,
    memory::Memory,
    results::{Goal, Results},
    throughput::Figures,
    unrelated::SlowDown,
};

/// All results.
pub(crate) fn markdown(results: &Results) -> String {
    let machine = &results.machine;
    let mut page = format!(
        "{}, {} cores, {} run of {} rounds of {} probes per thread. Load average {:.1} before and \
         {:.1} at the end; {:.1} % of CPU time stolen by other machines.\n",
        machine.kernel,
        machine.cpus,
        results.mode,
        results.rounds,
        results.probes,
        machine.load_before,
        machine.load_after,
        machine.stolen_percent,
    );
    section(
        &mut page,
        "Targets",
        "| target | limit | measured (median, range) | holds |",
        &results.targets,
        goal,
    );
    section(
        &mut page,
        "Throughput and CPU time",
        "| | threads | probes/s | CPU per probe | CPU over bare calls | rate over fresh sockets | confirmed |",
        &results.throughput,
        figures,
    );
    section(
        &mut page,
        "As a command",
        "| command | probes | wall clock | CPU per probe | usual design: wall clock | usual design: CPU |",
        &results.command,
        whole_command,
    );
    section(
        &mut page,
        "Cost per event",
        "| tracepoints | program | runs per probe | event of a probe | event of others |",
        &results.cost,
        cost,
    );
    section(
        &mut page,
        "Unrelated connections",
        "| load | tracepoints | without the agent | slow-down (95 % confidence) | control |",
        &results.unrelated,
        slow_down,
    );
    section(
        &mut page,
        "Handshake time against a packet capture",
        "| timed by | pace | handshakes | capture p50 | difference p1 | p50 | p99 |",
        &results.latency,
        difference,
    );
    section(
        &mut page,
        "Memory",
        "| targets | interval | resident | of it anonymous | peak |",
        &results.memory,
        memory,
    );
    figures::write(&mut page, results);
    page
}

/// A heading and a table, unless there is nothing in it.
fn section<T>(page: &mut String, title: &str, head: &str, rows: &[T], row: fn(&T) -> String) {
    if rows.is_empty() {
        return;
    }
    let columns = head.matches('|').count() - 1;
    let rule = format!("|{}", " --- |".repeat(columns));
    // Writing to a string cannot fail.
    let _ = writeln!(page, "\n### {title}\n\n{head}\n{rule}");
    for one in rows {
        let _ = writeln!(page, "{}", row(one));
    }
}

fn goal(goal: &Goal) -> String {
    let Goal { name, measured, limit, at_least, holds } = goal;
    let bound = if *at_least { "at least" } else { "at most" };
    let holds = if *holds { "yes" } else { "**no**" };
    format!("| {name} | {bound} {limit} | {} | {holds} |", ratio(measured))
}

fn figures(figures: &Figures) -> String {
    let confirmed =
        figures.confirmed.map_or(String::new(), |s| format!("{:.2} %", s.median * 100.0));
    format!(
        "| {} | {} | {:.0} | {:.2} us | {} | {} | {confirmed} |",
        figures.name,
        figures.threads,
        figures.per_second.median,
        figures.cpu_ns.median / 1e3,
        ratio(&figures.over_floor),
        ratio(&figures.over_fresh),
    )
}

fn whole_command(run: &command::Figures) -> String {
    format!(
        "| `{}` | {} | {:.2} s | {:.2} us | {} | {} |",
        run.name,
        run.probes,
        run.wall_seconds.median,
        run.cpu_ns.median / 1e3,
        ratio(&run.faster),
        ratio(&run.cheaper),
    )
}

fn cost(cost: &Cost) -> String {
    let ns =
        |s: Option<Spread>| s.map_or_else(|| "-".to_owned(), |s| format!("{:.0} ns", s.median));
    format!(
        "| {} | `{}` | {:.2} | {} | {} |",
        cost.tracepoints,
        cost.program,
        cost.per_probe,
        ns(cost.matching_ns),
        ns(cost.other_ns),
    )
}

fn slow_down(slow_down: &SlowDown) -> String {
    format!(
        "| {} | {} | {:.2} us | {} % | {} % |",
        slow_down.load,
        slow_down.tracepoints,
        slow_down.without_ns.median / 1e3,
        ratio(&slow_down.percent),
        ratio(&slow_down.control_percent),
    )
}

fn difference(d: &Difference) -> String {
    let us = |ns: f64| format!("{:.2} us", ns / 1e3);
    format!(
        "| {} | {} | {} | {} | {} | {} | {} |",
        d.timed_by,
        d.pace,
        d.handshakes,
        us(d.captured_p50_ns),
        us(d.p1_ns),
        us(d.p50_ns),
        us(d.p99_ns)
    )
}

fn memory(memory: &Memory) -> String {
    format!(
        "| {} | {} s | {} | {} | {} |",
        memory.targets,
        memory.interval_seconds,
        mib(memory.resident_kib),
        mib(memory.anonymous_kib),
        mib(memory.peak_kib)
    )
}

fn mib(kib: u64) -> String {
    format!("{:.1} MiB", kib as f64 / 1024.0)
}

/// The median and the range, or a single figure.
fn ratio(spread: &Spread) -> String {
    let Spread { median, low, high } = *spread;
    if low < high {
        format!("{median:.2} ({low:.2} to {high:.2})")
    } else if median.fract() == 0.0 || median >= 1000.0 {
        format!("{median:.0}")
    } else {
        format!("{median:.3}")
    }
}
