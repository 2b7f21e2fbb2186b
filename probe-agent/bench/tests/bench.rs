//! A smoke run of the benchmark, to keep it working. Its times mean nothing here; its counts do.

use std::{fs, process::Command};

use probe_agent_tests::{binary, privileged};
use serde_json::Value;

/// The sections of `results.json`, and what each entry of them has at least.
const SECTIONS: [(&str, &[&str]); 11] = [
    ("targets", &["name", "measured", "limit", "at_least", "holds"]),
    (
        "throughput",
        &["name", "threads", "per_second", "wall_per_second", "cpu_ns", "over_floor", "over_fresh"],
    ),
    ("command", &["name", "probes", "wall_seconds", "cpu_ns", "faster", "cheaper"]),
    ("cost", &["tracepoints", "program", "per_probe", "matching_ns", "other_ns"]),
    ("unrelated", &["load", "tracepoints", "without_ns", "percent", "control_percent"]),
    ("latency", &["timed_by", "pace", "handshakes", "p50_ns", "p99_ns", "curve"]),
    ("memory", &["targets", "interval_seconds", "resident_kib", "anonymous_kib", "peak_kib"]),
    ("stealth", &["ack_guard", "loss_percent", "busy_loops", "accepted", "acks_held"]),
    ("accuracy", &["per_second", "dropped", "reported", "events_lost", "unknown", "unaccounted"]),
    ("deadline", &["settle_seconds", "busy_loops", "in_flight", "p999", "max"]),
    ("fleets", &["targets", "interval_seconds", "cpu_ns", "over_few", "resident_kib"]),
];

#[test]
fn a_smoke_run_measures_everything() {
    privileged!();
    let directory = std::env::temp_dir().join(format!("probe-agent-smoke-{}", std::process::id()));
    let run = Command::new(env!("CARGO_BIN_EXE_bench"))
        .env("PROBE_AGENT_BIN", binary::agent())
        .args(["--smoke", "--out"])
        .arg(&directory)
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let read = |name| fs::read_to_string(directory.join(name)).unwrap();
    let results: Value = serde_json::from_str(&read("results.json")).unwrap();
    for (section, fields) in SECTIONS {
        let entries = results[section].as_array().unwrap();
        assert!(!entries.is_empty(), "{section}: {results}");
        for (entry, field) in entries.iter().flat_map(|e| fields.iter().map(move |f| (e, f))) {
            assert!(entry.get(field).is_some(), "{section} lacks {field}: {entry}");
        }
    }
    for run in results["stealth"].as_array().unwrap() {
        let nothing = run["accepted"] == 0;
        // The control accepts some, which shows that 0 is significant.
        assert_eq!(run["ack_guard"] == true, nothing, "{run}");
    }
    assert!(results["machine"]["load_before"].is_number(), "{results}");
    assert!(read("results.md").contains("### Targets"));
    for picture in ["probes.svg", "accuracy.svg"] {
        let picture = read(picture);
        assert!(picture.starts_with("<svg ") && !picture.contains("NaN"), "{picture}");
    }
    fs::remove_dir_all(&directory).unwrap();
}
