//! What a reload costs: read, plan and compare a configuration of many targets.
//!
//! `cargo bench -p probe-agent-config`. Prints the CPU time of each part, as the median of several rounds.

use std::{hint::black_box, time::Duration};

use nix::time::{ClockId, clock_gettime};
use probe_agent_config::{
    capacity::{Room, check},
    load::{Loaded, load},
    overrides::Overrides,
    plan::{Discovered, diff, plan},
};

/// A number that gives a stable median and ends soon.
const ROUNDS: usize = 15;

fn text(targets: u32, changed: u32) -> String {
    let mut text = "defaults: {interval: 1s, labels: {site: a}}\ntargets:\n".to_owned();
    for number in 0..targets {
        let [_, a, b, c] = number.to_be_bytes();
        let interval = if number < changed { 2 } else { 1 };
        text += &format!(
            "  - {{address: 10.{a}.{b}.{c}:80, interval: {interval}s, labels: {{rack: r{}}}}}\n",
            number % 100
        );
    }
    text
}

fn read(text: &str) -> Loaded {
    load("f.yaml", text.as_bytes(), Overrides::default()).expect("a valid configuration")
}

/// The time that this thread has computed. Other programs on the machine do not lengthen it.
fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID);
    time.map(Duration::from).expect("the thread's clock")
}

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = cpu_time();
            run();
            cpu_time().saturating_sub(start)
        })
        .collect();
    times.sort_unstable();
    times.get(ROUNDS / 2).copied().unwrap_or_default()
}

fn main() {
    for targets in [1_000, 10_000, 100_000] {
        let (old, new) = (text(targets, 0), text(targets, targets / 100));
        let (old, loaded) = (read(&old), read(&new));
        let old = plan(&old, &Discovered::new());
        let planned = plan(&loaded, &Discovered::new());
        let room = Room { ports: 28_232, descriptors: 1 << 20 };
        let parts: [(&str, Duration); 4] = [
            ("read", median(|| drop(black_box(read(&new))))),
            ("plan", median(|| drop(black_box(plan(&loaded, &Discovered::new()))))),
            ("compare", median(|| drop(black_box(diff(&old.probes, &planned.probes))))),
            (
                "capacity",
                median(|| {
                    assert!(black_box(check(&planned.probes, room)).is_ok() || targets > 28_232)
                }),
            ),
        ];
        let total: Duration = parts.iter().map(|(_, time)| *time).sum();
        let parts: Vec<String> =
            parts.iter().map(|(name, time)| format!("{name} {time:.1?}")).collect();
        println!("{targets} targets: {} ({total:.1?})", parts.join(", "));
    }
}
