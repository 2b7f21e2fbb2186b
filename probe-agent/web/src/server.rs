//! The server: a thread that accepts connections and answers them.

mod connection;
mod connections;
mod stall;

use std::{io, net::SocketAddr, sync::Arc, thread::JoinHandle, time::Duration};

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinSet,
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

use self::{connection::Settings, connections::Connections};
use crate::{limits::Limits, listen::Listener, routes::Routes};

/// How long no connection is accepted after the kernel has refused one: it has no descriptors left.
const PAUSE: Duration = Duration::from_millis(500);

/// A running server. It stops when this is dropped, without waiting for anything.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<Option<Duration>>,
    thread: JoinHandle<Stopped>,
}

/// How a server ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stopped {
    /// Connections that were cut because their answer was not read in time.
    pub cut: usize,
}

impl Server {
    /// Answers requests from a thread of its own.
    ///
    /// # Errors
    /// The kernel refuses a thread or a descriptor.
    pub fn start(listener: Listener, mut routes: Routes, limits: Limits) -> io::Result<Self> {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build()?;
        let Listener { socket, address, token, tls } = listener;
        routes.protect(token);
        let settings = Settings { routes, limits, tls: tls.map(TlsAcceptor::from) };
        let (stop, stopped) = watch::channel(None);
        let serve = move || {
            runtime.block_on(async {
                match TcpListener::from_std(socket) {
                    Ok(listener) => serve(listener, Arc::new(settings), stopped).await,
                    // Only without a runtime, which there is.
                    Err(_) => Stopped::default(),
                }
            })
        };
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(serve)?;
        Ok(Self { address, stop, thread })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts no further connection, finishes the answers that are being sent, and cuts what is not done in
    /// time.
    #[must_use]
    pub fn stop(self, within: Duration) -> Stopped {
        // Its receiver is in the thread that is waited for.
        let _ = self.stop.send(Some(within));
        self.thread.join().unwrap_or_default()
    }
}

/// Accepts connections until it is stopped.
async fn serve(
    listener: TcpListener,
    settings: Arc<Settings>,
    mut stop: watch::Receiver<Option<Duration>>,
) -> Stopped {
    let connections = Connections::new(settings.limits.connections);
    let mut tasks = JoinSet::new();
    loop {
        tokio::select! {
            _ = stop.changed() => break,
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => accept(stream, &connections, &settings, &stop, &mut tasks).await,
                Err(error) => pause(&error).await,
            },
        }
    }
    drop(listener);
    let within = stop.borrow().unwrap_or_default();
    let all = async { while tasks.join_next().await.is_some() {} };
    let _ = timeout(within, all).await;
    Stopped { cut: tasks.len() }
}

/// Serves a connection in a task, if there is room for it.
async fn accept(
    stream: TcpStream,
    connections: &Connections,
    settings: &Arc<Settings>,
    stop: &watch::Receiver<Option<Duration>>,
    tasks: &mut JoinSet<()>,
) {
    match connections.enter().await {
        Some(place) => {
            tasks.spawn(connection::serve(stream, place, Arc::clone(settings), stop.clone()));
        }
        None => connection::refuse(&stream),
    }
}

/// A client that has gone away already costs nothing; a shortage of descriptors does not pass at once.
async fn pause(error: &io::Error) {
    if error.kind() != io::ErrorKind::ConnectionAborted {
        sleep(PAUSE).await;
    }
}
