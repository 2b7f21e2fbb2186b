use engine::session::Counts;
use explain::timeline::Confirmation;
use model::{outcome::Outcome, record::ProbeId};
use serde_json::Value;

use super::{Document, ProbeObject, SummaryObject, write_line};
use crate::{
    sample::{CLOCK, Sample, golden, paths, targets},
    stats::{RunCounts, RunFacts},
    summary::Summary,
};

fn object(sample: &Sample) -> Value {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    serde_json::to_value(ProbeObject::new(&sample.0, &targets[0], CLOCK)).unwrap()
}

fn summary(sample: &Sample) -> Summary {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let mut counts = RunCounts::new(1);
    counts.add(&sample.judged(true));
    let facts = RunFacts { probing_seconds: 2.0, traced: true, ..RunFacts::default() };
    counts.summary(&targets, &facts)
}

#[test]
fn lines() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let mut out = Vec::new();
    for sample in [paths::path_a(), paths::path_c()] {
        write_line(&mut out, &ProbeObject::new(&sample.0, &targets[0], CLOCK)).unwrap();
    }
    write_line(&mut out, &SummaryObject { summary: &summary(&paths::path_a()) }).unwrap();
    golden("probes.jsonl", &String::from_utf8(out).unwrap());
}

#[test]
fn a_failure_has_an_errno_and_an_error_type() {
    for (sample, errno, kind) in [
        (paths::clean(), None, None),
        (paths::refused(), Some("ECONNREFUSED"), Some("connection_refused")),
        (paths::timed_out(), None, Some("timed_out")),
        (paths::unreachable(), Some("EHOSTUNREACH"), Some("host_unreachable")),
        (paths::local_error(), Some("EADDRNOTAVAIL"), Some("address_not_available")),
    ] {
        let object = object(&sample);
        assert_eq!(object.get("errno_name").and_then(Value::as_str), errno);
        assert_eq!(object.get("error_type").and_then(Value::as_str), kind);
        assert_eq!(object["handshake_seconds"].is_null(), kind.is_some());
    }
    let later = object(&paths::path_b_later());
    assert_eq!(later["recovery_rsts"], 1);
    assert_eq!(later["syn_retransmits"], 1);
    assert_eq!(later["findings"][0]["link"], "3.12");
    assert_eq!(later["verdicts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_probe_without_slot_and_port_has_neither_number() {
    let object = object(&paths::without_slot());
    assert_eq!((&object["probe"], &object["local"]), (&Value::Null, &Value::Null));
    let mut sample = paths::path_c();
    sample.0.timeline.confirmation = Some(Confirmation {
        id: ProbeId { slot: ProbeId::NO_SLOT, generation: 3 },
        local_port: 0,
        outcome: Outcome::LocalError,
    });
    let confirmation = &self::object(&sample)["confirmation"];
    let (probe, port) = (&confirmation["probe"], &confirmation["local_port"]);
    assert_eq!((probe, port), (&Value::Null, &Value::Null), "{confirmation}");
}

#[test]
fn addresses_are_whole() {
    for address in [
        "[2001:db8:1111:2222:3333:4444:5555:6666%4294967295]:65535",
        "[::ffff:203.113.253.254]:65535",
        "[::1]:1",
        "203.113.253.254:65535",
        "0.0.0.0:1",
    ] {
        let targets = targets(&[("x:1", address)]);
        let sample = paths::clean();
        let object = ProbeObject::new(&sample.0, &targets[0], CLOCK);
        assert_eq!(serde_json::to_value(object).unwrap()["address"], address);
    }
}

#[test]
fn a_document_is_valid_with_and_without_probes() {
    let targets = targets(&[("db.example:9000", "10.77.0.2:9000")]);
    let summary = summary(&paths::clean());
    for count in 0..3 {
        let (mut out, mut document) = (Vec::new(), Document::default());
        let sample = paths::clean();
        for _ in 0..count {
            let object = ProbeObject::new(&sample.0, &targets[0], CLOCK);
            document.probe(&mut out, &object).unwrap();
        }
        document.finish(&mut out, &summary).unwrap();
        let parsed: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(parsed["probes"].as_array().map(Vec::len), Some(count));
        assert_eq!(parsed["summary"]["verdicts"]["clean"], 1);
        assert_eq!(parsed["summary"]["verdicts"]["late_synack"], 0);
    }
}
