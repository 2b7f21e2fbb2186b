//! The server's accept queue is full, so its kernel drops our SYN (netdata/netdata#2855).

use std::net::SocketAddr;

use lab::{Family, Lab, Listener, ListenerOptions};
use probe_agent_tests::privileged;

use crate::report::check;

#[test]
fn the_counter_to_look_at_is_named() {
    privileged!();
    for (family, abort) in [(Family::V4, "0"), (Family::V6, "1")] {
        let lab = Lab::new().unwrap();
        lab.server().sysctl("net.ipv4.tcp_abort_on_overflow", abort).unwrap();
        let at = SocketAddr::new(lab.server_address(family), 0);
        let options = ListenerOptions::at(at).backlog(2).never_accepts();
        let listener = Listener::open(lab.server(), &options).unwrap();
        let _full = listener.fill_accept_queue(lab.client()).unwrap();
        let before = lab.server().counters().unwrap();
        let report = check(lab.client(), &listener.address().to_string());
        let counted = lab.server().counters().unwrap().since(&before);
        assert_eq!(counted["TcpExtListenOverflows"], 2, "{counted:?}");
        let probe = report.only();
        probe.is("timed_out", &["timed_out/confirmed", "syn_retransmitted/confirmed"]);
        probe.says(&["ListenOverflows"]);
        probe.never_says(&["This host dropped", "refused the connection"]);
    }
}
