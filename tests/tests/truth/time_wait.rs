//! The server has a connection from the probe's port in TIME_WAIT (cloudfoundry-attic/cf-release#758). A SYN
//! with a higher sequence number opens a new one.

use std::{
    io::Read as _,
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
};

use lab::{Family, Lab, TcpState};
use probe_agent_tests::privileged;

use crate::report::check;

#[test]
fn a_connection_in_time_wait_is_replaced() {
    privileged!();
    for family in Family::ALL {
        let lab = Lab::new().unwrap();
        let at = SocketAddr::new(lab.server_address(family), 0);
        let listener = lab.server().run(|| TcpListener::bind(at)).unwrap().unwrap();
        let target = listener.local_addr().unwrap();
        let mut client = lab.client().run(|| TcpStream::connect(target)).unwrap().unwrap();
        let port = client.local_addr().unwrap().port();
        let (mut server, _) = listener.accept().unwrap();
        // The server closes first, so the state is its own.
        server.shutdown(Shutdown::Write).unwrap();
        assert_eq!(client.read(&mut [0]).unwrap(), 0);
        drop(client);
        assert_eq!(server.read(&mut [0]).unwrap(), 0);
        drop(server);
        lab.settle().unwrap();
        assert_eq!(lab.server().sockets_in(TcpState::TimeWait).unwrap(), 1);

        let report = check(lab.client(), &format!("{target} --source-port {port}"));
        assert_eq!(lab.server().sockets_in(TcpState::TimeWait).unwrap(), 0);
        assert_eq!(report.code, Some(0), "{report:?}");
        report.only().is("alive", &["clean/confirmed"]);
    }
}
