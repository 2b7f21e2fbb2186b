use std::{
    io::{self, Write},
    num::NonZeroU64,
};

use super::{Reporter, RunShape, reader_gone};
use crate::{
    format::OutputFormat,
    sample::{CLOCK, Sample, paths, targets},
    stats::{RunCounts, RunFacts},
    style::Look,
};
use engine::session::Counts;
use model::expect::Expect;

/// Runs `samples` through a reporter, as the command does.
fn print(output: OutputFormat, count: u64, samples: &[Sample]) -> String {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let shape =
        RunShape { targets: targets.clone(), count: NonZeroU64::new(count), expect: Expect::Open };
    let mut out = Vec::new();
    let mut reporter = Reporter::new(output, &mut out, shape, Look::PLAIN, CLOCK);
    let mut counts = RunCounts::new(1);
    for sample in samples {
        counts.add(&sample.judged(true));
        reporter.probe(&sample.0).unwrap();
    }
    let facts = RunFacts { probing_seconds: 1.0, traced: true, ..RunFacts::default() };
    reporter.finish(&counts.summary(&targets, &facts)).unwrap();
    String::from_utf8(out).unwrap()
}

fn repeated(count: usize, sample: fn() -> Sample) -> Vec<Sample> {
    (0..count).map(|_| sample()).collect()
}

#[test]
fn a_small_run_draws_every_ladder() {
    let page = print(OutputFormat::Ladder, 3, &repeated(3, paths::clean));
    assert_eq!(page.matches("handshake answered").count(), 3);
    assert!(page.contains("Outcomes   3 alive\n"), "{page}");
}

#[test]
fn a_long_run_draws_the_unusual_ones_up_to_twenty() {
    let mut samples = repeated(50, paths::clean);
    samples.extend(repeated(25, paths::path_a));
    let page = print(OutputFormat::Ladder, 75, &samples);
    assert_eq!(page.matches("handshake answered").count(), 20);
    assert!(page.contains("\n5 further unusual probes not drawn.\n"), "{page}");
    let clean = print(OutputFormat::Ladder, 50, &repeated(50, paths::clean));
    assert!(clean.starts_with("Total      50 probes of 1 target in "), "{clean}");
}

#[test]
fn lines_end_with_the_summary() {
    let second = paths::clean().confirming(3, 12);
    let page = print(OutputFormat::Jsonl, 2, &[paths::clean(), paths::refused(), second]);
    let lines: Vec<serde_json::Value> =
        page.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3);
    assert_eq!(lines[0]["verdicts"][0], "clean");
    assert_eq!(lines[2]["summary"]["probes"], 2);
    assert_eq!(lines[2]["summary"]["outcomes"]["refused"], 1);
    assert_eq!(lines[2]["summary"]["confirmations"], 1);
    let second = paths::clean().confirming(3, 12);
    let document = print(OutputFormat::Json, 2, &[paths::clean(), paths::refused(), second]);
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert_eq!(document["probes"][0], lines[0]);
    assert_eq!(document["summary"], lines[2]["summary"]);
}

/// A pipe whose reader has read enough.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_reader_that_has_gone_is_not_a_failure() {
    for output in [OutputFormat::Ladder, OutputFormat::Json, OutputFormat::Jsonl] {
        let shape = RunShape {
            targets: targets(&[("x:1", "10.0.0.1:1")]),
            count: NonZeroU64::new(1),
            expect: Expect::Open,
        };
        let mut reporter = Reporter::new(output, Closed, shape, Look::PLAIN, CLOCK);
        let error = reporter.probe(&paths::clean().0).unwrap_err();
        assert!(reader_gone(&error), "{error:?}");
    }
    assert!(!reader_gone(&io::ErrorKind::StorageFull.into()));
}
