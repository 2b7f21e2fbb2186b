//! Listeners, closed ports and the kernel's counters.

use std::io::ErrorKind;
use std::net::SocketAddr;

use lab::{Family, Lab, Listener, ListenerOptions, TcpState};
use probe_agent_tests::privileged;

use crate::support::{connect, half_open, start_connect, stay_half_open};

#[test]
fn a_closed_port_refuses() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let port = lab.closed_port(family).unwrap();
        let error = connect(&lab, port.address()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }
}

#[test]
fn a_full_accept_queue_drops_syns() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let address = SocketAddr::new(lab.server_address(family), 0);
        let options = ListenerOptions::at(address).backlog(2).never_accepts();
        let listener = Listener::open(lab.server(), &options).unwrap();
        let connections = listener.fill_accept_queue(lab.client()).unwrap();
        assert_eq!((connections.len(), listener.queued().unwrap()), (3, 3));

        let before = lab.server().counters().unwrap();
        let ignored = start_connect(&lab, listener.address());
        lab.settle().unwrap();
        let moved = lab.server().counters().unwrap().since(&before);
        assert!(moved["TcpExtListenOverflows"] >= 1, "{moved:?}");
        assert!(ignored.peer_addr().is_err());
        assert_eq!(listener.accepted().unwrap(), 0);
    }
}

#[test]
fn half_open_probes_are_never_accepted() {
    privileged!();
    let lab = Lab::new().unwrap();
    let _guard = stay_half_open(&lab);
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        let before = lab.server().counters().unwrap();
        for _ in 0..20 {
            half_open(&lab, listener.address());
        }
        lab.settle().unwrap();
        let moved = lab.server().counters().unwrap().since(&before);
        assert_eq!(moved["TcpExtEmbryonicRsts"], 20, "{moved:?}");
        assert_eq!(moved["TcpAttemptFails"], 20, "{moved:?}");
        assert_eq!(listener.accepted().unwrap(), 0);
        assert_eq!(lab.server().sockets_in(TcpState::SynRecv).unwrap(), 0);
    }
}
