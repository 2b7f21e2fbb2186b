//! Real-time priority for a thread.
//!
//! Path C needs the second SYN within 4.1 ms of the first (the initial sequence number moves on by
//! one each 64 ns, and the server's window is 64,240 bytes). The engine takes some 50 us, but on a busy
//! machine another program may run between the two.

use std::mem;

/// Gives the calling thread, and the threads that it starts meanwhile, the real-time class
/// `SCHED_FIFO` until this is dropped. Without the privilege nothing changes.
pub(super) struct Undisturbed(());

impl Undisturbed {
    pub(super) fn begin() -> Self {
        schedule(libc::SCHED_FIFO, 1);
        Self(())
    }
}

impl Drop for Undisturbed {
    fn drop(&mut self) {
        schedule(libc::SCHED_OTHER, 0);
    }
}

/// A failure leaves the thread in its class.
fn schedule(policy: libc::c_int, priority: libc::c_int) {
    // SAFETY: an all-zero `sched_param` is a value.
    let mut param: libc::sched_param = unsafe { mem::zeroed() };
    param.sched_priority = priority;
    // SAFETY: 0 is the calling thread, and the parameters live through the call.
    unsafe { libc::sched_setscheduler(0, policy, &raw const param) };
}
