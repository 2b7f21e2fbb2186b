//! Changes of state of the agent's own sockets, by a program on its cgroup: connections of others do not
//! pass it, where every one of them passes the tracepoint.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    os::fd::{AsFd as _, AsRawFd, BorrowedFd},
};

use aya::{
    Ebpf,
    programs::{CgroupAttachMode, SockOps, loaded_programs},
};
use nix::libc;

use super::{cgroup::Cgroup, error::TraceError, program};

/// The name of the program.
pub const PROGRAM: &str = "probe_states";

/// Why nothing on the cgroup works for this process.
pub(super) const DEAF: &str = "the programs on the cgroup do not see this process's sockets, as on kernels \
                               before 5.15 with cgroup v1's net_cls or net_prio in use";

/// Attaches the program to the agent's cgroup. It is let go with `programs`.
///
/// # Errors
/// If the kernel refuses, or if somebody else's program of that kind stands on the cgroup or above it:
/// which callbacks a socket has is one setting that all such programs share, so that one could turn off
/// what the other waits for.
pub(super) fn hear(programs: &mut Ebpf, cgroup: &Cgroup) -> Result<(), TraceError> {
    let untold = |e| TraceError::Load(format!("asking for programs on the cgroup: {e}"));
    if !are_ours(&standing(cgroup.as_fd()).map_err(untold)?) {
        return Err(TraceError::Load("another sock_ops program stands on the cgroup".to_owned()));
    }
    let program: &mut SockOps = program::named(programs, PROGRAM)?;
    program.load().map_err(|e| TraceError::from_aya(&e))?;
    // A link (since 5.7) always stands beside others; the flag that says so is refused for it.
    program.attach(cgroup, CgroupAttachMode::Single).map_err(|e| TraceError::from_aya(&e))?;
    Ok(())
}

/// Whether the programs on the cgroup do not see this process's sockets, given how many listeners they
/// have seen. A kernel before 5.15 keeps sockets in no cgroup v2 at all while cgroup v1 has net_cls or
/// net_prio in use (`cgroup_sk_alloc_disable`); and somebody may have moved the process.
pub(super) fn is_deaf(listens_heard: impl Fn() -> u64) -> bool {
    let before = listens_heard();
    // It is there for a moment, on loopback, and nobody knows its port. Without loopback nothing is
    // found out.
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).is_ok_and(|_| listens_heard() == before)
}

/// Lets go of the program.
pub(super) fn end(programs: &mut Ebpf) {
    if let Ok(program) = program::named::<SockOps>(programs, PROGRAM) {
        // One that is not loaded needs no more.
        let _ = program.unload();
    }
}

/// Whether all of these programs are this one, of whatever session or agent: they leave each other's
/// callbacks on.
fn are_ours(ids: &[u32]) -> bool {
    if ids.is_empty() {
        return true;
    }
    let ours: Vec<u32> = loaded_programs()
        .filter_map(Result::ok)
        .filter(|program| program.name_as_str() == Some(PROGRAM))
        .map(|program| program.id())
        .collect();
    ids.iter().all(|id| ours.contains(id))
}

/// `struct { ... } query` of `union bpf_attr`, as long as it is today; what an older kernel does not know
/// of it must be 0, and is.
#[repr(C)]
#[derive(Default)]
struct Query {
    target_fd: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    ids: u64,
    count: u32,
    _pad: u32,
    _later: [u64; 4],
}

const _: () = assert!(size_of::<Query>() == 64 && align_of::<Query>() == 8);

/// `BPF_PROG_QUERY` of `enum bpf_cmd`.
const PROG_QUERY: libc::c_long = 16;
/// `BPF_CGROUP_SOCK_OPS` of `enum bpf_attach_type`.
const CGROUP_SOCK_OPS: u32 = 3;
/// `BPF_F_QUERY_EFFECTIVE`: those of the cgroups above, too.
const EFFECTIVE: u32 = 1;

/// The numbers of the programs of this kind that run for sockets of a cgroup (bpf(2), since 4.15).
fn standing(cgroup: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    // A cgroup and those above it may have 64 each; so many are refused (ENOSPC).
    let mut ids = vec![0_u32; 64];
    let mut query = Query {
        target_fd: cgroup.as_raw_fd().cast_unsigned(),
        attach_type: CGROUP_SOCK_OPS,
        query_flags: EFFECTIVE,
        ids: ids.as_mut_ptr().expose_provenance() as u64,
        count: 64,
        ..Query::default()
    };
    // SAFETY: the attribute is as long as is said, and so is the list that it points to; the kernel
    // writes within the two alone.
    let done =
        unsafe { libc::syscall(libc::SYS_bpf, PROG_QUERY, &raw mut query, size_of::<Query>()) };
    if done < 0 {
        return Err(io::Error::last_os_error());
    }
    ids.truncate(query.count as usize);
    Ok(ids)
}
