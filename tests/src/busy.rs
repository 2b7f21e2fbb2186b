//! Loops that keep the processors busy, to make everything else wait for a CPU.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    unistd::Pid,
};

/// Threads that never sleep. Dropping it ends them.
#[derive(Debug)]
pub struct Busy {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Busy {
    /// Starts so many threads on each processor that this thread may use, each bound to its processor.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn on_each_cpu(loops: usize) -> io::Result<Self> {
        let mut busy = Self { stop: Arc::default(), threads: Vec::new() };
        let this_thread = Pid::from_raw(0);
        let allowed = sched_getaffinity(this_thread)?;
        for cpu in (0..CpuSet::count()).filter(|cpu| allowed.is_set(*cpu) == Ok(true)) {
            let mut only = CpuSet::new();
            only.set(cpu)?;
            for _ in 0..loops {
                let stop = Arc::clone(&busy.stop);
                let thread = thread::Builder::new().name("busy".to_owned()).spawn(move || {
                    // If it may not be bound, the scheduler still spreads them.
                    let _ = sched_setaffinity(this_thread, &only);
                    while !stop.load(Ordering::Relaxed) {
                        std::hint::spin_loop();
                    }
                })?;
                busy.threads.push(thread);
            }
        }
        Ok(busy)
    }

    /// How many there are.
    #[must_use]
    pub fn loops(&self) -> usize {
        self.threads.len()
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads.drain(..) {
            // The thread cannot panic.
            let _ = thread.join();
        }
    }
}
