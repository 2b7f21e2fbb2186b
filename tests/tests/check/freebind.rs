//! Probing from a virtual address that this host does not have.

use lab::{End, Family, Lab};
use probe_agent_tests::privileged;

use crate::{
    nft::{At, Syns},
    support::{Done, check_in, run},
};

fn from_vip(lab: &Lab, family: Family, flags: &str) -> Done {
    let listener = lab.listen(family).unwrap();
    let flags = format!(
        "{} --source {} --timeout 50ms --settle 0 --output jsonl {flags}",
        listener.address(),
        lab.vip(family)
    );
    run(&mut check_in(lab.client(), &flags))
}

#[test]
fn the_syn_leaves_with_a_source_that_this_host_does_not_have() {
    privileged!();
    let lab = Lab::new().unwrap();
    for (family, ip) in Family::ALL.into_iter().zip(["ip", "ip6"]) {
        let expression = format!("{ip} saddr {}", lab.vip(family));
        let syns = Syns::count(lab.server(), ip, At::Arrival, &expression);
        // Without the flag this host refuses.
        let done = from_vip(&lab, family, "");
        assert_eq!((done.code, syns.seen()), (Some(1), 0), "{done:?}");
        assert_eq!(done.probes()[0]["error_type"], "address_not_available");
        // With it the SYN leaves; the answer does not come back.
        let done = from_vip(&lab, family, "--freebind");
        assert_eq!((done.code, syns.seen()), (Some(1), 1), "{done:?}");
        assert_eq!(done.probes()[0]["outcome"], "timed_out");
    }
    // Once the answer is routed here, the target is alive.
    lab.move_vip(Some(End::Client)).unwrap();
    for family in Family::ALL {
        let done = from_vip(&lab, family, "--freebind");
        assert_eq!(done.code, Some(0), "{done:?}");
    }
}
