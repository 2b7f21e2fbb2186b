//! Does the verifier know that the arguments of a tracepoint may be NULL?
//!
//! A kernel that does not (6.2 and later, before the table `raw_tp_null_args` of 6.13 and its backports)
//! takes them for pointers to what is there: it removes a program's own comparison with NULL and lets
//! the load behind it fault. So a program that loads without asking is offered to the verifier, and
//! never attached: a kernel that refuses it knows.

use std::{
    io,
    os::fd::{FromRawFd, OwnedFd},
};

/// The first fields of `union bpf_attr` for `BPF_PROG_LOAD`; an older kernel knows them all.
#[repr(C)]
#[derive(Default)]
struct Load {
    program_type: u32,
    instructions: u32,
    code: u64,
    license: u64,
    log: [u64; 2],
    kernel_version: u32,
    flags: u32,
    name: [u64; 2],
    interface: u32,
    attach_type: u32,
    btf: u32,
    function_record: u32,
    functions: u64,
    function_count: u32,
    line_record: u32,
    lines: u64,
    line_count: u32,
    attach_btf_id: u32,
}

const _: () = {
    assert!(size_of::<Load>() == 112);
    assert!(std::mem::offset_of!(Load, attach_btf_id) == 108);
};

/// `BPF_PROG_LOAD` of `enum bpf_cmd`.
const PROG_LOAD: libc::c_long = 5;
/// `BPF_PROG_TYPE_TRACING`.
const TRACING: u32 = 26;
/// `BPF_TRACE_RAW_TP`.
const RAW_TP: u32 = 23;

/// Whether the verifier refuses to load from the arguments of a tracepoint. Its type (`btf_trace_NAME`)
/// has the number `tracepoint` in the kernel's BTF; each argument, in their order, is given by the offset
/// of a member of 16 bits in what it points to.
pub(crate) fn are_known(tracepoint: u32, members: &[u16]) -> bool {
    (0_u64..).zip(members).all(|(argument, member)| {
        let refused = load_from(tracepoint, argument, *member).err();
        refused.and_then(|error| error.raw_os_error()) == Some(libc::EACCES)
    })
}

/// Loads a program that reads a member of 16 bits from what an argument of a tracepoint points to.
fn load_from(tracepoint: u32, argument: u64, member: u16) -> io::Result<OwnedFd> {
    let code = [
        // r1 = *(u64 *)(r1 + 8 * argument)
        0x0000_0000_0000_1179 | (8 * argument) << 16,
        // r0 = *(u16 *)(r1 + member)
        0x0000_0000_0000_1069 | u64::from(member) << 16,
        // r0 = 0
        0x0000_0000_0000_00b7,
        // exit
        0x0000_0000_0000_0095,
    ];
    let license = c"GPL";
    let attribute = Load {
        program_type: TRACING,
        instructions: 4,
        code: code.as_ptr().expose_provenance() as u64,
        license: license.as_ptr().expose_provenance() as u64,
        attach_type: RAW_TP,
        attach_btf_id: tracepoint,
        ..Load::default()
    };
    // SAFETY: the attribute is as long as is said, and what it points to outlives the call.
    let done =
        unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const attribute, size_of::<Load>()) };
    let descriptor = i32::try_from(done).unwrap_or(-1);
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
