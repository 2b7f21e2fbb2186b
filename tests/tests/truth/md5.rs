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

/// Listeners of both families, on free ports, that require signatures of the client.
fn listeners(lab: &Lab) -> [TcpListener; 2] {
    Family::ALL.map(|family| {
        let at = SocketAddr::new(lab.server_address(family), 0);
        let listener = lab.server().run(|| TcpListener::bind(at)).unwrap().unwrap();
        require_md5(&listener, lab.client_address(family));
        listener
    })
}

/// Probes once with these flags: each probe names the signature.
fn is_named(lab: &Lab, targets: &[SocketAddr], flags: &str) {
    let before = lab.server().counters().unwrap();
    let flags = format!("{} --timeout 500ms --settle 0 {flags}", arguments(targets));
    let report = check(lab.client(), &flags);
    let counted = lab.server().counters().unwrap().since(&before);
    assert_eq!(
        counted["TcpExtTCPMD5NotFound"],
        i64::try_from(targets.len()).unwrap(),
        "{counted:?}"
    );
    for target in targets {
        let probe = report.to(*target);
        probe.is("timed_out", &["timed_out/confirmed"]);
        let advice = probe.0["findings"][0]["advice"].as_str().unwrap();
        assert!(advice.contains("MD5"), "{flags}: {probe:#?}");
    }
}

#[test]
fn the_missing_signature_is_named() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = listeners(&lab);
    is_named(&lab, &listeners.each_ref().map(|listener| listener.local_addr().unwrap()), "");
}

/// A dropped SYN to a port that a slot has, too, is no packet to that slot.
#[test]
fn a_target_may_have_the_port_of_a_slot() {
    privileged!();
    let lab = Lab::new().unwrap();
    for listener in listeners(&lab) {
        let target = listener.local_addr().unwrap();
        let port = target.port();
        // The probe's own, and that of the other slot.
        is_named(&lab, &[target], &format!("--source-port {port}"));
        is_named(&lab, &[target], &format!("--source-port {}-{port}", port - 1));
    }
}
