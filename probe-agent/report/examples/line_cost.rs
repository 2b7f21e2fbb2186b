//! What one line of `--output jsonl` costs for a clean probe: from the judged probe to the bytes.
//!
//! ```text
//! cargo run --release -p probe-agent-report --example line_cost
//! ```
//!
//! It prints the CPU time of the whole line, and that of putting the probe into words, which is part of it.

use std::{
    hint::black_box,
    io,
    num::NonZeroU64,
    sync::Arc,
    time::{Duration, Instant},
};

use explain::{Judged, fixtures};
use kernel::clock::Clock;
use model::{
    expect::Expect,
    fixtures::{named, probe_record},
    outcome::Outcome,
    record::ProbeId,
    target::Target,
};
use probe_agent_report::{
    format::OutputFormat,
    reporter::{Reporter, RunShape},
    style::Look,
};

const PROBES: u32 = 200_000;
const ROUNDS: usize = 7;

/// A clean probe as a run at full speed has it: followed for the whole settle window, confirmed.
fn judged(generation: u32) -> Judged {
    let at = 3_600_000_000_000 + u64::from(generation) * 5_117;
    let record = probe_record(Outcome::Alive, at);
    let record = named(record, ProbeId { slot: generation % 8_192, generation });
    Judged::new(fixtures::timeline(record), Expect::Open)
}

/// The fastest of a few rounds, per probe.
fn fastest(mut round: impl FnMut()) -> Duration {
    let timed = (0..ROUNDS).map(|_| {
        let start = Instant::now();
        round();
        start.elapsed()
    });
    timed.min().unwrap_or_default() / PROBES
}

fn main() -> io::Result<()> {
    let probes: Vec<Judged> = (0..PROBES).map(judged).collect();
    let copies = fastest(|| probes.iter().cloned().for_each(|p| drop(black_box(p))));
    let words = fastest(|| {
        for probe in &probes {
            black_box(explain::explain(probe.clone()));
        }
    });
    let address = "10.77.0.2:9000".parse().map_err(io::Error::other)?;
    let shape = RunShape {
        targets: Arc::new([Target::at(address)]),
        count: NonZeroU64::new(u64::from(PROBES)),
        expect: Expect::Open,
        early: false,
    };
    let clock = Clock { realtime_minus_monotonic_ns: 1_767_323_044_000_000_000 };
    let mut failed = Ok(());
    let line = fastest(|| {
        let out = io::BufWriter::new(io::sink());
        let mut reporter =
            Reporter::new(OutputFormat::Jsonl, out, shape.clone(), Look::PLAIN, clock);
        for probe in &probes {
            if let Err(error) = reporter.probe(&explain::explain(probe.clone())) {
                failed = Err(error);
            }
        }
    });
    failed?;
    let ns = |time: Duration| time.saturating_sub(copies).as_nanos();
    println!("a line {} ns, of which words {} ns", ns(line), ns(words));
    Ok(())
}
