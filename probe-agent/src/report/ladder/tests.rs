use super::draw;
use crate::{
    config::choice::Expect,
    report::{
        sample::{CLOCK, NARROW, Sample, paths},
        style::Look,
    },
};

fn wide(sample: &Sample) -> String {
    draw(&sample.0, "db.example:9000", Expect::Open, CLOCK, Look::PLAIN)
}

#[test]
fn show() {
    for s in [
        paths::clean(),
        paths::path_a(),
        paths::path_b_earlier(),
        paths::path_b_later(),
        paths::path_c(),
        paths::refused(),
        paths::timed_out(),
        paths::unreachable(),
        paths::local_error(),
    ] {
        println!("{}", wide(&s));
        println!("{}", draw(&s.0, "db.example:9000", Expect::Open, CLOCK, NARROW));
    }
    let s = paths::path_a().flow(
        "[2001:db8:1111:2222:3333:4444:5555:6666]:40001",
        "[2001:db8:1111:2222:3333:4444:5555:7777]:65535",
    );
    println!("{}", wide(&s));
    println!("{}", draw(&s.0, "db.example:9000", Expect::Open, CLOCK, NARROW));
    let s = paths::path_a().flow("[fd00:77::1]:40001", "[fd00:77::2]:9000");
    println!("{}", wide(&s));
    println!("{}", draw(&s.0, "db.example:9000", Expect::Open, CLOCK, NARROW));
}
