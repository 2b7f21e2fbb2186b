//! The kernel side of probe-agent: one hook per file in `programs`, named after the hook.
//!
//! The hooks on the agent's cgroup (`sock_ops`, `ack_guard`) need no BTF and see only the agent's own
//! sockets. The others get the kernel's pointers, typed by BTF, and read their members by plain loads at
//! offsets from BTF. Each of these first asks whether the local port is one of the agent's and returns at
//! once if not.
//!
//! What a clean probe does is noted in its slot's [`SlotRecord`](probe_agent_common::SlotRecord);
//! anything unusual also goes through the ring buffer, as an
//! [`EventRecord`](probe_agent_common::EventRecord).
#![no_std]
#![no_main]

mod address;
mod emit;
mod filter;
mod kernel;
mod maps;
mod packet;
mod programs;
mod reset;
mod socket;
mod tcp_state;
mod transition;

/// The kernel offers helpers such as `bpf_probe_read_kernel` only to programs with a GPL-compatible
/// licence.
#[unsafe(no_mangle)]
#[unsafe(link_section = "license")]
static LICENSE: [u8; 13] = *b"Dual MIT/GPL\0";

#[cfg(not(test))]
#[panic_handler]
fn panic(_info: &core::panic::PanicInfo) -> ! {
    // Unreachable: the verifier admits no program that could panic.
    loop {}
}
