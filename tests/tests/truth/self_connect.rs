//! A closed port of the loopback that is also the source port: the SYN meets its own socket
//! (tokio-rs/tokio#3405), and the kernel completes the handshake of a socket with itself.

use lab::Lab;
use probe_agent_tests::{
    network::{counted, nft},
    privileged,
};

use crate::report::check;

#[test]
fn a_probe_never_meets_itself() {
    privileged!();
    let lab = Lab::new().unwrap();
    nft(
        lab.client(),
        "add table inet own\n\
         add counter inet own sent\n\
         add counter inet own met\n\
         add chain inet own out { type filter hook output priority 0 ; }\n\
         add rule inet own out tcp flags & (syn | ack) == syn tcp dport 40003 counter name sent\n\
         add rule inet own out tcp sport 40003 tcp dport 40003 counter name met\n",
    );
    let counted = |name| counted(lab.client(), &format!("inet own {name}"));
    let mut sent = 0;
    for (target, ports, outcome) in [
        ("127.0.0.1:40003", "40000-40003", "refused"),
        ("[::1]:40003", "40000-40003", "refused"),
        // There is no port but the target's.
        ("127.0.0.1:40003", "40003", "local_error"),
        ("[::1]:40003", "40003", "local_error"),
    ] {
        let flags = format!("{target} --source-port {ports} --count 12 --interval 10ms");
        let report = check(lab.client(), &format!("{flags} --timeout 300ms --settle 0"));
        assert_eq!(report.outcomes(outcome), 12, "{report:#?}");
        assert_eq!(report.code, Some(1));
        sent += if outcome == "refused" { 12 } else { 0 };
        assert_eq!((counted("sent"), counted("met")), (sent, 0), "{flags}");
    }
}
