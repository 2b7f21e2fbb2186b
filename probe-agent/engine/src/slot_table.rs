//! The slots of a worker: made when needed, the longest-rested one used first.

mod choose;
mod make;

use std::{
    collections::{HashMap, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use explain::correlator::PendingRef;
use foldhash::fast::RandomState;
use kernel::loader::Tracer;
use model::{
    flow,
    record::{Closing, ProbeId, TcpInfo},
};
use nix::sys::epoll::{Epoll, EpollEvent, EpollFlags};
use probe_agent_common::FlowKey;

pub(crate) use self::choose::Chosen;
use crate::{
    addresses::{self, Ports},
    settings::{PortPolicy, Settings, SocketSettings},
    slot::{Slot, Started},
};

/// What is known of a slot besides its socket.
#[derive(Debug)]
struct Entry {
    /// The socket; `None` while a fresh one has yet to be made.
    socket: Option<Slot>,
    /// Where it is bound.
    local: SocketAddr,
    /// Counts the probes of this slot.
    generation: u32,
    /// Counts the probes of this socket: 0 until its first has started.
    socket_probes: u32,
    /// The kernel's generation when the last probe ended.
    kernel_generation: u32,
    /// Its probes that wait for late events, the oldest first.
    unsettled: VecDeque<Unsettled>,
    /// Its last probe, as the correlator names it.
    last: Option<PendingRef>,
    /// Its socket is not to be used again.
    is_spent: bool,
    /// Whether the socket is registered with epoll.
    is_registered: bool,
}

/// A probe that has ended and is not settled.
#[derive(Clone, Copy, Debug)]
struct Unsettled {
    remote: SocketAddr,
    generation: u32,
    closing: Closing,
}

/// A probe that `connect()` has been called for.
pub(crate) struct Connected {
    pub(crate) result: Started,
    pub(crate) flow: FlowKey,
    pub(crate) generation: u32,
    /// It is the first probe of its socket.
    pub(crate) fresh_socket: bool,
    /// An earlier probe on this 4-tuple may have left something at the server.
    pub(crate) has_stale: bool,
}

/// All slots, and which of them are free.
pub(crate) struct SlotTable {
    entries: Vec<Entry>,
    /// Free slots by source address, the longest-rested first.
    free: HashMap<IpAddr, VecDeque<u32>, RandomState>,
    ports: Ports,
    settings: SocketSettings,
    policy: PortPolicy,
    limit: u32,
    first: u32,
    tracer: Option<Arc<Tracer>>,
}

impl SlotTable {
    /// An empty table. `seed` decides which source port is taken first.
    pub(crate) fn new(settings: &Settings, seed: u64, tracer: Option<Arc<Tracer>>) -> Self {
        let socket = settings.socket.clone();
        let range = socket.ports.clone().unwrap_or_else(addresses::ephemeral_ports);
        Self {
            entries: Vec::new(),
            free: HashMap::default(),
            ports: Ports::new(range, seed),
            settings: socket,
            policy: settings.port_policy,
            limit: settings.slots,
            first: settings.first_slot,
            tracer,
        }
    }

    /// The number of a slot within the run.
    pub(crate) fn number(&self, slot: u32) -> u32 {
        self.first + slot
    }

    /// The slot of this worker that a probe ran on; `None` if it never had one.
    pub(crate) fn slot_of(&self, probe: ProbeId) -> Option<u32> {
        let slot = probe.slot.checked_sub(self.first)?;
        ((slot as usize) < self.entries.len()).then_some(slot)
    }

    /// Starts a probe on a slot that was chosen.
    ///
    /// # Errors
    /// `EBADF` if it has no socket.
    pub(crate) fn connect(&mut self, slot: u32, remote: SocketAddr) -> io::Result<Connected> {
        let entry = &mut self.entries[slot as usize];
        // First of all: a flight that was noted and never starts would never end.
        let Some(socket) = &entry.socket else {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        };
        let result = socket.connect(remote);
        entry.generation += 1;
        let fresh_socket = entry.socket_probes == 0;
        entry.socket_probes += 1;
        Ok(Connected {
            result,
            flow: flow::flow(entry.local, remote),
            generation: entry.generation,
            fresh_socket,
            has_stale: entry.last_towards(remote).is_some_and(Closing::may_leave_connection),
        })
    }

    /// Closes the agent's end of the probe on a slot, frees the slot, and remembers the probe until
    /// [`Self::on_settled`].
    pub(crate) fn on_probe_end(&mut self, slot: u32, remote: SocketAddr, closing: Closing) {
        let entry = &mut self.entries[slot as usize];
        let generation = entry.generation;
        entry.unsettled.push_back(Unsettled { remote, generation, closing });
        self.give_back(slot);
    }

    /// Disconnects a slot's socket, and sees to it that the next probe has a fresh one where it must.
    pub(crate) fn disconnect(&mut self, slot: u32, closing: Closing) {
        let entry = &mut self.entries[slot as usize];
        // Disconnected in any case: close() waits for whoever else has the descriptor, such as a
        // process that another thread is about to start.
        let usable = entry.socket.as_ref().is_some_and(|s| s.disconnect().is_ok());
        if !usable || self.settings.fresh_sockets {
            entry.socket = None;
        }
        // A socket that got no answer knows no window to move its next initial sequence number past
        // (tcp_disconnect adds the peer's, which is 0 then). A server that owes it a SYN-ACK would take
        // its next SYN for a bad segment of the same connection, however long after, and refuse it: path
        // C. A fresh socket's number has moved on with the clock. The old socket is closed when the new
        // one is made: thousands may time out at once, and none should wait for another's close().
        entry.is_spent = closing == Closing::Silent;
    }

    /// The correlator's name for the last probe of a slot.
    pub(crate) fn last(&mut self, slot: u32) -> &mut Option<PendingRef> {
        &mut self.entries[slot as usize].last
    }

    /// A probe of a slot is settled.
    pub(crate) fn on_settled(&mut self, probe: ProbeId) {
        let Some(slot) = self.slot_of(probe) else { return };
        let unsettled = &mut self.entries[slot as usize].unsettled;
        let of_it = |u: &Unsettled| u.generation == probe.generation;
        let Some(at) = unsettled.iter().position(of_it) else { return };
        let Some(settled) = unsettled.remove(at) else { return };
        // The probes before it on the 4-tuple no longer matter to the next one, unless this one, which
        // the kernel closed, left nothing.
        if at > 0 && settled.closing.may_leave_connection() {
            unsettled.retain(|u| u.remote != settled.remote || u.generation > settled.generation);
        }
    }

    /// The pending error of a slot's socket (`SO_ERROR`), 0 if there is none.
    pub(crate) fn take_error(&self, slot: u32) -> i32 {
        self.socket(slot).map_or(0, Slot::take_error)
    }

    /// What `TCP_INFO` says of a slot's socket.
    pub(crate) fn tcp_info(&self, slot: u32) -> Option<TcpInfo> {
        self.socket(slot).and_then(Slot::tcp_info)
    }

    /// Whether the handshake on a slot is over.
    pub(crate) fn is_connected(&self, slot: u32) -> bool {
        self.socket(slot).is_some_and(Slot::is_connected)
    }

    fn socket(&self, slot: u32) -> Option<&Slot> {
        self.entries[slot as usize].socket.as_ref()
    }

    /// The kernel's generation when the last probe of a slot ended.
    pub(crate) fn kernel_generation(&mut self, slot: u32) -> &mut u32 {
        &mut self.entries[slot as usize].kernel_generation
    }

    /// Gives a slot back.
    fn give_back(&mut self, slot: u32) {
        let ip = self.entries[slot as usize].local.ip();
        self.free.entry(ip).or_default().push_back(slot);
    }

    /// Registers a slot's socket for its life: an edge for each answer (EPOLLERR and EPOLLHUP are always
    /// reported). Done when an answer first has to be waited for: a target on this host answers while
    /// `connect()` runs, and an edge that nothing waits for costs as much as any other. An answer that
    /// came before the registration makes an edge at once.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub(crate) fn register(&mut self, index: u32, epoll: &Epoll) -> io::Result<()> {
        let entry = &mut self.entries[index as usize];
        if let Some(socket) = entry.socket.as_ref().filter(|_| !entry.is_registered) {
            let flags = EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
            epoll.add(socket, EpollEvent::new(flags, u64::from(index)))?;
            entry.is_registered = true;
        }
        Ok(())
    }
}

impl Entry {
    /// How the newest of its unsettled probes towards an address was closed.
    fn last_towards(&self, remote: SocketAddr) -> Option<Closing> {
        self.unsettled.iter().rev().find(|u| u.remote == remote).map(|u| u.closing)
    }
}

impl Drop for SlotTable {
    fn drop(&mut self) {
        // The host may give the ports to others: the hooks must not take their events for ours.
        if let Some(tracer) = &self.tracer {
            for entry in &self.entries {
                tracer.disown_port(entry.local.port());
            }
        }
    }
}

#[cfg(test)]
mod tests;
