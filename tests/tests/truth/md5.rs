//! A listener that requires TCP-MD5 signatures (RFC 2385), as BGP speakers do, drops our SYN silently
//! (cloudflare/cloudflare-docs#29712).

use std::{
    net::{IpAddr, SocketAddr, TcpListener},
    os::fd::AsRawFd as _,
};

use lab::{Family, Lab};
use probe_agent_tests::privileged;

use crate::report::{arguments, check};

/// `struct tcp_md5sig` of linux/tcp.h.
#[repr(C, align(8))]
struct Md5Signature {
    /// A `sockaddr_storage`: a `sockaddr_in` or `sockaddr_in6`.
    address: [u8; 128],
    flags: u8,
    prefix_length: u8,
    key_length: u16,
    interface: i32,
    key: [u8; 80],
}

/// Requires signatures of a peer.
fn require_md5(listener: &TcpListener, peer: IpAddr) {
    let (family, ip, at) = match peer {
        IpAddr::V4(ip) => (libc::AF_INET, ip.octets().to_vec(), 4),
        IpAddr::V6(ip) => (libc::AF_INET6, ip.octets().to_vec(), 8),
    };
    let mut address = [0; 128];
    address[..2].copy_from_slice(&(family as u16).to_ne_bytes());
    address[at..at + ip.len()].copy_from_slice(&ip);
    let mut key = [0; 80];
    key[..6].copy_from_slice(b"secret");
    let signature =
        Md5Signature { address, flags: 0, prefix_length: 0, key_length: 6, interface: 0, key };
    // SAFETY: the descriptor is open while `listener` is borrowed, and the kernel reads one tcp_md5sig.
    let status = unsafe {
        libc::setsockopt(
            listener.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_MD5SIG,
            (&raw const signature).cast(),
            size_of::<Md5Signature>().try_into().unwrap(),
        )
    };
    assert_eq!(status, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn the_missing_signature_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| {
        let at = SocketAddr::new(lab.server_address(family), 0);
        let listener = lab.server().run(|| TcpListener::bind(at)).unwrap().unwrap();
        require_md5(&listener, lab.client_address(family));
        listener
    });
    let targets = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
    let before = lab.server().counters().unwrap();
    // The kernel's recursion guard may skip the hook, which gives a clue and proves nothing: three chances.
    let flags =
        format!("{} --count 3 --interval 100ms --timeout 500ms --settle 0", arguments(&targets));
    let report = check(lab.client(), &flags);
    let counted = lab.server().counters().unwrap().since(&before);
    assert_eq!(counted["TcpExtTCPMD5NotFound"], 6, "{counted:?}");
    for target in targets {
        let probes: Vec<_> = report.of(target).collect();
        probes.iter().for_each(|probe| probe.is("timed_out", &["timed_out/confirmed"]));
        let is_named = probes.iter().any(|probe| probe.text().contains("MD5"));
        assert!(is_named, "{probes:#?}");
    }
}
