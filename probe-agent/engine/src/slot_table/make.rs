//! Making slots, and new sockets for them.

use std::{
    collections::VecDeque,
    io,
    net::{IpAddr, SocketAddr},
};

use super::{Entry, SlotTable};
use crate::{addresses, slot::Slot};

/// Ports that turn out to be in use are passed over. After this many in a row the range is taken to be
/// full, so that a probe does not try 28,000 of them.
const MAX_PORTS_IN_USE: usize = 512;

impl SlotTable {
    /// Whether another slot may be made.
    pub(super) fn can_grow(&self) -> bool {
        (self.entries.len() as u64) < u64::from(self.limit) && self.ports.left() > 0
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
            match Slot::bind(addresses::local(ip, port, target), &self.settings) {
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
        // Ports in use may be free the next time one is needed.
        for port in refused {
            self.ports.give_back(port);
        }
        let socket = made?;
        if let Some(tracer) = &self.tracer {
            tracer.own_port(self.first + index, socket.local, socket.cookie());
        }
        self.entries.push(Entry {
            local: socket.local,
            socket: Some(socket),
            generation: 0,
            socket_probes: 0,
            kernel_generation: 0,
            unsettled: VecDeque::new(),
            last: None,
            is_spent: false,
            is_registered: false,
        });
        Ok(index)
    }

    /// Makes a new socket for a slot that was taken and whose old one was closed (`--fresh-sockets`) or
    /// is spent (a timeout).
    ///
    /// # Errors
    /// Whatever the kernel refuses with, e.g. `EADDRINUSE` if another socket has the port now. The
    /// slot is free again then.
    pub(super) fn refresh(&mut self, index: u32) -> io::Result<()> {
        let entry = &mut self.entries[index as usize];
        if entry.is_spent {
            entry.socket = None;
        }
        if entry.socket.is_none() {
            if let Err(error) = self.rebind(index) {
                self.give_back(index);
                return Err(error);
            }
            let entry = &mut self.entries[index as usize];
            entry.socket_probes = 0;
            entry.is_spent = false;
            entry.is_registered = false;
        }
        Ok(())
    }

    /// Binds a new socket where a slot's old one was.
    fn rebind(&mut self, index: u32) -> io::Result<()> {
        let entry = &mut self.entries[index as usize];
        let socket = Slot::bind(entry.local, &self.settings)?;
        if let Some(tracer) = &self.tracer {
            tracer.own_port(self.first + index, socket.local, socket.cookie());
        }
        entry.socket = Some(socket);
        Ok(())
    }
}
