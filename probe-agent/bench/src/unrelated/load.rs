//! Connections that are not the agent's.

use std::{
    io::{ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    time::{Duration, Instant},
};

use anyhow::{Result, bail, ensure};
use nix::time::{ClockId, clock_gettime};
use socket2::Socket;

use super::nginx::Nginx;

/// The request, and the answer.
const MESSAGE: [u8; 64] = [b'x'; 64];

/// Requests that are timed together: long compared with reading the clock, short compared with a time
/// slice.
const BATCH: usize = 32;

/// The load, by one thread.
///
/// Except with nginx the thread holds both ends. No thread sleeps or is woken, so only the work counts, and
/// the share of the hooks is as large as possible.
pub(crate) struct Load {
    listener: TcpListener,
    address: SocketAddr,
    open: Option<(TcpStream, TcpStream)>,
    nginx: Option<Nginx>,
}

/// What the load repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connection to nginx for each request.
    Nginx,
    /// A connection for each request.
    Connections,
    /// All requests on one connection.
    Requests,
    /// A connection for each request, reset by the client: causes RST events, too.
    Resets,
}

/// [`BATCH`] requests, one after the other.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batch {
    pub(super) began: Instant,
    pub(super) ended: Instant,
    /// CPU time of one request, in nanoseconds.
    pub(super) each_ns: f64,
}

impl Load {
    pub(crate) fn new() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address, open: None, nginx: None })
    }

    /// Works for `slice`.
    pub(crate) fn work(&mut self, kind: Kind, slice: Duration) -> Result<()> {
        let began = Instant::now();
        self.work_while(kind, || began.elapsed() < slice).map(|_| ())
    }

    /// Works in batches, at least one, while `go_on` returns true.
    pub(super) fn work_while(
        &mut self,
        kind: Kind,
        go_on: impl FnMut() -> bool,
    ) -> Result<Vec<Batch>> {
        if kind == Kind::Nginx {
            let nginx = self.nginx.take().map_or_else(Nginx::start, Ok)?;
            let done = nginx.beside(|| batches(go_on, || nginx.time(), || nginx.get(BATCH)));
            self.nginx = Some(nginx);
            return done;
        }
        batches(go_on, || Ok(0.0), || (0..BATCH).try_for_each(|_| self.once(kind)))
    }

    fn once(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Nginx => bail!("nginx has a process of its own"),
            Kind::Connections => {
                let (mut client, mut server) = self.connect()?;
                exchange(&mut client, &mut server)?;
                drop(client);
                ensure!(server.read(&mut [0; 1])? == 0, "the client had closed");
            }
            Kind::Resets => {
                let (client, mut server) = self.connect()?;
                let client = Socket::from(client);
                client.set_linger(Some(Duration::ZERO))?;
                drop(client);
                let end = server.read(&mut [0; 1]).map_err(|e| e.kind());
                ensure!(end == Err(ErrorKind::ConnectionReset), "the client had reset: {end:?}");
            }
            Kind::Requests => {
                if self.open.is_none() {
                    self.open = Some(self.connect()?);
                }
                if let Some((client, server)) = &mut self.open {
                    exchange(client, server)?;
                }
            }
        }
        Ok(())
    }

    fn connect(&self) -> Result<(TcpStream, TcpStream)> {
        let client = TcpStream::connect(self.address)?;
        let (server, _) = self.listener.accept()?;
        Ok((client, server))
    }
}

/// Runs batches and returns the CPU time of each: that of this thread and what `elsewhere` adds.
fn batches(
    mut go_on: impl FnMut() -> bool,
    elsewhere: impl Fn() -> Result<f64>,
    mut batch: impl FnMut() -> Result<()>,
) -> Result<Vec<Batch>> {
    let time = || Ok::<_, anyhow::Error>(thread_time()? + elsewhere()?);
    let mut batches = Vec::new();
    while go_on() || batches.is_empty() {
        let (began, before) = (Instant::now(), time()?);
        batch()?;
        let each_ns = (time()? - before) / BATCH as f64;
        batches.push(Batch { began, ended: Instant::now(), each_ns });
    }
    Ok(batches)
}

fn exchange(client: &mut TcpStream, server: &mut TcpStream) -> Result<()> {
    let mut buffer = [0; MESSAGE.len()];
    client.write_all(&MESSAGE)?;
    server.read_exact(&mut buffer)?;
    server.write_all(&buffer)?;
    client.read_exact(&mut buffer)?;
    Ok(())
}

/// CPU time of this thread, in nanoseconds.
fn thread_time() -> Result<f64> {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?;
    Ok(time.tv_sec() as f64 * 1e9 + time.tv_nsec() as f64)
}
