//! Plain connections.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use super::{LabError, Namespace, Result};

/// Longer than any SYN retransmit that a test of the lab waits for.
const LIMIT: Duration = Duration::from_secs(10);

/// Makes `n` real connections from a namespace, one after the other.
///
/// # Errors
/// [`LabError::Socket`] with the first failure; the connections made before are closed then.
pub(super) fn connect_many(from: &Namespace, to: SocketAddr, n: usize) -> Result<Vec<TcpStream>> {
    let connect = |_| TcpStream::connect_timeout(&to, LIMIT);
    let connections: io::Result<Vec<_>> = from.run(|| (0..n).map(connect).collect())?;
    connections.map_err(|source| LabError::Socket { operation: "connect to", address: to, source })
}
