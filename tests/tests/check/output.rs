//! The output in each format.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Done, check, closed_port, open_port, run};

/// 25 probes of an open port and 25 of a closed one.
fn fifty(output: &str) -> Done {
    let open = open_port("127.0.0.1:0");
    let (_closed, closed) = closed_port();
    let flags = format!("--count 25 --interval 0 --settle 50ms --output {output}");
    let done = run(&mut check(&format!("{open} {closed} {flags}")));
    assert_eq!(done.code, Some(1), "{done:?}");
    done
}

fn count<'a>(names: impl Iterator<Item = &'a Value>) -> BTreeMap<String, u64> {
    let mut counts = BTreeMap::new();
    for name in names {
        *counts.entry(name.as_str().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// The counts of a summary that are not 0.
fn counted(summary: &Value, of: &str) -> BTreeMap<String, u64> {
    let all = summary[of].as_object().unwrap().iter();
    all.map(|(name, n)| (name.clone(), n.as_u64().unwrap())).filter(|(_, n)| *n > 0).collect()
}

/// The summary agrees with the probes.
fn agree(probes: &[Value], summary: &Value) {
    assert_eq!(probes.len(), 50);
    assert_eq!(summary["probes"], 50);
    assert_eq!(counted(summary, "outcomes"), count(probes.iter().map(|p| &p["outcome"])));
    let verdicts = probes.iter().flat_map(|p| p["verdicts"].as_array().unwrap());
    assert_eq!(counted(summary, "verdicts"), count(verdicts));
    // One for each probe: the names are in the order of their strength.
    let proofs =
        |p: &Value| p["findings"].as_array().unwrap().iter().map(|f| f["proof"].to_string()).max();
    let proofs: Vec<Value> =
        probes.iter().map(|p| serde_json::from_str(&proofs(p).unwrap()).unwrap()).collect();
    assert_eq!(counted(summary, "proofs"), count(proofs.iter()));
    let rate = summary["probes_per_second"].as_f64().unwrap();
    let probing = summary["probing_seconds"].as_f64().unwrap();
    assert!(
        (rate * probing - 50.0).abs() < 1e-6
            && probing < summary["duration_seconds"].as_f64().unwrap()
    );
    assert_eq!(counted(summary, "outcomes")["alive"], 25);
    assert_eq!(counted(summary, "outcomes")["refused"], 25);
    for (name, value) in [("accepted", 0), ("rejected", 0), ("dropped", 0)] {
        assert_eq!(summary["spans"][name], value);
    }
    assert_eq!((&summary["events_lost"], &summary["interrupted"]), (&0.into(), &false.into()));
    handshakes(probes, summary);
}

fn handshakes(probes: &[Value], summary: &Value) {
    let mut times = Vec::new();
    for probe in probes {
        let step = |name: &str| {
            let steps = probe["steps"].as_array().unwrap().iter();
            steps.filter(|s| s["name"] == name).find_map(|s| s["at_seconds"].as_f64())
        };
        match probe["handshake_seconds"].as_f64() {
            Some(seconds) => {
                let between = step("synack_received").unwrap() - step("syn_sent").unwrap();
                assert!((between - seconds).abs() < 1e-9, "{probe}");
                assert!(step("rst_sent").unwrap() >= between, "{probe}");
                times.push(seconds);
            }
            None => assert_eq!(probe["outcome"], "refused"),
        }
    }
    times.sort_by(f64::total_cmp);
    let quantile = |name: &str| summary["handshake_seconds"][name].as_f64().unwrap();
    let order: Vec<f64> = ["min", "p50", "p90", "p99", "max"].map(quantile).into();
    assert!(order.is_sorted(), "{order:?}");
    // The histogram has a limited precision.
    let near = |a: f64, b: f64| (a - b).abs() <= b * 0.01 + 1e-9;
    assert!(near(order[0], times[0]) && near(order[4], times[24]), "{order:?} {times:?}");
    assert!(near(order[1], times[12]), "{order:?} {times:?}");
}

#[test]
fn json_lines_end_with_a_summary_that_agrees_with_them() {
    let done = fifty("jsonl");
    agree(&done.probes(), &done.summary());
    assert!(!done.err.contains('\r'), "progress where no terminal is: {:?}", done.err);
}

#[test]
fn json_is_one_document() {
    let document: Value = serde_json::from_str(&fifty("json").out).unwrap();
    agree(document["probes"].as_array().unwrap(), &document["summary"]);
}

#[test]
fn the_text_formats_show_what_was_probed_and_the_outcomes() {
    for (output, telling) in [("table", "P99"), ("ladder", "RST")] {
        let done = fifty(output);
        for text in ["50 probes of 2 targets", "25 alive, 25 refused", "Handshake  min ", telling] {
            assert!(done.out.contains(text), "{output} lacks {text:?}:\n{}", done.out);
        }
        assert!(!done.out.contains('\u{1b}'), "colours where no terminal is:\n{}", done.out);
    }
}
