//! State changes of the agent's own sockets, reported by a `sock_ops` program on its cgroup. Other
//! processes' connections do not pass it; all of them pass the tracepoint.

use std::{
    io,
    net::{Ipv4Addr, TcpListener},
    os::fd::{AsFd as _, AsRawFd, BorrowedFd},
};

use aya::{
    Ebpf,
    programs::{CgroupAttachMode, SockOps, loaded_programs, sock_ops::SockOpsLink},
};
use nix::libc;

use crate::{cgroup::Cgroup, error::TraceError, program};

/// The name of the program.
pub(crate) const PROGRAM: &str = "probe_sock_ops";

/// Why no program on the cgroup works for this process.
pub(crate) const UNSEEN: &str = "programs on the cgroup do not see this process's sockets, as on kernels \
                                 before 5.15 with cgroup v1's net_cls or net_prio in use";

/// Attaches the program to the agent's cgroup.
///
/// # Errors
/// If the kernel refuses, or if somebody else's program of that kind is attached to the cgroup or above
/// it: all such programs share one setting for the callbacks that a socket has, and one could turn off
/// what the other waits for.
pub(crate) fn attach(programs: &mut Ebpf, cgroup: &Cgroup) -> Result<SockOpsLink, TraceError> {
    let unknown = |e| TraceError::Load(format!("asking for programs on the cgroup: {e}"));
    if !are_ours(&attached(cgroup.as_fd()).map_err(unknown)?) {
        let foreign = "another sock_ops program is attached to the cgroup or above it";
        return Err(TraceError::Load(foreign.to_owned()));
    }
    let program: &mut SockOps = program::named(programs, PROGRAM)?;
    program.load().map_err(|e| TraceError::from_aya(&e))?;
    // A link (since 5.7) always runs beside others; the kernel refuses the flag that says so.
    let link = program.attach(cgroup, CgroupAttachMode::Single);
    link.and_then(|link| program.take_link(link)).map_err(|e| TraceError::from_aya(&e))
}

/// Whether the programs on the cgroup see this process's sockets, given how many listeners they have
/// seen. A kernel before 5.15 keeps sockets in no cgroup v2 at all while cgroup v1 has net_cls or
/// net_prio in use (`cgroup_sk_alloc_disable`); and somebody may have moved the process.
pub(crate) fn sees_this_process(listens_seen: impl Fn() -> u64) -> bool {
    let before = listens_seen();
    // The listener lives for a moment, on loopback, and nobody knows its port. Without loopback this
    // finds nothing wrong.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0));
    !listener.is_ok_and(|_| listens_seen() == before)
}

/// Whether all of these programs are this one, of any session or agent: they leave each other's callbacks
/// on.
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

/// `struct { ... } query` of `union bpf_attr`, as long as it is today. An older kernel wants what it does
/// not know to be 0, and it is.
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

/// The ids of the programs of this kind that run for sockets of a cgroup (bpf(2), since 4.15).
fn attached(cgroup: BorrowedFd<'_>) -> io::Result<Vec<u32>> {
    // A cgroup and those above it may have 64 each; more than 64 in all are refused (ENOSPC).
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
