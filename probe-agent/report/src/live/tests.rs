use std::sync::Arc;

use engine::early::EarlyReport;
use model::{expect::Expect, outcome::Outcome, target::Target};

use super::{Live, MINUTE};
use crate::{
    progress::Snapshot,
    sample::{CLOCK, SYN_AT, Sample, paths, targets},
    style::Look,
};
use Outcome::{Alive, Refused, TimedOut};

const SECOND: u64 = 1_000_000_000;

fn list() -> Arc<[Target]> {
    targets(&[("db.example:9000", "10.77.0.2:9000"), ("cache.example:6379", "10.77.0.3:6379")])
}

fn live(expect: Expect, look: Look) -> Live {
    Live::new(expect, CLOCK, look)
}

/// A probe of a target that ended so many seconds after the start of the run.
fn ended(target: u32, outcome: Outcome, seconds: u64) -> EarlyReport {
    let mut record = Sample::new(outcome, 0).target(target).0.timeline.probe;
    record.ended_at = SYN_AT + seconds * SECOND;
    EarlyReport { record, outcome }
}

/// The lines for these probes.
fn lines(live: &mut Live, reports: &[(u32, Outcome, u64)]) -> String {
    let list = list();
    let line = |&(target, outcome, seconds): &(u32, Outcome, u64)| {
        live.ended(&ended(target, outcome, seconds), &list[target as usize])
    };
    reports.iter().filter_map(line).collect()
}

#[test]
fn a_change_is_a_line_and_so_is_a_bad_beginning() {
    let reports = [
        (0, Alive, 0),
        (1, Refused, 1),
        (0, Alive, 2),
        (0, TimedOut, 3),
        (0, TimedOut, 4),
        (1, Refused, 5),
        (0, Alive, 15),
    ];
    let open = lines(&mut live(Expect::Open, Look::PLAIN), &reports);
    assert_eq!(
        open,
        "2026-01-02T03:04:06Z  cache.example:6379  refused\n\
         2026-01-02T03:04:08Z  db.example:9000  alive -> timed out, after 3.00 s\n\
         2026-01-02T03:04:20Z  db.example:9000  timed out -> alive, after 12.0 s\n"
    );
    let mut closed = live(Expect::Closed, Look::PLAIN);
    assert_eq!(
        lines(&mut closed, &reports[..3]),
        "2026-01-02T03:04:05Z  db.example:9000  alive\n",
        "a refusal is as expected"
    );
    assert_eq!(closed.unexpected(), 1);
    let narrow = Look { colour: false, width: 40 };
    let narrow = lines(&mut live(Expect::Open, narrow), &reports[..2]);
    assert_eq!(narrow, "2026-01-02T03:04:06Z  cache.example:6379\n  refused\n");
}

#[test]
fn an_unusual_probe_is_shown_and_one_that_stays_down_once() {
    let list = list();
    let mut live = live(Expect::Open, Look::PLAIN);
    assert_eq!(live.probe(&paths::clean().0, &list[0]), None);
    let shown = live.probe(&paths::path_a().0, &list[0]).unwrap();
    assert_eq!(
        shown,
        "2026-01-02T03:04:05Z  db.example:9000  rst_lost_synack_retransmit (confirmed)\n  \
         The server did not receive our RST: it stayed in SYN_RECV for 1.003 s, retransmitted its \
         SYN-ACK\n  and was then reset.\n"
    );
    assert!(live.probe(&paths::path_a().0, &list[0]).is_some(), "a target that is up loses RSTs");
    let down = |live: &mut Live| live.probe(&paths::timed_out().target(1).0, &list[1]).is_some();
    lines(&mut live, &[(1, TimedOut, 3)]);
    assert_eq!([down(&mut live), down(&mut live)], [true, false]);
    lines(&mut live, &[(1, Alive, 4), (1, TimedOut, 5)]);
    assert_eq!([down(&mut live), down(&mut live)], [true, false]);
    let mut closed = self::live(Expect::Closed, Look::PLAIN);
    assert_eq!(closed.probe(&paths::refused().0, &list[0]), None, "as expected");
}

#[test]
fn figures_come_once_in_a_minute() {
    let list = list();
    let mut live = live(Expect::Open, Look::PLAIN);
    lines(&mut live, &[(0, Alive, 0), (1, TimedOut, 2)]);
    let mut at = |seconds: u64, ended: u64, alive: u64| {
        let at = SYN_AT + seconds * SECOND;
        live.figures(&Snapshot { at, ended, alive, ..Snapshot::default() }, &list)
    };
    assert_eq!(at(0, 0, 0), None);
    assert_eq!(at(59, 100, 60), None);
    assert_eq!(
        at(60, 120, 61).as_deref(),
        Some(
            "2026-01-02T03:05:05Z  120 probes, 2.0/s, 59 failed, 61 alive\n  \
             1 of 2 targets not as expected: cache.example:6379 (timed out)\n"
        )
    );
    assert_eq!(at(61, 122, 62), None);
    let late = at(130, 820, 700).unwrap();
    assert!(late.starts_with("2026-01-02T03:06:15Z  820 probes, 10.0/s, "), "{late}");
    assert_eq!(at(179, 900, 700), None);
    assert!(at(180, 900, 700).is_some(), "the lines keep their minute");
}

#[test]
fn thousands_of_changes_at_once_are_counted() {
    let mut live = live(Expect::Open, Look::PLAIN);
    let target = &list()[0];
    let fail = |live: &mut Live, targets: std::ops::Range<u32>, seconds| {
        targets.filter(|t| live.ended(&ended(*t, TimedOut, seconds), target).is_some()).count()
    };
    assert_eq!(fail(&mut live, 0..5_000, 0), 20);
    assert_eq!(fail(&mut live, 5_000..5_100, 11), 20, "a later window");
    assert_eq!(live.unexpected(), 5_100);
    let now = |at| Snapshot { at: SYN_AT + at, ended: 1, ..Snapshot::default() };
    assert_eq!(live.figures(&now(0), &[]), None);
    let lines = live.figures(&now(MINUTE), &[]).unwrap();
    assert!(lines.contains("\n  5,100 of 5,100 targets not as expected\n"), "{lines}");
    assert!(lines.ends_with("\n  5,060 further changes or unusual probes not shown\n"), "{lines}");
    let lines = live.figures(&now(2 * MINUTE), &[]).unwrap();
    assert!(!lines.contains("not shown"), "{lines}");
}
