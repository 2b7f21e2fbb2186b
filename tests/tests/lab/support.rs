//! Clients for the tests of the lab.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use lab::{ActiveFault, Fault, Lab, Segment};
use nix::errno::Errno;
use socket2::{Domain, Protocol, Socket, Type};

/// For events that happen at once; a longer wait means failure.
pub(crate) const SOON: Duration = Duration::from_secs(10);

fn socket(to: SocketAddr) -> Socket {
    Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP)).unwrap()
}

/// Sends a SYN and does not wait. Closing the socket while it is unanswered sends nothing.
pub(crate) fn start_connect(lab: &Lab, to: SocketAddr) -> Socket {
    lab.client()
        .run(|| {
            let socket = socket(to);
            socket.set_nonblocking(true).unwrap();
            match socket.connect(&to.into()) {
                Err(error) if error.raw_os_error() != Some(Errno::EINPROGRESS as i32) => {
                    panic!("{error}")
                }
                _ => socket,
            }
        })
        .unwrap()
}

/// Connects and waits for the outcome.
pub(crate) fn connect(lab: &Lab, to: SocketAddr) -> io::Result<Socket> {
    lab.client()
        .run(|| {
            let socket = socket(to);
            socket.connect_timeout(&to.into(), SOON).map(|()| socket)
        })
        .unwrap()
}

/// Drops the third segment of every handshake at the client: a probe stays half-open however long the
/// scheduler delays it.
pub(crate) fn stay_half_open(lab: &Lab) -> ActiveFault {
    lab.inject(&Fault::firewalled(Segment::BareAck)).unwrap()
}

/// SYN, SYN-ACK, RST. Returns the local address. Needs [`stay_half_open`].
pub(crate) fn half_open(lab: &Lab, to: SocketAddr) -> SocketAddr {
    let socket = connect(lab, to).unwrap();
    socket.set_linger(Some(Duration::ZERO)).unwrap();
    socket.local_addr().unwrap().as_socket().unwrap()
}
