//! Passes what the workers report to the output, on the thread that runs the session.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, RecvTimeoutError, TryRecvError},
    },
    thread,
    time::{Duration, Instant},
};

use super::{Output, watchdog::Watchdog, worker_sink::Message};
use crate::gauges::Gauges;

/// How often the output's [`Output::tick`] is called.
const TICK: Duration = Duration::from_millis(100);

/// So many probes without a pause mean that more will follow at once.
const BURST: usize = 16;

/// How long probes gather after a burst. A worker that sends to a thread that waits must wake it, which
/// costs more than all else about the message. At 200,000 probes/s, 200 gather.
const GATHER: Duration = Duration::from_millis(1);

/// Passes probes from the workers to the output, until all workers have ended.
pub(super) fn forward(
    inbox: &Receiver<Message>,
    backlog: &AtomicUsize,
    gauges: &[Arc<Gauges>],
    watchdog: &Watchdog,
    output: &mut impl Output,
) -> io::Result<()> {
    let mut reported = 0;
    let mut next_tick = Instant::now() + TICK;
    while let Some(passed) = pass_on(inbox, backlog, next_tick, output)? {
        let now = Instant::now();
        if now >= next_tick {
            next_tick = now + TICK;
            if watchdog.stalls() > reported {
                reported = watchdog.stalls();
                output.stalled(watchdog.latest());
            }
            output.tick(gauges)?;
        }
        if passed >= BURST {
            thread::sleep(GATHER);
        }
    }
    Ok(())
}

/// Waits for a probe, then passes it and those behind it to the output, until there is none or it is
/// `until`. Returns how many there were; `None` if all workers have ended.
fn pass_on(
    inbox: &Receiver<Message>,
    backlog: &AtomicUsize,
    until: Instant,
    output: &mut impl Output,
) -> io::Result<Option<usize>> {
    let mut passed = 0;
    let mut next = inbox.recv_timeout(TICK);
    loop {
        match next {
            Ok(message) => {
                backlog.fetch_sub(1, Ordering::Relaxed);
                match message {
                    Message::Ended(report) => output.ended(report)?,
                    Message::Settled(probe) => output.probe(probe)?,
                }
                passed += 1;
            }
            Err(RecvTimeoutError::Timeout) => return Ok(Some(passed)),
            Err(RecvTimeoutError::Disconnected) => return Ok(None),
        }
        if Instant::now() >= until {
            return Ok(Some(passed));
        }
        next = inbox.try_recv().map_err(|error| match error {
            TryRecvError::Empty => RecvTimeoutError::Timeout,
            TryRecvError::Disconnected => RecvTimeoutError::Disconnected,
        });
    }
}
