//! A closed port of the loopback that is also the source port: the SYN meets its own socket
//! (tokio-rs/tokio#3405), and the kernel completes the handshake of a socket with itself.

use lab::Lab;
use probe_agent_tests::{
    network::{counted, nft},
    privileged,
};

use crate::report::check;

const TARGETS: &str = "127.0.0.1:40003 [::1]:40003";

#[test]
fn a_socket_that_meets_itself_is_never_alive() {
    privileged!();
    let lab = Lab::new().unwrap();
    nft(
        lab.client(),
        "add table inet own\n\
         add counter inet own met\n\
         add counter inet own sent\n\
         add chain inet own out { type filter hook output priority 0 ; }\n\
         add rule inet own out tcp flags & (syn | ack) == syn tcp dport 40003 counter name sent\n\
         add rule inet own out tcp sport 40003 tcp dport 40003 tcp flags & (syn | ack) == syn counter name met\n",
    );
    let run = |ports: &str| {
        let flags = "--count 12 --interval 10ms --timeout 300ms --settle 100ms";
        let report = check(lab.client(), &format!("{TARGETS} --source-port {ports} {flags}"));
        let [sent, met] =
            ["sent", "met"].map(|name| counted(lab.client(), &format!("inet own {name}")));
        assert_eq!((report.code, report.probes.len()), (Some(1), 24));
        (report, sent, met)
    };
    // The port is passed over.
    let (report, sent, met) = run("40000-40003");
    assert_eq!((report.outcomes("refused"), sent, met), (24, 24, 0), "{report:#?}");
    // There is no other port.
    let (report, ..) = run("40003");
    assert_eq!(report.outcomes("alive"), 0, "{report:#?}");
}
