//! The ladders in `src/golden/`, one for each way that a probe can go.

use super::draw;
use crate::{
    sample::{CLOCK, NARROW, Sample, golden, paths},
    style::Look,
};
use explain::Judged;
use model::expect::Expect;

fn at(look: Look, sample: &Sample) -> String {
    let drawn = draw(&sample.0, "db.example:9000", Expect::Open, CLOCK, look);
    for line in drawn.lines() {
        assert!(line.is_ascii() && !line.ends_with(' '), "{line:?}");
        assert!(look.colour || line.len() <= look.width, "too long: {line:?}");
    }
    drawn
}

#[test]
fn one_for_each_path() {
    for (name, sample) in [
        ("ladder-clean.txt", paths::clean()),
        ("ladder-path-a.txt", paths::path_a()),
        ("ladder-path-b-earlier.txt", paths::path_b_earlier()),
        ("ladder-path-b-later.txt", paths::path_b_later()),
        ("ladder-path-c.txt", paths::path_c()),
        ("ladder-refused.txt", paths::refused()),
        ("ladder-timed-out.txt", paths::timed_out()),
        ("ladder-unreachable.txt", paths::unreachable()),
        ("ladder-local-error.txt", paths::local_error()),
    ] {
        golden(name, &at(Look::PLAIN, &sample));
        for width in 40..=120 {
            at(Look { colour: false, width }, &sample);
        }
    }
}

#[test]
fn on_a_narrow_terminal() {
    golden("ladder-narrow.txt", &at(NARROW, &paths::path_a()));
    let look = Look { colour: false, width: 40 };
    golden("ladder-40.txt", &at(look, &paths::path_a()));
}

#[test]
fn ipv6_addresses_fit() {
    let short = paths::path_a().flow("[fd00:77::1]:40001", "[fd00:77::2]:9000");
    golden("ladder-ipv6.txt", &at(NARROW, &short));
    let long = paths::path_a().flow(
        "[2001:db8:1111:2222:3333:4444:5555:6666]:40001",
        "[2001:db8:1111:2222:3333:4444:5555:7777]:65535",
    );
    golden("ladder-ipv6-long.txt", &at(Look::PLAIN, &long));
    at(NARROW, &long);
}

#[test]
fn in_colour() {
    golden("ladder-colour.txt", &at(Look { colour: true, width: 100 }, &paths::path_a()));
}

#[test]
fn a_refusal_is_good_where_it_is_expected() {
    let look = Look { colour: true, width: 80 };
    let drawn = draw(&paths::refused().0, "x:1", Expect::Closed, CLOCK, look);
    assert!(drawn.lines().next().is_some_and(|l| l.ends_with("\x1b[32mrefused\x1b[0m, confirmed")));
}

#[test]
fn generated_sentences_fit() {
    for sample in [
        paths::clean(),
        paths::path_a(),
        paths::path_b_later(),
        paths::path_c(),
        paths::refused(),
        paths::timed_out(),
        paths::unreachable(),
        paths::local_error(),
    ] {
        let explained = Sample(explain::explain(Judged::new(sample.0.timeline, Expect::Open)));
        for width in 40..=120 {
            at(Look { colour: false, width }, &explained);
        }
    }
}

#[test]
fn no_number_is_drawn_for_a_slot_or_port_that_there_was_not() {
    let drawn = at(NARROW, &paths::without_slot());
    let (_, below) = drawn.split_once('\n').unwrap();
    assert!(below.starts_with("db.example:9000   2026-01-02T03:04:05"), "{drawn}");
    assert!(drawn.contains("\n  this host "), "{drawn}");
    assert!(!drawn.contains("0.0.0.0"), "{drawn}");
    let bound = paths::without_slot().flow("10.77.0.1:0", "10.77.0.2:9000");
    assert!(at(NARROW, &bound).contains("\n  10.77.0.1 "), "{drawn}");
}

#[test]
fn the_same_advice_is_given_once() {
    let mut sample = paths::path_b_later();
    let advice = sample.0.findings[0].advice.clone();
    sample.0.findings[1].advice = advice;
    assert_eq!(at(NARROW, &sample).matches("What to do").count(), 1);
}
