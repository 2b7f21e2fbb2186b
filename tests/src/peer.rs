//! A host that exists in this process only. It answers each segment as a test wants, which no kernel would.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
};

use lab::{Family, Lab};
use nix::{
    errno::Errno,
    poll::{PollFd, PollFlags, PollTimeout, poll},
    sys::eventfd::{EfdFlags, EventFd},
};

use crate::{network::ip, segment::Segment, tun::Tun};

/// The device that leads to it.
const fn device(family: Family) -> &'static str {
    match family {
        Family::V4 => "peer4",
        Family::V6 => "peer6",
    }
}

/// A host behind a TUN device of a lab's client, at the lab's virtual address. Dropping it ends its thread.
#[derive(Debug)]
pub struct Peer {
    address: IpAddr,
    received: Arc<Mutex<Vec<Segment>>>,
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Peer {
    /// Starts the host. `react` gets each TCP segment that arrives there, and returns the packets that
    /// the host sends then.
    ///
    /// # Panics
    /// The device or the route to it cannot be made.
    #[must_use]
    pub fn start(
        lab: &Lab,
        family: Family,
        mut react: impl FnMut(&Segment) -> Vec<Vec<u8>> + Send + 'static,
    ) -> Self {
        let device = device(family);
        let tun = Tun::new(lab.client(), device);
        let (address, from) = (lab.vip(family), lab.client_address(family));
        ip(
            lab.client(),
            &format!(
                "link set {device} addrgenmode none\n\
                 link set {device} up\n\
                 route add {address} dev {device} src {from}\n"
            ),
        );
        let received = Arc::<Mutex<Vec<Segment>>>::default();
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC).unwrap());
        let (record, end) = (Arc::clone(&received), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            while let Some(packet) = next(&tun, &end) {
                let Some(segment) = Segment::parse(&packet) else { continue };
                // Recorded first: whoever sees the answer finds the question in the record.
                lock(&record).push(segment.clone());
                for answer in react(&segment) {
                    tun.send(&answer).unwrap();
                }
            }
        });
        Self { address, received, stop, thread: Some(thread) }
    }

    /// Its address.
    #[must_use]
    pub const fn address(&self) -> IpAddr {
        self.address
    }

    /// All segments that arrived so far.
    #[must_use]
    pub fn received(&self) -> Vec<Segment> {
        lock(&self.received).clone()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.stop.write(1);
        if let Some(thread) = self.thread.take() {
            // A panic there has been printed, and the test has seen no answer.
            let _ = thread.join();
        }
    }
}

/// The next packet, or `None` at the end.
fn next(tun: &Tun, end: &EventFd) -> Option<Vec<u8>> {
    use std::os::fd::AsFd as _;
    let mut ready =
        [PollFd::new(tun.as_fd(), PollFlags::POLLIN), PollFd::new(end.as_fd(), PollFlags::POLLIN)];
    while let Err(errno) = poll(&mut ready, PollTimeout::NONE) {
        assert_eq!(errno, Errno::EINTR);
    }
    if ready[1].any() == Some(true) {
        return None;
    }
    Some(tun.receive().unwrap())
}

fn lock(received: &Mutex<Vec<Segment>>) -> MutexGuard<'_, Vec<Segment>> {
    // The list is valid after each push, whatever thread panicked.
    received.lock().unwrap_or_else(PoisonError::into_inner)
}
