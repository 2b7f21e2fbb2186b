//! All probes leave from one source port, on fresh sockets, as those of other checkers do.

use lab::{Family, Fault, Lab, Segment};
use probe_agent_tests::privileged;

use crate::report::check;

/// tevino/tcp-shaker#14: the SYN after a lost RST is refused by what that left, and no other port is free for the
/// confirmation probe.
#[test]
fn a_refusal_is_checked_from_the_same_port() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let lost = lab.inject(&Fault::lost(Segment::FirstRst)).unwrap();
    let before = lab.server().counters().unwrap();
    let how =
        "--count 40 --interval 0 --fresh-sockets --port-policy pin --slots 1 --source-port 41000";
    let report = check(lab.client(), &format!("{} {how}", listener.address()));
    let counted = lab.server().counters().unwrap().since(&before);
    assert_eq!(report.outcomes("alive"), 40, "{:#?}", report.summary);
    assert!(lost.hits().unwrap() >= 20 && listener.accepted().unwrap() == 0);
    // A SYN that left more than 4 ms after the one before it met a challenge ACK instead.
    let refused = report
        .probes
        .iter()
        .filter(|probe| probe.verdicts().contains(&"stale_syn_recv_reset/confirmed".to_owned()));
    let mut resets = 0;
    for probe in refused {
        resets += 1;
        probe.says(&[
            "The refusal was false",
            "A confirmation probe from the same port was answered",
        ]);
    }
    assert!(resets > 0 && counted["TcpOutRsts"] >= resets, "{resets}, {counted:?}");
}
