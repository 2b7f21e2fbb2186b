//! The thread that starts the processes of a namespace.
//!
//! `PR_SET_PDEATHSIG` kills a process when the *thread* that forked it ends, not when the whole
//! parent process does. A process forked by a short-lived thread would therefore die early. So each
//! namespace has one thread that forks for it and lives exactly as long as the namespace: its
//! children die with the lab, and with this process.

use std::io;
use std::sync::mpsc::{self, Sender};
use std::thread::{self, JoinHandle};

type Job = Box<dyn FnOnce() + Send>;

/// Handle of the thread. Dropping it ends the thread, and with it the processes that it started.
#[derive(Debug)]
pub(super) struct ForkThread {
    jobs: Option<Sender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl ForkThread {
    /// Starts the thread, which first calls `prepare`. Returns the result of that.
    pub(super) fn start<T: Send + 'static>(
        name: &str,
        prepare: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<(Self, T)> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let (ready, prepared) = mpsc::sync_channel(1);
        let thread = thread::Builder::new().name(format!("{name} fork")).spawn(move || {
            let outcome = prepare();
            let failed = outcome.is_err();
            // It cannot fail: the caller waits for this message.
            let _ = ready.send(outcome);
            if failed {
                return;
            }
            for job in queue {
                job();
            }
        })?;
        let handle = Self { jobs: Some(jobs), thread: Some(thread) };
        let value = prepared.recv().unwrap_or_else(|_| Err(ended()))?;
        Ok((handle, value))
    }

    /// Calls `body` on the thread and returns its result.
    pub(super) fn call<T: Send + 'static>(
        &self,
        body: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let (done, result) = mpsc::sync_channel(1);
        let job: Job = Box::new(move || {
            let _ = done.send(body());
        });
        self.jobs.as_ref().and_then(|jobs| jobs.send(job).ok()).ok_or_else(ended)?;
        result.recv().unwrap_or_else(|_| Err(ended()))
    }
}

impl Drop for ForkThread {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take() {
            // A panic in a job has already been reported, by the default hook.
            let _ = thread.join();
        }
    }
}

fn ended() -> io::Error {
    io::Error::other("the thread that starts the namespace's processes has ended")
}
