//! `probe-agent run`: probes the targets of a configuration for as long as it runs.

mod export;
mod lookups;
mod room;
mod signals;
mod web;

use std::{os::unix::ffi::OsStringExt, path::Path, sync::Arc, time::Duration};

use anyhow::Context;
use metrics::{Metrics, Options};
use model::errno::in_words;
use service::{
    notice::{Level, Notice},
    service::{Control, Parts, Service},
    systemd::ServiceManager,
};
use tracing::{info, warn};

use super::{config::read_overrides, memory};
use crate::{
    cli::run::RunArgs,
    exit::{Exit, Failure},
};

/// How long the HTTP server finishes answers at the end.
const LAST_ANSWERS: Duration = Duration::from_secs(1);

/// Runs the service until a signal ends it.
///
/// # Errors
/// Why it did not start.
pub(crate) fn run(args: &RunArgs) -> Result<Exit, Failure> {
    if args.config == Path::new("-") {
        return Err(Failure::usage(
            "--config -: a service reads its configuration again; name a file",
        ));
    }
    memory::keep_little();
    let overrides = read_overrides(&args.overrides)?;
    let control = Arc::<Control>::default();
    let metrics = Metrics::new(Options::default());
    let parts = Parts {
        path: args.config.clone(),
        overrides,
        room: room::of_this_host(),
        resolver: Box::<lookups::Lookups>::default(),
        metrics: metrics.clone(),
        traces: true,
        control: Arc::clone(&control),
        manager: manager(),
        report: Box::new(report),
    };
    let service = Service::new(parts).map_err(|error| {
        let (last, others) = error.0.split_last().map_or(("", &[][..]), |(l, o)| (l.as_str(), o));
        others.iter().for_each(|line| warn!("{line}"));
        Failure::usage(last)
    })?;
    let name = args.config.display();
    let agent = service.configuration().map(config::load::Loaded::agent);
    let agent = agent.context("no configuration").map_err(Failure::other)?;
    // From here on a signal ends the service cleanly.
    let signals = signals::install(&control)?;
    let listener = web::bind(&agent.http)
        .map_err(|error| Failure::usage(format!("{name}: agent.http: {error}")))?;
    let exporter = export::start(&agent.otlp)?;
    let address = listener.address();
    let server = web::start(listener, metrics, service.status())
        .map_err(in_words)
        .context("cannot start the HTTP server")
        .map_err(Failure::other)?;
    info!("metrics and health: http://{address}/metrics, /healthz, /readyz");
    memory::give_back();
    let ending = service.run(exporter);
    // Their connections are cut, which they notice.
    let _ = server.stop(LAST_ANSWERS);
    if let Some(spans) = ending.spans.filter(|spans| spans.rejected + spans.dropped > 0) {
        warn!(
            rejected = spans.rejected,
            dropped = spans.dropped,
            "OTLP: since the start {} spans were rejected and {} dropped",
            spans.rejected,
            spans.dropped
        );
    }
    Ok(if signals.is_interrupt() { Exit::Interrupted } else { Exit::AsExpected })
}

/// The service manager; without one, or if it cannot be reached, nothing is reported to it.
fn manager() -> ServiceManager {
    let variable = |name: &str| std::env::var_os(name).map(OsStringExt::into_vec);
    ServiceManager::from_environment(variable).unwrap_or_else(|error| {
        warn!("NOTIFY_SOCKET: {error}; the service manager is not notified");
        ServiceManager::default()
    })
}

fn report(notice: &Notice<'_>) {
    match notice.level() {
        Level::Info => info!("{notice}"),
        Level::Warning => warn!("{notice}"),
    }
}
