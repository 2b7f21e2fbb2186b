//! Resolves the collector's name in a thread of its own, one name at a time.
//!
//! The HTTP client's own resolver takes a thread of Tokio's pool, which panics if the system refuses one and
//! then holds up the end of the runtime until the name is resolved.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    vec,
};

use hyper_util::client::legacy::connect::dns::Name;
use tokio::sync::{Semaphore, oneshot};
use tonic::codegen::Service;

use crate::zone;

/// The system's resolver.
#[derive(Clone, Debug)]
pub(super) struct Resolver(Arc<Semaphore>);

impl Default for Resolver {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }
}

impl Service<Name> for Resolver {
    type Response = vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        let turn = Arc::clone(&self.0);
        Box::pin(async move {
            // A name server that does not answer holds one thread, however often the name is asked for.
            let turn = turn.acquire_owned().await.map_err(io::Error::other)?;
            let (answer, answered) = oneshot::channel();
            std::thread::Builder::new().name("otlp-resolver".to_owned()).spawn(move || {
                // Nobody waits for it any more if the batch's time is over.
                let _ = answer.send(lookup(name.as_str()));
                drop(turn);
            })?;
            answered.await.map_err(io::Error::other)?
        })
    }
}

/// The addresses of a host. The system knows the interfaces that zones name, too.
fn lookup(host: &str) -> io::Result<vec::IntoIter<SocketAddr>> {
    let host = zone::decoded(host);
    (&*host, 0).to_socket_addrs().map_err(|error| match host.split_once('%') {
        Some((_, zone)) => io::Error::new(
            error.kind(),
            format!("there is no network interface {zone:?}; `ip link` lists them"),
        ),
        None => error,
    })
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::lookup;

    #[test]
    fn an_address_with_a_zone_is_that_of_the_interface() {
        let found: Vec<_> = lookup("fe80::1%25lo").unwrap().collect();
        assert!(matches!(found[..], [SocketAddr::V6(found)] if found.scope_id() == 1), "{found:?}");
        let error = lookup("fe80::1%25nosuch0").unwrap_err().to_string();
        assert_eq!(error, "there is no network interface \"nosuch0\"; `ip link` lists them");
    }
}
