//! A program on the cgroup sends the SYN to another address, as Cilium's socket load balancer does
//! (cilium/cilium#19623). The flow to follow is the one that the kernel uses, not the one that was asked for.

use std::{
    fs, io,
    net::{IpAddr, SocketAddr},
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use lab::{Family, Fault, Lab, Listener, Segment};
use probe_agent_tests::{cgroup, privileged};

use crate::report::{Report, arguments, command, run};

const PROG_LOAD: libc::c_long = 5;
const PROG_ATTACH: libc::c_long = 8;
const CGROUP_SOCK_ADDR: u32 = 18;
const ALLOW_MULTI: u32 = 2;

/// The port of the service. Other connections of the agent pass untouched.
const SERVICE: u16 = 80;
/// Members of `struct bpf_sock_addr`.
const USER_IP4: i16 = 4;
const USER_IP6: [i16; 4] = [8, 12, 16, 20];
const USER_PORT: i16 = 24;

/// `BPF_CGROUP_INET4_CONNECT` or `BPF_CGROUP_INET6_CONNECT`.
const fn connect_hook(family: Family) -> u32 {
    match family {
        Family::V4 => 10,
        Family::V6 => 11,
    }
}

/// An instruction: its code, its registers, an offset and a number.
fn instruction(code: u8, to: u8, from: u8, offset: i16, number: u32) -> u64 {
    let [low, high] = offset.to_le_bytes();
    let [a, b, c, d] = number.to_le_bytes();
    u64::from_le_bytes([code, to | from << 4, low, high, a, b, c, d])
}

/// `if (ctx->user_port == htons(80)) { ctx->user_ip4 or user_ip6 = ...; ctx->user_port = ...; } return 1;`
fn program(backend: SocketAddr) -> Vec<u64> {
    const CONTEXT: u8 = 1;
    const VALUE: u8 = 2;
    let load = |from| instruction(0x61, VALUE, CONTEXT, from, 0);
    let set = |number| instruction(0xb4, VALUE, 0, 0, number);
    let store = |to| instruction(0x63, CONTEXT, VALUE, to, 0);
    let port = |port: u16| u32::from(port.to_be());
    let mut stores = Vec::new();
    match backend.ip() {
        IpAddr::V4(ip) => stores.extend([set(u32::from_ne_bytes(ip.octets())), store(USER_IP4)]),
        IpAddr::V6(ip) => {
            for (word, to) in ip.octets().chunks(4).zip(USER_IP6) {
                let word = u32::from_ne_bytes(word.try_into().unwrap());
                stores.extend([set(word), store(to)]);
            }
        }
    }
    stores.extend([set(port(backend.port())), store(USER_PORT)]);
    let skip = i16::try_from(stores.len()).unwrap();
    let mut all = vec![load(USER_PORT), instruction(0x56, VALUE, 0, skip, port(SERVICE))];
    all.extend(stores);
    all.extend([instruction(0xb7, 0, 0, 0, 1), 0x95]);
    all
}

/// `bpf()` with an attribute of 128 bytes, of which the first words are given.
fn bpf(call: libc::c_long, words: &[u64]) -> io::Result<libc::c_long> {
    let mut attribute = [0_u64; 16];
    attribute[..words.len()].copy_from_slice(words);
    // SAFETY: the attribute has the given length, and what it points to outlives the call.
    let done = unsafe {
        libc::syscall(libc::SYS_bpf, call, &raw const attribute, size_of_val(&attribute))
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(done) }
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Loads the program for a family and attaches it to a cgroup, with which it is removed.
fn attach(cgroup: &Path, family: Family, backend: SocketAddr) {
    let (licence, code) = (c"GPL", program(backend));
    let mut load = [0; 9];
    load[0] = pair(CGROUP_SOCK_ADDR, code.len().try_into().unwrap());
    load[1] = code.as_ptr().expose_provenance() as u64;
    load[2] = licence.as_ptr().expose_provenance() as u64;
    load[8] = pair(0, connect_hook(family));
    let program = bpf(PROG_LOAD, &load).unwrap();
    // SAFETY: the descriptor is new, and nothing else owns it.
    let program = unsafe { OwnedFd::from_raw_fd(program as i32) };
    let directory = fs::File::open(cgroup).unwrap();
    let [directory, program] = [directory.as_raw_fd(), program.as_raw_fd()].map(i32::cast_unsigned);
    let attach = [pair(directory, program), pair(connect_hook(family), ALLOW_MULTI)];
    bpf(PROG_ATTACH, &attach).unwrap();
}

/// A private cgroup whose connections to the services go to their backends. Dropping it removes it.
struct LoadBalanced(PathBuf);

impl LoadBalanced {
    fn new(backends: [SocketAddr; 2]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("load-balanced-{}-{number}", std::process::id());
        let this = Self(cgroup::of("self").join(name));
        fs::create_dir(&this.0).unwrap();
        for (family, backend) in Family::ALL.into_iter().zip(backends) {
            attach(&this.0, family, backend);
        }
        this
    }

    /// Probes the services from inside the cgroup.
    fn check(&self, lab: &Lab, services: &[SocketAddr]) -> Report {
        let procs = fs::OpenOptions::new().write(true).open(self.0.join("cgroup.procs")).unwrap();
        let mut check = command(lab.client(), &arguments(services));
        // SAFETY: write() is async-signal-safe, and all that is done between fork and exec.
        unsafe {
            check
                .pre_exec(move || nix::unistd::write(&procs, b"0").map(|_| ()).map_err(Into::into));
        }
        run(&mut check)
    }
}

impl Drop for LoadBalanced {
    fn drop(&mut self) {
        // The processes in it have ended.
        let _ = fs::remove_dir(&self.0);
    }
}

/// Probes one service of each family. Each probe has this verdict, and shows both addresses.
fn both_addresses_are_shown(fault: &Fault, verdict: &str) {
    let lab = Lab::new().unwrap();
    let backends = Family::ALL.map(|family| lab.listen(family).unwrap());
    let addresses = backends.each_ref().map(Listener::address);
    let services = Family::ALL.map(|family| SocketAddr::new(lab.vip(family), SERVICE));
    let fault = lab.inject(fault).unwrap();
    let report = LoadBalanced::new(addresses).check(&lab, &services);
    assert_eq!(fault.hits().unwrap(), 2, "{report:#?}");
    for (service, backend) in services.into_iter().zip(backends) {
        let probe = report.to(service);
        probe.is("alive", &[verdict]);
        assert_eq!(probe.0["redirected_to"], backend.address().to_string());
        probe.says(&[&service.to_string(), &backend.address().to_string()]);
        assert_eq!(backend.accepted().unwrap(), 0);
    }
}

#[test]
fn a_lost_rst_is_found_on_the_real_flow() {
    privileged!();
    both_addresses_are_shown(
        &Fault::lost(Segment::FirstRst),
        "rst_lost_synack_retransmit/confirmed",
    );
}

#[test]
fn what_arrives_is_clean_on_the_real_flow() {
    privileged!();
    both_addresses_are_shown(&Fault::counted(Segment::FirstRst), "clean/confirmed");
}
