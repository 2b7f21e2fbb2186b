//! Servers with special options and kernels without state: all of them are clean.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    os::fd::AsRawFd as _,
};

use lab::{Family, Lab};
use probe_agent_tests::privileged;
use socket2::{Domain, Protocol, Socket, Type};

use crate::report::{arguments, check};

/// An option of a TCP socket and its value.
type TcpOption = (libc::c_int, libc::c_int);

fn listen(lab: &Lab, family: Family, protocol: libc::c_int, options: &[TcpOption]) -> TcpListener {
    let at = SocketAddr::new(lab.server_address(family), 0);
    let listen = || -> io::Result<TcpListener> {
        let socket =
            Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::from(protocol)))?;
        socket.bind(&at.into())?;
        socket.listen(64)?;
        for &(name, value) in options {
            let length = size_of_val(&value).try_into().unwrap();
            // SAFETY: the descriptor is open while `socket` lives, and the kernel reads one integer.
            let status = unsafe {
                let value = (&raw const value).cast();
                libc::setsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, name, value, length)
            };
            if status < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(socket.into())
    };
    lab.server().run(listen).unwrap().unwrap()
}

#[test]
fn every_kind_of_listener_is_clean() {
    privileged!();
    let lab = Lab::new().unwrap();
    lab.server().sysctl("net.ipv4.tcp_fastopen", "3").unwrap();
    let tcp = libc::IPPROTO_TCP;
    let listeners = Family::ALL.map(|family| {
        [
            listen(&lab, family, tcp, &[]),
            listen(&lab, family, tcp, &[(libc::TCP_DEFER_ACCEPT, 5)]),
            listen(&lab, family, tcp, &[(libc::TCP_FASTOPEN, 16)]),
            listen(&lab, family, libc::IPPROTO_MPTCP, &[]),
        ]
    });
    all_clean(&lab, listeners.as_flattened());
}

#[test]
fn a_server_that_keeps_no_state_is_clean() {
    privileged!();
    let lab = Lab::new().unwrap();
    lab.server().sysctl("net.ipv4.tcp_syncookies", "2").unwrap();
    let before = lab.server().counters().unwrap();
    all_clean(&lab, &Family::ALL.map(|family| listen(&lab, family, libc::IPPROTO_TCP, &[])));
    let counted = lab.server().counters().unwrap().since(&before);
    assert_eq!(counted["TcpExtSyncookiesSent"], 2, "{counted:?}");
}

fn all_clean(lab: &Lab, listeners: &[TcpListener]) {
    let targets: Vec<_> = listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
    let report = check(lab.client(), &arguments(&targets));
    assert_eq!(report.probes.len(), listeners.len());
    for probe in &report.probes {
        probe.is("alive", &["clean/confirmed"]);
    }
    for listener in listeners {
        listener.set_nonblocking(true).unwrap();
        let accepted = listener.accept();
        assert_eq!(accepted.unwrap_err().kind(), io::ErrorKind::WouldBlock);
    }
}
