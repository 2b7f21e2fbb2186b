//! Compares what the hooks saw with what the kernel counted.
//!
//! A hook that is skipped tells nothing, and not every kernel counts all of its skips. What RSTs there
//! were is known from elsewhere: the network namespace counts the RSTs that it sends (`OutRsts` of
//! `/proc/net/snmp`), and `tcp_send_reset` fires for each. A RST that was counted and not seen is a lost
//! event: it may have been the one that shows that a server had not let go.

use std::{fs::File, io, os::unix::fs::FileExt};

use super::loader::Tracer;
use probe_agent_common::Counter;

/// This thread's network namespace's, whatever namespaces other threads are in.
const FILE: &str = "/proc/thread-self/net/snmp";

/// The lines about IP, ICMP and TCP come before those about UDP; they take less than half of this.
const ENOUGH: usize = 4096;

/// The two counts of one network namespace.
#[derive(Debug)]
pub struct Audit {
    file: File,
    /// How far the kernel's count was ahead of the hooks' at the start.
    ahead: i64,
    /// What was missing at the last look: the kernel counts a RST just before the hook sees it.
    missing: u64,
    unseen: u64,
}

impl Audit {
    /// Begins to compare in the calling thread's network namespace.
    ///
    /// # Errors
    /// If `/proc` does not show the counts.
    pub fn begin(tracer: &Tracer) -> io::Result<Self> {
        let file = File::open(FILE)?;
        // In this order a RST in between is one that was seen too often, never one too few.
        let seen = tracer.counter(Counter::RstsSeen);
        let sent = sent(&file).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Self { file, ahead: difference(sent, seen), missing: 0, unseen: 0 })
    }

    /// RSTs that were counted and not seen, so far. What is missing twice is missing.
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
