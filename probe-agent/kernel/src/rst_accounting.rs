//! Compares the RSTs that the hooks saw with those that the kernel counted.
//!
//! The kernel may skip a hook, and not every kernel counts all of its skips. But the network namespace
//! counts the RSTs that it sends (`OutRsts` of `/proc/net/snmp`), and one of the hooks runs for each. A
//! RST that was counted and not seen is a lost event: it may have been the one that shows that a server
//! still kept the half-open connection.
//!
//! The hooks count a little too much, never too little; each RST too many hides one that was really not
//! seen. The tracepoint `tcp_send_reset` also fires where, over IPv6, there is then no route or no memory
//! for the answer. The functions `tcp_v4_send_reset` and `tcp_v6_send_reset` also return without a RST
//! for a packet that was not sent to a unicast address, and for a segment that lacks the signature of a
//! listener with TCP-MD5 or TCP-AO keys. A packet that is a RST itself is the usual case; the hooks leave
//! it out.

use std::{fs::File, io, os::unix::fs::FileExt};

use probe_agent_common::Counter;

use crate::loader::Tracer;

/// Of this thread's network namespace; other threads may be in others.
const FILE: &str = "/proc/thread-self/net/snmp";

/// The lines about IP, ICMP and TCP come first and take less than half of this.
const ENOUGH: usize = 4096;

/// The two counts of one network namespace.
#[derive(Debug)]
pub struct RstAccounting {
    file: File,
    /// How far the kernel's count was ahead of the hooks' at the start.
    ahead: i64,
    /// What was missing at the last look.
    missing: u64,
    unseen: u64,
}

impl RstAccounting {
    /// Begins to compare in the calling thread's network namespace.
    ///
    /// # Errors
    /// If `/proc` does not show the counts.
    pub fn begin(tracer: &Tracer) -> io::Result<Self> {
        let file = File::open(FILE)?;
        // In this order a RST in between is one seen too many, never one too few.
        let seen = tracer.counter(Counter::RstsSeen);
        let sent = sent(&file).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { file, ahead: difference(sent, seen), missing: 0, unseen: 0 })
    }

    /// RSTs that were counted and not seen, so far. A RST must be missing at two looks: both counts are of
    /// all CPUs, which go on counting while they are added up.
    pub fn unseen(&mut self, tracer: &Tracer) -> u64 {
        if let Some(sent) = sent(&self.file) {
            let seen = tracer.counter(Counter::RstsSeen);
            let missing = difference(sent, seen).saturating_sub(self.ahead).try_into().unwrap_or(0);
            self.unseen = self.unseen.max(missing.min(self.missing));
            self.missing = missing;
        }
        self.unseen
    }
}

fn difference(sent: u64, seen: u64) -> i64 {
    sent.wrapping_sub(seen).cast_signed()
}

fn sent(file: &File) -> Option<u64> {
    let mut buffer = [0; ENOUGH];
    let length = file.read_at(&mut buffer, 0).ok()?;
    out_rsts(&String::from_utf8_lossy(buffer.get(..length)?))
}

/// `OutRsts` of the two lines that begin with `Tcp:`, names above numbers.
fn out_rsts(snmp: &str) -> Option<u64> {
    let mut lines = snmp.lines().filter_map(|line| line.strip_prefix("Tcp: "));
    let (names, numbers) = (lines.next()?, lines.next()?);
    let place = names.split(' ').position(|name| name == "OutRsts")?;
    numbers.split(' ').nth(place)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::out_rsts;

    #[test]
    fn the_count_is_found_by_its_name() {
        let snmp = "Ip: Forwarding OutRsts\nIp: 1 7\nTcp: RtoAlgorithm InErrs OutRsts InCsumErrors\n\
                    Tcp: 1 0 4711 0\nUdp: InDatagrams\nUdp: 5\n";
        assert_eq!(out_rsts(snmp), Some(4711));
        assert_eq!(out_rsts("Tcp: A\nTcp: 1\n"), None);
    }
}
