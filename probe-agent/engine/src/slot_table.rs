//! The slots of a worker. A slot is made when one is needed, and the slot idle for longest is used first.

#![expect(
    clippy::indexing_slicing,
    reason = "an index comes from this table, as that of a slot it has chosen, and slots are never removed"
)]

mod choose;
mod make;
mod pace;
mod unsettled;

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

pub(crate) use self::choose::ChosenSlot;
use self::pace::Pace;
use self::unsettled::{Remote, UnsettledProbe, UnsettledProbes};
use crate::{
    icmp_queue::QueuedError,
    probe_socket::{ConnectResult, ProbeSocket},
    settings::{PortPolicy, Settings, SocketSettings},
    source_ports::{self, SourcePorts},
};

/// A source address and port, and the socket bound to them.
#[derive(Debug)]
struct Slot {
    /// `None` while a fresh socket has yet to be made.
    socket: Option<ProbeSocket>,
    /// The address and port that the socket is bound to.
    local: SocketAddr,
    /// Counts the probes of this slot.
    generation: u32,
    /// Counts the probes of this socket: 0 until its first has started.
    socket_probes: u32,
    /// The kernel's generation when the last probe ended.
    kernel_generation: u32,
    /// Probes of this slot that wait for late events.
    unsettled: UnsettledProbes,
    /// The correlator's reference to the last probe.
    last: Option<PendingRef>,
    /// The socket must be replaced before the next probe.
    needs_fresh_socket: bool,
    /// The socket is registered with epoll.
    is_registered: bool,
}

/// A probe for which `connect()` has been called.
pub(crate) struct StartedProbe {
    pub(crate) result: ConnectResult,
    pub(crate) flow: FlowKey,
    pub(crate) generation: u32,
    /// It is the first probe of its socket.
    pub(crate) fresh_socket: bool,
    /// An earlier probe on this 4-tuple may have left a stale connection at the server, which may refuse
    /// this one.
    pub(crate) refusal_in_doubt: bool,
}

/// All slots of a worker, and which of them are free. The methods take a slot's index in this table.
pub(crate) struct SlotTable {
    slots: Vec<Slot>,
    /// Free slots by source address, the one idle for longest first.
    free: HashMap<IpAddr, VecDeque<u32>, RandomState>,
    ports: SourcePorts,
    settings: SocketSettings,
    policy: PortPolicy,
    max_slots: u32,
    first_slot: u32,
    tracer: Option<Arc<Tracer>>,
    /// The target of the first probe, and whether there have been others.
    only_remote: Option<Remote>,
    has_many_remotes: bool,
    pace: Pace,
}

impl SlotTable {
    /// An empty table. `seed` decides which source port is used first.
    pub(crate) fn new(settings: &Settings, seed: u64, tracer: Option<Arc<Tracer>>) -> Self {
        let socket = settings.socket.clone();
        let range = socket.ports.clone().unwrap_or_else(source_ports::ephemeral_ports);
        Self {
            slots: Vec::new(),
            free: HashMap::default(),
            ports: SourcePorts::new(range, seed),
            settings: socket,
            policy: settings.port_policy,
            max_slots: settings.slots,
            first_slot: settings.first_slot,
            tracer,
            only_remote: None,
            has_many_remotes: false,
            pace: Pace::new(settings.settle, settings.slots),
        }
    }

    /// The number of a slot within the run: that of [`ProbeId::slot`].
    pub(crate) fn run_slot(&self, slot: u32) -> u32 {
        self.first_slot + slot
    }

    /// The index of the slot that a probe ran on; `None` if the probe never had one.
    pub(crate) fn slot_of(&self, probe: ProbeId) -> Option<u32> {
        let slot = probe.slot.checked_sub(self.first_slot)?;
        ((slot as usize) < self.slots.len()).then_some(slot)
    }

    /// Starts a probe on a slot returned by [`Self::choose`].
    ///
    /// # Errors
    /// `EBADF` if the slot has no socket.
    pub(crate) fn connect(&mut self, slot: u32, remote: SocketAddr) -> io::Result<StartedProbe> {
        let slot = &mut self.slots[slot as usize];
        // Checked first: a probe that is counted but never starts would never end.
        let Some(socket) = &slot.socket else {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        };
        let result = socket.connect(remote);
        slot.generation += 1;
        let fresh_socket = slot.socket_probes == 0;
        slot.socket_probes += 1;
        let has_stale =
            |closing: Option<Closing>| closing.is_some_and(Closing::may_leave_connection);
        let flow = flow::flow(slot.local, remote);
        Ok(StartedProbe {
            result,
            flow,
            generation: slot.generation,
            fresh_socket,
            // A stale connection can only refuse a fresh socket: see path C.
            refusal_in_doubt: fresh_socket
                && has_stale(slot.unsettled.last_closing((&flow).into())),
        })
    }

    /// Registers a slot's socket with epoll, for as long as the socket exists: an edge for each answer
    /// (EPOLLERR and EPOLLHUP are always reported). Called when a probe first has to wait for its answer:
    /// a target on this host answers while `connect()` runs, and an edge that nothing waits for costs as
    /// much as any other. An answer that came before the registration causes an edge at once.
    ///
    /// # Errors
    /// If the kernel refuses it.
    pub(crate) fn register(&mut self, index: u32, epoll: &Epoll) -> io::Result<()> {
        let slot = &mut self.slots[index as usize];
        if let Some(socket) = slot.socket.as_ref().filter(|_| !slot.is_registered) {
            let flags = EpollFlags::EPOLLOUT | EpollFlags::EPOLLET;
            epoll.add(socket, EpollEvent::new(flags, u64::from(index)))?;
            slot.is_registered = true;
        }
        Ok(())
    }

    /// Disconnects a slot's socket, and drops or marks the socket if the next probe needs a fresh one.
    pub(crate) fn disconnect(&mut self, slot: u32, closing: Closing) {
        let slot = &mut self.slots[slot as usize];
        // Always disconnect: close() alone has no effect while another holder has the descriptor open,
        // such as a process that another thread is about to start.
        let usable = slot.socket.as_ref().is_some_and(|s| s.disconnect().is_ok());
        if !usable || self.settings.fresh_sockets {
            slot.socket = None;
        }
        // A socket that got no answer knows no window by which to advance its next initial sequence number
        // (tcp_disconnect adds the peer's window, which is 0 then). A server that owes it a SYN-ACK would
        // take its next SYN for a bad segment of the same connection, however much later, and refuse it:
        // path C. A fresh socket's number has advanced with the clock. The old socket is closed only when
        // the new one is made: thousands of probes may time out at once, and none should wait for the
        // close() of another.
        slot.needs_fresh_socket = closing == Closing::Silent;
    }

    /// Frees a slot whose probe has ended, and remembers the probe until [`Self::on_settled`].
    pub(crate) fn on_probe_end(
        &mut self,
        index: u32,
        flow: &FlowKey,
        closing: Closing,
        pending: PendingRef,
    ) {
        let slot = &mut self.slots[index as usize];
        let generation = slot.generation;
        slot.unsettled.push(UnsettledProbe { remote: flow.into(), generation, closing });
        slot.last = Some(pending);
        self.release(index);
    }

    /// A probe of a slot, which had this flow, is settled.
    pub(crate) fn on_settled(&mut self, probe: ProbeId, flow: &FlowKey) {
        if let Some(slot) = self.slot_of(probe) {
            self.slots[slot as usize].unsettled.remove(flow.into(), probe.generation);
        }
    }

    /// The correlator's reference to the last probe of a slot.
    pub(crate) fn last(&self, slot: u32) -> Option<PendingRef> {
        self.slots[slot as usize].last
    }

    /// The kernel's generation when the last probe of a slot ended.
    pub(crate) fn kernel_generation(&mut self, slot: u32) -> &mut u32 {
        &mut self.slots[slot as usize].kernel_generation
    }

    /// The pending error of a slot's socket (`SO_ERROR`), 0 if there is none.
    pub(crate) fn take_error(&self, slot: u32) -> i32 {
        self.socket(slot).map_or(0, ProbeSocket::take_error)
    }

    /// The ICMP error that a slot's socket got.
    pub(crate) fn take_icmp(&self, slot: u32) -> Option<QueuedError> {
        self.socket(slot).and_then(ProbeSocket::take_icmp)
    }

    /// The `TCP_INFO` of a slot's socket.
    pub(crate) fn tcp_info(&self, slot: u32) -> Option<TcpInfo> {
        self.socket(slot).and_then(ProbeSocket::tcp_info)
    }

    /// Whether the handshake on a slot is complete.
    pub(crate) fn is_connected(&self, slot: u32) -> bool {
        self.socket(slot).is_some_and(ProbeSocket::is_connected)
    }

    fn socket(&self, slot: u32) -> Option<&ProbeSocket> {
        self.slots[slot as usize].socket.as_ref()
    }

    /// Adds a slot to the free ones of its source address.
    fn release(&mut self, slot: u32) {
        let ip = self.slots[slot as usize].local.ip();
        self.free.entry(ip).or_default().push_back(slot);
    }
}

impl Drop for SlotTable {
    fn drop(&mut self) {
        // The host may give the ports to other sockets: the hooks must not report their events as ours.
        if let Some(tracer) = &self.tracer {
            for slot in &self.slots {
                tracer.disown_port(slot.local.port());
            }
        }
    }
}

#[cfg(test)]
mod tests;
