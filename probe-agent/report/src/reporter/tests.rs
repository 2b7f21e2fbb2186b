use std::{
    io::{self, Write},
    num::NonZeroU64,
};

use super::{EarlyReport, Reporter, RunShape, Snapshot, reader_gone};
use crate::{
    format::OutputFormat,
    sample::{CLOCK, Sample, paths, targets},
    stats::{RunCounts, RunFacts},
    style::Look,
};
use engine::{
    early::EarlyFilter,
    session::{Counts, ReportFilter},
};
use model::{expect::Expect, outcome::Outcome};

/// Runs `samples` through a reporter, as the command does.
fn print(output: OutputFormat, count: u64, samples: &[Sample]) -> String {
    print_for(Expect::Open, output, count, samples)
}

fn print_for(expect: Expect, output: OutputFormat, count: u64, samples: &[Sample]) -> String {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let shape =
        RunShape { targets: targets.clone(), count: NonZeroU64::new(count), expect, early: false };
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
fn a_run_without_an_end_draws_twenty_in_each_minute() {
    let mut samples = repeated(60, paths::path_a);
    for sample in &mut samples[30..] {
        sample.0.timeline.probe.ended_at += 60_000_000_000;
    }
    let page = print(OutputFormat::Ladder, 0, &samples);
    assert_eq!(page.matches("handshake answered").count(), 40);
    assert!(page.contains("\n20 further unusual probes not drawn.\n"), "{page}");
}

#[test]
fn expected_refusals_are_not_drawn_in_a_long_run() {
    let mut samples = repeated(50, paths::refused);
    samples.push(paths::clean());
    let page = print_for(Expect::Closed, OutputFormat::Ladder, 51, &samples);
    assert_eq!(page.matches("db.example:9000   probe ").count(), 1, "{page}");
    assert!(page.contains("handshake answered") && !page.contains("not drawn"), "{page}");
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
            early: false,
        };
        let mut reporter = Reporter::new(output, Closed, shape, Look::PLAIN, CLOCK);
        let error = reporter.probe(&paths::clean().0).unwrap_err();
        assert!(reader_gone(&error), "{error:?}");
    }
    assert!(!reader_gone(&io::ErrorKind::StorageFull.into()));
}

#[test]
fn early_outcomes_are_lines_of_their_own_before_those_of_the_probes() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let shape = RunShape {
        targets: targets.clone(),
        count: NonZeroU64::new(2),
        expect: Expect::Open,
        early: true,
    };
    assert_eq!(shape.early_filter(OutputFormat::Jsonl), EarlyFilter::All);
    assert_eq!(shape.early_filter(OutputFormat::Json), EarlyFilter::None);
    let mut out = Vec::new();
    let mut reporter = Reporter::new(OutputFormat::Jsonl, &mut out, shape, Look::PLAIN, CLOCK);
    let samples = [paths::clean(), paths::path_c(), paths::without_slot()];
    for sample in &samples {
        let outcome = sample.0.timeline.outcome();
        let record = sample.0.timeline.probe.clone();
        reporter.ended(&EarlyReport { record, outcome }).unwrap();
    }
    for sample in &samples {
        reporter.probe(&sample.0).unwrap();
    }
    let lines: Vec<serde_json::Value> =
        out.split(|b| *b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let (early, later) = lines.split_at(3);
    for (early, later) in early.iter().zip(later) {
        let early = early.as_object().unwrap();
        for (name, value) in early {
            let expected = if name == "type" { &"outcome".into() } else { &later[name] };
            assert_eq!(value, expected, "{name}");
        }
        assert!(later.get("type").is_none() && early.contains_key("handshake_seconds"));
    }
    assert_eq!(early[1]["outcome"], "alive", "the refusal was false");
}

#[test]
fn a_run_without_an_end_prints_above_its_table() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let shape =
        RunShape { targets: targets.clone(), count: None, expect: Expect::Open, early: false };
    assert_eq!(shape.early_filter(OutputFormat::Table), EarlyFilter::Changes);
    assert_eq!(shape.filter(OutputFormat::Table), ReportFilter::UnusualPerMinute(20));
    let mut out = Vec::new();
    let mut reporter = Reporter::new(OutputFormat::Table, &mut out, shape, Look::PLAIN, CLOCK);
    assert_eq!(reporter.unexpected_targets(), Some(0));
    let sample = paths::timed_out();
    let record = sample.0.timeline.probe.clone();
    reporter.ended(&EarlyReport { record, outcome: Outcome::TimedOut }).unwrap();
    assert_eq!(reporter.unexpected_targets(), Some(1));
    reporter.probe(&sample.0).unwrap();
    reporter.tick(&Snapshot { at: 1, ..Snapshot::default() }).unwrap();
    reporter.tick(&Snapshot { at: 60_000_000_001, ended: 1, ..Snapshot::default() }).unwrap();
    let mut counts = RunCounts::new(1);
    counts.add(&sample.judged(false));
    reporter.finish(&counts.summary(&targets, &RunFacts::default())).unwrap();
    let page = String::from_utf8(out).unwrap();
    let parts = ["  timed out\n", "  timed_out (confirmed)\n", "  1 probe, ", "\n\n      TARGET  "];
    let places = parts.map(|part| page.find(part).unwrap_or_else(|| panic!("{part}: {page}")));
    assert!(places.is_sorted(), "{page}");
}
