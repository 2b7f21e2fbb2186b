//! A barrier behind the traffic of a lab.
//!
//! A veth device puts each packet into the backlog of the processor that sends it. A softirq of that
//! processor takes them out in order, usually but not always before the sending system call returns.
//! Once a datagram sent on a processor has arrived, everything queued there before it has been handled.
//! The answers that this caused are queued behind it, hence one round per generation.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;

use super::{LabError, Namespace, Result};

/// SYN, SYN-ACK, ACK: a longer chain of answers needs a timer or a system call.
const GENERATIONS: usize = 3;
/// Far beyond any delay of a softirq.
const LIMIT: Duration = Duration::from_secs(10);

/// Sends a datagram on each processor, in each generation, and waits for it.
pub(super) fn settle(client: &Namespace, server: &Namespace, address: IpAddr) -> Result<()> {
    let wanted = SocketAddr::new(address, 0);
    let error =
        |source| LabError::Socket { operation: "send a datagram to", address: wanted, source };
    let receiver = server.run(|| UdpSocket::bind(wanted))?.map_err(error)?;
    receiver.set_read_timeout(Some(LIMIT)).map_err(error)?;
    // The thread inside the namespace ends afterwards, and its processor affinity with it.
    client.run(|| from_each_processor(&receiver))?.map_err(error)
}

fn from_each_processor(receiver: &UdpSocket) -> io::Result<()> {
    let to = receiver.local_addr()?;
    let unspecified = match to {
        SocketAddr::V4(_) => "0.0.0.0:0",
        SocketAddr::V6(_) => "[::]:0",
    };
    let sender = UdpSocket::bind(unspecified)?;
    let this_thread = Pid::from_raw(0);
    let allowed = sched_getaffinity(this_thread)?;
    for _ in 0..GENERATIONS {
        for processor in 0..CpuSet::count() {
            if !allowed.is_set(processor)? {
                continue;
            }
            let mut only = CpuSet::new();
            only.set(processor)?;
            sched_setaffinity(this_thread, &only)?;
            sender.send_to(&[0], to)?;
            receiver.recv_from(&mut [0])?;
        }
    }
    Ok(())
}
