//! The server still holds a connection from the probe's port, and it is established
//! (envoyproxy/envoy#31729). Our SYN meets it, and our RST ends it.

use std::{
    io::{ErrorKind, Read as _},
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use lab::{Family, Fault, Lab, Segment, TcpState};
use probe_agent_tests::privileged;
use socket2::{Domain, Socket, Type};

use crate::report::check;

#[test]
fn our_rst_ends_it_and_it_is_not_called_half_open() {
    privileged!();
    for family in Family::ALL {
        let lab = Lab::new().unwrap();
        let at = SocketAddr::new(lab.server_address(family), 0);
        let listener = lab.server().run(|| TcpListener::bind(at)).unwrap().unwrap();
        let target = listener.local_addr().unwrap();
        let client = lab
            .client()
            .run(|| {
                let socket = Socket::new(Domain::for_address(target), Type::STREAM, None).unwrap();
                socket.connect(&target.into()).unwrap();
                socket
            })
            .unwrap();
        let port = client.local_addr().unwrap().as_socket().unwrap().port();
        let (mut held, _) = listener.accept().unwrap();
        // The client forgets the connection; the server does not get to know.
        let forgotten = lab.inject(&Fault::firewalled(Segment::Rst)).unwrap();
        client.set_linger(Some(Duration::ZERO)).unwrap();
        drop(client);
        assert_eq!(forgotten.clear().unwrap(), 1);
        assert_eq!(lab.server().sockets_in(TcpState::Established).unwrap(), 1);

        let before = lab.server().counters().unwrap();
        let report = check(lab.client(), &format!("{target} --source-port {port}"));
        let counted = lab.server().counters().unwrap().since(&before);
        assert_eq!(counted["TcpEstabResets"], 1, "{counted:?}");
        assert_eq!(lab.server().sockets_in(TcpState::Established).unwrap(), 0);
        held.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        assert_eq!(held.read(&mut [0]).unwrap_err().kind(), ErrorKind::ConnectionReset);

        let probe = report.only();
        probe.is("alive", &["challenge_ack/confirmed"]);
        probe.says(&[
            "established",
            "If that RST arrived, it ended the connection",
            "--source-port",
        ]);
        probe.never_says(&["SYN_RECV", "left by probe", "lost RST"]);
    }
}

/// secdev/scapy#2439: this host drops the RST that would end the connection.
#[test]
fn a_rst_that_this_host_drops_ends_nothing() {
    privileged!();
    let lab = Lab::new().unwrap();
    let at = SocketAddr::new(lab.server_address(Family::V4), 0);
    let listener = lab.server().run(|| TcpListener::bind(at)).unwrap().unwrap();
    let target = listener.local_addr().unwrap();
    let client = lab.client().run(|| std::net::TcpStream::connect(target)).unwrap().unwrap();
    let port = client.local_addr().unwrap().port();
    let _held = listener.accept().unwrap();
    let dropped = lab.inject(&Fault::firewalled(Segment::Rst)).unwrap();
    Socket::from(client).set_linger(Some(Duration::ZERO)).unwrap();
    let before = dropped.hits().unwrap();
    let flags = format!("{target} --source-port {port} --timeout 500ms --settle 0");
    let report = check(lab.client(), &flags);
    assert!(dropped.hits().unwrap() > before);
    assert_eq!(lab.server().sockets_in(TcpState::Established).unwrap(), 1);
    let probe = report.only();
    probe.is("timed_out", &["challenge_ack/confirmed", "timed_out/confirmed"]);
    probe.says(&["kfree_skb of our RST in this host", "own firewall drops it", "output path"]);
    probe.never_says(&["Another program of this host"]);
}
