//! `--otlp-file` on a disk that fills up in the middle of a line. A test program of its own, because the
//! limit that simulates the disk applies to the process.

use explain::ExplainedProbe;
use std::{fs, time::Duration};

use model::record::ProbeId;
use model::spans::SpanCounts;
use nix::sys::{
    resource::{Resource, getrlimit, setrlimit},
    signal::{SigHandler, Signal, signal},
};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use probe_agent_tests::{otlp::exporter_of, receiver::spans, sample};

/// Room for one line of 512 spans, but not for two.
const ROOM: u64 = 2_000_000;

#[test]
fn a_partial_line_is_removed() {
    let path = std::env::temp_dir().join(format!("probe-agent-{}-limit.json", std::process::id()));
    // SAFETY: ignoring a signal runs no handler; a write beyond the limit fails with EFBIG then.
    unsafe { signal(Signal::SIGXFSZ, SigHandler::SigIgn) }.unwrap();
    let (soft, hard) = getrlimit(Resource::RLIMIT_FSIZE).unwrap();
    setrlimit(Resource::RLIMIT_FSIZE, ROOM, hard).unwrap();

    let (exporter, lines) = exporter_of(&["--otlp-file", path.to_str().unwrap()]);
    for generation in 1..=1024 + 1 {
        exporter.offer(ExplainedProbe {
            expected: true,
            ..sample::clean(ProbeId { slot: 0, generation })
        });
    }
    let counts = exporter.finish(Duration::from_secs(60));
    setrlimit(Resource::RLIMIT_FSIZE, soft, hard).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();

    assert_eq!(counts, SpanCounts { accepted: 513, rejected: 512, dropped: 0 }, "{lines:?}");
    let sizes: Vec<usize> = text
        .lines()
        .map(|l| spans(serde_json::from_str::<ExportTraceServiceRequest>(l).unwrap()).len())
        .collect();
    assert_eq!(sizes, [512, 1], "the last line had room again");
}
