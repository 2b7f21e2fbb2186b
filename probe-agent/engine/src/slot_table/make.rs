//! Makes slots, and new sockets for them.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use super::{Slot, SlotTable, UnsettledProbes};
use crate::{probe_socket::ProbeSocket, source_address};

/// Ports that turn out to be in use are skipped. After this many in a row the range counts as full, so
/// that one probe does not try 28,000 ports.
const MAX_PORTS_IN_USE: usize = 512;

impl SlotTable {
    /// Whether another slot may be made.
    pub(super) fn can_add_slot(&self) -> bool {
        (self.slots.len() as u64) < u64::from(self.max_slots) && self.ports.available() > 0
    }

    /// Makes a slot for a target from a source address. The slot is not among the free ones.
    ///
    /// # Errors
    /// Any error of the system calls; `EADDRNOTAVAIL` if no port is left.
    pub(super) fn add_slot(&mut self, ip: IpAddr, target: SocketAddr) -> io::Result<u32> {
        let index = u32::try_from(self.slots.len()).unwrap_or(u32::MAX);
        let mut in_use = Vec::new();
        let bound = loop {
            let Some(port) = self.ports.allocate() else {
                break Err(io::Error::from_raw_os_error(if in_use.is_empty() {
                    libc::EADDRNOTAVAIL
                } else {
                    libc::EADDRINUSE
                }));
            };
            let local = source_address::local(ip, port, target);
            match ProbeSocket::bind(local, &self.settings) {
                Err(error)
                    if error.raw_os_error() == Some(libc::EADDRINUSE)
                        && in_use.len() < MAX_PORTS_IN_USE =>
                {
                    in_use.push(port);
                }
                Err(error) => {
                    in_use.push(port);
                    break Err(error);
                }
                Ok(socket) => break Ok((local, socket)),
            }
        };
        // Ports in use may be free the next time one is needed.
        for port in in_use {
            self.ports.defer(port);
        }
        let (local, socket) = bound?;
        self.own_port(index, local, &socket);
        self.slots.push(Slot {
            socket: Some(socket),
            local,
            generation: 0,
            socket_probes: 0,
            kernel_generation: 0,
            unsettled: UnsettledProbes::default(),
            last: None,
            needs_fresh_socket: false,
            is_registered: false,
        });
        Ok(index)
    }

    /// Makes a new socket for a slot that was taken from the free ones, if its old socket was closed
    /// (`--fresh-sockets`) or must be replaced (a timeout).
    ///
    /// # Errors
    /// Any error of the system calls, e.g. `EADDRINUSE` if another socket has the port now. The slot is
    /// then free again.
    pub(super) fn ensure_socket(&mut self, index: u32) -> io::Result<()> {
        let slot = &mut self.slots[index as usize];
        if slot.needs_fresh_socket {
            slot.socket = None;
        }
        if slot.socket.is_some() {
            return Ok(());
        }
        let local = slot.local;
        let socket = match ProbeSocket::bind(local, &self.settings) {
            Ok(socket) => socket,
            Err(error) => {
                self.release(index);
                return Err(error);
            }
        };
        self.own_port(index, local, &socket);
        let slot = &mut self.slots[index as usize];
        slot.socket = Some(socket);
        slot.socket_probes = 0;
        slot.needs_fresh_socket = false;
        slot.is_registered = false;
        Ok(())
    }

    /// Makes the hooks report the events of a slot's new socket.
    fn own_port(&self, index: u32, local: SocketAddr, socket: &ProbeSocket) {
        if let Some(tracer) = &self.tracer {
            tracer.own_port(self.run_slot(index), local, socket.cookie());
        }
    }
}
