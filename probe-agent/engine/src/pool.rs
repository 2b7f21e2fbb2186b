//! The slots of a worker: made when needed, rested longest first.

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use foldhash::fast::RandomState;
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};

use super::{
    settings::{Settings, SocketSettings},
    slot::Slot,
    source::{self, Ports},
};
use explain::settle::PendingRef;
use kernel::loader::Tracer;

/// Ports that turn out to be in use are passed over; after so many in a row the range is taken to
/// be full, so that a probe does not try 28,000 of them.
const MAX_PORTS_IN_USE: usize = 512;

/// The other end of a probe that has ended on a slot and waits for late events.
#[derive(Clone, Copy, Debug)]
pub(super) struct Resting {
    pub(super) remote: SocketAddr,
    /// Not settled before this time, in nanoseconds of `CLOCK_MONOTONIC`.
    pub(super) until: u64,
}

/// What the pool remembers of a slot besides its socket.
#[derive(Debug)]
pub(super) struct Entry {
    /// The socket; `None` while a fresh one has yet to be made.
    pub(super) slot: Option<Slot>,
    /// Where it is bound.
    pub(super) local: SocketAddr,
    /// Counts the probes of this slot.
    pub(super) generation: u32,
    /// Counts the probes of this socket: 0 until its first has started.
    pub(super) socket_probes: u32,
    /// The kernel's generation when the last probe ended.
    pub(super) kernel_generation: u32,
    /// Its last probe, if that waits for late events.
    pub(super) resting: Option<Resting>,
    /// Where its last probe waits, or waited, for late events.
    pub(super) place: Option<PendingRef>,
    /// Its socket is not to be used again.
    pub(super) spent: bool,
    /// Whether the socket is registered with epoll.
    watched: bool,
}

/// All slots, and which of them are free.
pub(super) struct Pool {
    entries: Vec<Entry>,
    /// Free slots by source address, the longest-rested first.
    free: HashMap<IpAddr, VecDeque<u32>, RandomState>,
    ports: Ports,
    settings: SocketSettings,
    limit: u32,
    first: u32,
    tracer: Option<Arc<Tracer>>,
}

impl Pool {
    /// An empty pool; `seed` chooses at which source port it begins.
    pub(super) fn new(settings: &Settings, seed: u64, tracer: Option<Arc<Tracer>>) -> Self {
        let socket = settings.socket.clone();
        let range = socket.ports.clone().unwrap_or_else(source::ephemeral_ports);
        Self {
            entries: Vec::new(),
            free: HashMap::default(),
            ports: Ports::new(range, seed),
            settings: socket,
            limit: settings.slots,
            first: settings.first_slot,
            tracer,
        }
    }

    /// The number of a slot of this pool within the run.
    pub(super) fn number(&self, slot: u32) -> u32 {
        self.first + slot
    }

    /// The entry of a slot.
    pub(super) fn entry(&mut self, slot: u32) -> &mut Entry {
        &mut self.entries[slot as usize]
    }

    /// Whether another slot may be made.
    pub(super) fn can_grow(&self) -> bool {
        (self.entries.len() as u64) < u64::from(self.limit) && self.ports.left() > 0
    }

    /// The longest-rested free slots of a source address, longest first.
    pub(super) fn rested(&self, ip: IpAddr) -> impl Iterator<Item = u32> {
        self.free.get(&ip).into_iter().flatten().copied()
    }

    /// Takes a slot out of the free ones; `place` is its place among [`Self::rested`].
    pub(super) fn take(&mut self, ip: IpAddr, place: usize) -> Option<u32> {
        self.free.get_mut(&ip)?.remove(place)
    }

    /// Gives a slot back.
    pub(super) fn give_back(&mut self, slot: u32) {
        let ip = self.entries[slot as usize].local.ip();
        self.free.entry(ip).or_default().push_back(slot);
    }

    /// Makes a slot for a target from a source address; it is not among the free ones.
    ///
    /// # Errors
    /// Whatever the kernel refuses with; `EADDRNOTAVAIL` if there is no port left.
    pub(super) fn grow(&mut self, ip: IpAddr, target: SocketAddr) -> io::Result<u32> {
        let index = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let mut refused = Vec::new();
        let made = loop {
            let Some(port) = self.ports.take() else {
                break Err(io::Error::from_raw_os_error(if refused.is_empty() {
                    libc::EADDRNOTAVAIL
                } else {
                    libc::EADDRINUSE
                }));
            };
            match Slot::bind(source::local(ip, port, target), &self.settings) {
                Err(error)
                    if error.raw_os_error() == Some(libc::EADDRINUSE)
                        && refused.len() < MAX_PORTS_IN_USE =>
                {
                    refused.push(port);
                }
                Err(error) => {
                    refused.push(port);
                    break Err(error);
                }
                Ok(slot) => break Ok(slot),
            }
        };
        // Ports in use may be free the next time that one is needed.
        for port in refused {
            self.ports.give_back(port);
        }
        let slot = made?;
        if let Some(tracer) = &self.tracer {
            tracer.own_port(self.first + index, slot.local, slot.cookie());
        }
        self.entries.push(Entry {
            local: slot.local,
            slot: Some(slot),
            generation: 0,
            socket_probes: 0,
            kernel_generation: 0,
            resting: None,
            place: None,
            spent: false,
            watched: false,
        });
        Ok(index)
    }

    /// Makes a new socket for a slot that was taken and whose old one was closed (`--fresh-sockets`) or
    /// is spent (a timeout).
    ///
    /// # Errors
    /// Whatever the kernel refuses with, e.g. `EADDRINUSE` if somebody else has the port now. The
    /// slot is free again then.
    pub(super) fn refresh(&mut self, index: u32) -> io::Result<()> {
        let entry = &mut self.entries[index as usize];
        if entry.spent {
            entry.slot = None;
        }
        if entry.slot.is_none() {
            if let Err(error) = self.rebind(index) {
                self.give_back(index);
                return Err(error);
            }
            let entry = &mut self.entries[index as usize];
            entry.socket_probes = 0;
            entry.spent = false;
            entry.watched = false;
        }
        Ok(())
    }

    /// Moves the longest-rested slot of another source address to this one, for when no further slot
    /// may be made. It keeps its port; it is not among the free ones.
    ///
    /// # Errors
    /// `EADDRNOTAVAIL` if there is none, and whatever the kernel refuses with.
    pub(super) fn relocate(&mut self, ip: IpAddr, target: SocketAddr) -> io::Result<u32> {
        let others = self.free.iter().filter(|(of, free)| **of != ip && !free.is_empty());
        let richest = others.max_by_key(|(_, free)| free.len()).map(|(of, _)| *of);
        let index = richest
            .and_then(|of| self.take(of, 0))
            .ok_or(io::Error::from_raw_os_error(libc::EADDRNOTAVAIL))?;
        let entry = &mut self.entries[index as usize];
        entry.slot = None;
        // What rests is another 4-tuple.
        entry.resting = None;
        entry.local = source::local(ip, entry.local.port(), target);
        self.refresh(index)?;
        Ok(index)
    }

    /// Binds a new socket where a slot's old one was.
    fn rebind(&mut self, index: u32) -> io::Result<()> {
        let entry = &mut self.entries[index as usize];
        let slot = Slot::bind(entry.local, &self.settings)?;
        if let Some(tracer) = &self.tracer {
            tracer.own_port(self.first + index, slot.local, slot.cookie());
        }
        entry.slot = Some(slot);
        Ok(())
    }

    /// Registers a slot's socket for its life: an edge for each answer (EPOLLERR and EPOLLHUP come
    /// unasked). Done when an answer first has to be waited for: a target on this host answers
    /// while `connect()` runs, and each edge that nobody waits for costs as much as one that
    /// somebody does. An answer that came before the registration makes an edge at once.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub(super) fn watch(&mut self, index: u32, epoll: &Epoll) -> io::Result<()> {
        let entry = &mut self.entries[index as usize];
        if let Some(slot) = entry.slot.as_ref().filter(|_| !entry.watched) {
            let flags = EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
            epoll.add(slot, EpollEvent::new(flags, u64::from(index)))?;
            entry.watched = true;
        }
        Ok(())
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        // The ports are given back to the host: the hooks must not take their events for ours.
        if let Some(tracer) = &self.tracer {
            for entry in &self.entries {
                tracer.disown_port(entry.local.port());
            }
        }
    }
}

#[cfg(test)]
mod tests;
