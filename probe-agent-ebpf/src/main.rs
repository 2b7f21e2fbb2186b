//! The kernel side of probe-agent: one hook per file, named after the hook.
//!
//! Each hook is there twice: for the raw tracepoint, which hands over the kernel's pointers (typed by
//! BTF, so that their members are read by plain loads), and for the tracepoint with a record (its
//! fields are found by the `format` file), for a kernel without BTF. The raw one is the better one: it
//! costs less, and it is skipped only while the same program runs on that CPU, not while any does.
//! Changes of state have a third, `sock_ops`, which comes before both where the agent has a cgroup.
//!
//! Each hook first asks whether the local port is one of the agent's and returns at once if not.
//! What a clean probe does is noted in its slot's [`SlotRecord`](probe_agent_common::SlotRecord);
//! anything unusual also goes through the ring buffer, as an
//! [`EventRecord`](probe_agent_common::EventRecord).
#![no_std]
#![no_main]

mod ack_guard;
mod emit;
mod filter;
mod kernel;
mod maps;
mod packet;
mod programs;
mod socket;
mod transition;
mod tuple;

/// Helpers such as `bpf_probe_read_kernel` are lent only to programs with a GPL-compatible licence.
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // Unreachable: the verifier admits no program that could panic.
    loop {}
}
