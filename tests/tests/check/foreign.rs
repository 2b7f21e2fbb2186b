//! Another program's `sock_ops` program above the agent's cgroup. It turns off the callbacks that the
//! agent's own would need.

use std::{
    fs, io,
    os::{
        fd::{AsRawFd as _, FromRawFd as _, OwnedFd},
        unix::process::CommandExt as _,
    },
    path::{Path, PathBuf},
};

use lab::{Family, Lab};
use probe_agent_tests::{cgroup, privileged};
use serde_json::Value;

use crate::support::{Done, check_in, run};

const PROG_LOAD: libc::c_long = 5;
const PROG_ATTACH: libc::c_long = 8;
const SOCK_OPS: u32 = 13;
const CGROUP_SOCK_OPS: u32 = 3;
const ALLOW_MULTI: u32 = 2;

/// `bpf_sock_ops_cb_flags_set(ctx, 0); return 1;`
const NO_CALLBACKS: [u64; 4] =
    [0x0000_0000_0000_02b7, 0x0000_003b_0000_0085, 0x0000_0001_0000_00b7, 0x95];

/// `bpf()` with an attribute of 128 bytes, of which the first words are given.
fn bpf(command: libc::c_long, words: &[u64]) -> io::Result<libc::c_long> {
    let mut attribute = [0_u64; 16];
    attribute[..words.len()].copy_from_slice(words);
    // SAFETY: the attribute has the given length, and what it points to outlives the call.
    let done = unsafe {
        libc::syscall(libc::SYS_bpf, command, &raw const attribute, size_of_val(&attribute))
    };
    if done < 0 { Err(io::Error::last_os_error()) } else { Ok(done) }
}

fn pair(low: u32, high: u32) -> u64 {
    u64::from(low) | u64::from(high) << 32
}

/// Loads the program and attaches it to a cgroup. It is removed with the cgroup.
fn turn_callbacks_off(cgroup: &Path) {
    let licence = c"GPL";
    let program = bpf(
        PROG_LOAD,
        &[
            pair(SOCK_OPS, 4),
            NO_CALLBACKS.as_ptr().expose_provenance() as u64,
            licence.as_ptr().expose_provenance() as u64,
        ],
    );
    // SAFETY: the descriptor is new, and nothing else owns it.
    let program = unsafe { OwnedFd::from_raw_fd(program.unwrap() as i32) };
    let directory = fs::File::open(cgroup).unwrap();
    let descriptors = [directory.as_raw_fd(), program.as_raw_fd()].map(i32::cast_unsigned);
    let attach = [pair(descriptors[0], descriptors[1]), pair(CGROUP_SOCK_OPS, ALLOW_MULTI)];
    bpf(PROG_ATTACH, &attach).unwrap();
}

/// A private cgroup. Dropping it removes it.
struct Cgroup(PathBuf);

impl Cgroup {
    fn new() -> Self {
        let name = format!("foreign-sock-ops-{}", std::process::id());
        let path = cgroup::of("self").join(name);
        fs::create_dir(&path).unwrap();
        Self(path)
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The processes in it have ended.
        let _ = fs::remove_dir(&self.0);
    }
}

#[test]
fn foreign_changes_to_callbacks_make_no_probe_unknown() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V4).unwrap();
    let cgroup = Cgroup::new();
    turn_callbacks_off(&cgroup.0);
    let procs = fs::OpenOptions::new().write(true).open(cgroup.0.join("cgroup.procs")).unwrap();
    let address = listener.address();
    let flags = format!("{address} --count 20 --interval 0 --output jsonl --log-level debug");
    let mut check = check_in(lab.client(), &flags);
    // SAFETY: write() is async-signal-safe, and all that is done between fork and exec.
    unsafe {
        check.pre_exec(move || nix::unistd::write(&procs, b"0").map(|_| ()).map_err(Into::into));
    }
    let done = run(&mut check);
    let summary = done.summary();
    assert_eq!(summary["proofs"]["confirmed"], 20, "{summary}");
    assert_eq!(summary["events_lost"], 0, "{summary}");
    assert_eq!(syn_hooks(&done), ["inet_sock_set_state"; 20]);
    let degraded = "state hook: degraded (another sock_ops program is attached";
    assert!(done.err.contains(degraded), "{done:?}");
}

#[test]
fn without_foreign_programs_the_agents_own_reports_state_changes() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listener = lab.listen(Family::V6).unwrap();
    let flags = format!("{} --count 3 --interval 0 --output jsonl", listener.address());
    let done = run(&mut check_in(lab.client(), &flags));
    assert_eq!(done.summary()["proofs"]["confirmed"], 3, "{done:?}");
    assert_eq!(syn_hooks(&done), ["sock_ops"; 3]);
    let flags = format!("{flags} --no-ack-guard");
    let done = run(&mut check_in(lab.client(), &flags));
    assert_eq!(syn_hooks(&done), ["inet_sock_set_state"; 3]);
}

/// The hook that reported each probe's SYN.
fn syn_hooks(done: &Done) -> Vec<String> {
    let hook = |probe: &Value| probe["steps"][0]["hook"].as_str().unwrap().to_owned();
    done.probes().iter().map(hook).collect()
}
