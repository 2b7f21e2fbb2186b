//! Plans and hosts in, needs or shortages out.

use super::{Needs, Room, check};
use crate::{load::load, overrides::Overrides, plan::plan};

fn fits(settings: &str, targets: usize, room: Room) -> Result<Needs, String> {
    let list: Vec<String> =
        (0..targets).map(|n| format!("10.0.{}.{}:80", n / 250, n % 250 + 1)).collect();
    let text = format!("defaults: {{{settings}}}\ntargets: [{}]", list.join(", "));
    let loaded = load("f.yaml", text.as_bytes(), Overrides::default()).unwrap();
    check(&plan(&loaded, &Default::default()).probes, room).map_err(|error| error.to_string())
}

#[test]
fn a_host_has_room_for_some_targets() {
    let room = Room { ports: 100, descriptors: 1_000 };
    for (settings, targets, expected) in [
        ("interval: 1s", 100, Ok((100, 100))),
        ("interval: 10s, timeout: 1s", 1_000, Ok((100, 100))),
        (
            "interval: 1s",
            250,
            Err(
                "250 targets need 250 source ports if none of them answers, but there are 100: 100 targets fit; widen net.ipv4.ip_local_port_range, or lengthen the interval",
            ),
        ),
        (
            "interval: 10s, timeout: 1s",
            2_000,
            Err(
                "2000 targets need 200 source ports if none of them answers, but there are 100: 1000 targets fit; widen net.ipv4.ip_local_port_range, or lengthen the interval",
            ),
        ),
        (
            "interval: 1s, fast_interval: 500ms, source_ports: 40000-40009",
            20,
            Err(
                "20 targets need 20 source ports if none of them answers, but there are 10: 10 targets fit; widen source_ports, or lengthen the interval",
            ),
        ),
    ] {
        let seen = fits(settings, targets, room).map(|needs| (needs.sockets, needs.rate));
        assert_eq!(seen, expected.map_err(str::to_owned), "{targets} targets, {settings}");
    }
    let few = Room { ports: 28_232, descriptors: 928 };
    assert_eq!(
        fits("interval: 1s", 1_000, few).unwrap_err(),
        "1000 targets need 1000 open files if none of them answers, but there are 928: 928 targets fit; raise the limit (LimitNOFILE, ulimit -n), or lengthen the interval"
    );
    assert!(fits("interval: 1s", 0, Room { ports: 0, descriptors: 0 }).is_ok());
}

#[test]
fn what_fits_is_what_is_said_to_fit() {
    for (settings, ports) in
        [("interval: 1s", 7), ("interval: 3s, timeout: 2s", 11), ("interval: 1ms", 3)]
    {
        let room = Room { ports, descriptors: 100_000 };
        let line = fits(settings, 500, room).unwrap_err();
        let fit: usize = line
            .split(": ")
            .nth(1)
            .and_then(|rest| rest.split(' ').next())
            .unwrap()
            .parse()
            .unwrap();
        assert!(fits(settings, fit, room).is_ok(), "{line}");
        assert!(fits(settings, fit + 2, room).is_err(), "{line}");
    }
}
