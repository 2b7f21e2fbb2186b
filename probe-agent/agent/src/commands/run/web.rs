//! The HTTP server: what it answers is the service's.

use std::{io, sync::Arc};

use config::schema::FoundHttp;
use metrics::{Format, Metrics, Scrape};
use service::status::Status;
use web::{
    Access, HealthSource, Hooks, Limits, Listener, MetricsSource, Routes, Server, State, TlsFiles,
    Token, health_routes, metrics_route,
};

/// What the routes read.
struct Source {
    metrics: Metrics,
    status: Status,
}

impl MetricsSource for Source {
    fn scrape(&self, format: Format) -> Scrape {
        self.metrics.scrape(format, self.status.sample())
    }
}

impl HealthSource for Source {
    fn state(&self) -> State {
        let missing = self.status.missing();
        State {
            configuration: self.status.probes(),
            hooks: if missing.is_empty() { Hooks::Attached } else { Hooks::Degraded(missing) },
            workers: self.status.turns(),
        }
    }
}

/// Listens where the configuration says.
///
/// # Errors
/// The address cannot be listened on, or a file cannot be read.
pub(super) fn bind(http: &FoundHttp) -> anyhow::Result<Listener> {
    let FoundHttp { listen, token_file, certificate_file, key_file, client_ca_file } = http;
    let listen = listen.as_ref().ok_or_else(|| anyhow::anyhow!("listen: no address"))?;
    let token = token_file.as_ref().map(|file| Token::from_file(file.value.get())).transpose()?;
    let path = |file: &config::origin::Found<config::values::FilePath>| file.value.get().to_owned();
    let tls = certificate_file.as_ref().zip(key_file.as_ref()).map(|(certificate, key)| TlsFiles {
        certificate: path(certificate),
        key: path(key),
        clients: client_ca_file.as_ref().map(path),
    });
    Ok(Listener::bind(listen.value.get(), Access { token, tls, open_to_all: false })?)
}

/// Answers requests from now on.
///
/// # Errors
/// This host refuses a thread or a descriptor.
pub(super) fn start(listener: Listener, metrics: Metrics, status: Status) -> io::Result<Server> {
    let source = Arc::new(Source { metrics, status });
    let health = health_routes(Arc::clone(&source) as Arc<dyn HealthSource>);
    let routes = health.into_iter().chain([metrics_route(source)]);
    Server::start(listener, Routes::new(routes), Limits::default())
}
