//! The only IPv6 address that could be the source is tentative: duplicate address detection still runs
//! (kube-vip/kube-vip#523).

use std::fs;

use lab::{Family, Fault, LabBuilder, Segment};
use probe_agent_tests::{network::ip, privileged};

use crate::report::check;

/// `IFA_F_TENTATIVE` of linux/if_addr.h.
const TENTATIVE: u8 = 0x40;

#[test]
fn a_tentative_source_address_is_named() {
    privileged!();
    // Without any other address, the kernel would send from the loopback address.
    for others in [&["fe80::1/64"][..], &[]] {
        let ready = LabBuilder::new(Family::V6).build().unwrap();
        let lab = ready.lab();
        let own = lab.client_address(Family::V6);
        // So many solicitations, a second apart, that it stays tentative for longer than the test takes.
        lab.client().sysctl("net.ipv6.conf.client0.dad_transmits", "600").unwrap();
        let mut batch = format!(
            "route del local {own} dev client0 table local metric 1024\n\
             address del {own}/64 dev client0\n\
             address add {own}/64 dev client0\n"
        );
        batch.extend(others.iter().map(|ip| format!("address add {ip} dev client0 nodad\n")));
        ip(lab.client(), &batch);
        let flags = lab.client().run(|| flags_of("client0")).unwrap();
        // The link-local address is not.
        let tentative = flags.iter().filter(|flags| *flags & TENTATIVE != 0);
        assert_eq!((flags.len(), tentative.count()), (1 + others.len(), 1), "{flags:?}");
        let left = lab.inject(&Fault::counted(Segment::Syn)).unwrap();
        let flags = format!("{} --settle 0 --timeout 500ms", ready.address());
        let report = check(lab.client(), &flags);
        assert_eq!((report.code, left.hits().unwrap()), (Some(1), 0));
        let probe = report.only();
        probe.is("local_error", &["local_error/confirmed"]);
        probe.says(&["tentative", "duplicate address detection"]);
        probe.never_says(&["cannot reach the target"]);
    }
}

/// The flags of the IPv6 addresses of an interface of this thread's namespace.
fn flags_of(interface: &str) -> Vec<u8> {
    let table = fs::read_to_string("/proc/thread-self/net/if_inet6").unwrap();
    let rows = table.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let of_it = rows.filter(|row| row[5] == interface);
    of_it.map(|row| u8::from_str_radix(row[4], 16).unwrap()).collect()
}
