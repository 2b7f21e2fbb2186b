//! Asks a proxy for a tunnel (RFC 9110, section 9.3.6, "CONNECT").

use std::io;

use http::HeaderValue;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// The longest answer of a proxy.
const LONGEST: usize = 8192;

/// Opens a tunnel to a host over a connection to a proxy.
///
/// # Errors
/// The proxy refuses, or its answer breaks off.
pub(super) async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    mut proxy: S,
    host: &str,
    port: u16,
    authorization: Option<&HeaderValue>,
) -> io::Result<S> {
    let mut request =
        format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n").into_bytes();
    if let Some(value) = authorization {
        request.extend_from_slice(b"Proxy-Authorization: ");
        request.extend_from_slice(value.as_bytes());
        request.extend_from_slice(b"\r\n");
    }
    request.extend_from_slice(b"\r\n");
    proxy.write_all(&request).await?;
    let mut answer = Vec::new();
    // Byte by byte: what follows the head belongs to the tunnel.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() == LONGEST {
            return Err(io::Error::other("the proxy's answer is too long"));
        }
        let byte = proxy.read_u8().await;
        answer.push(byte.map_err(|_| io::Error::other("the proxy closed the connection"))?);
    }
    let head = String::from_utf8_lossy(&answer);
    let status =
        head.lines().next().and_then(|line| line.split_once(' ')).map(|(_, status)| status);
    match status {
        Some(status) if status.starts_with('2') => Ok(proxy),
        Some(status) => Err(io::Error::other(format!("the proxy refuses: {status}"))),
        None => Err(io::Error::other("the proxy does not answer in HTTP")),
    }
}
