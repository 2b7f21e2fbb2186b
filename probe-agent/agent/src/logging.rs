//! The agent's own messages: `tracing` events, printed on stderr as text or JSON.
//!
//! A message is complete without its fields, which repeat its values for machines: text prints them only
//! at the levels for developers, JSON always.

mod filter;
mod stderr;
mod text;

use tracing_subscriber::{EnvFilter, fmt, layer::SubscriberExt as _, registry};

use self::{filter::FilterError, stderr::Stderr, text::Text};
use crate::cli::log::{LogArgs, LogFormat};

/// The target of the error that ends the command. It passes every filter.
const FATAL: &str = "probe_agent::fatal";

/// Starts printing messages as the flags and the environment ask for.
///
/// # Errors
/// `PROBE_AGENT_LOG` is invalid. Messages are printed nevertheless, so that this one can be.
pub(crate) fn start(args: LogArgs) -> Result<(), FilterError> {
    let (filter, error) = match filter::of(args.log_level, std::env::var_os(filter::VARIABLE)) {
        Ok(filter) => (filter, Ok(())),
        Err(error) => (filter::default(), Err(error)),
    };
    install(filter, args.log_format);
    error
}

/// Starts printing messages where the flags are not known, because the command line is invalid.
pub(crate) fn start_plain(format: LogFormat) {
    install(filter::default(), format);
}

/// Reports the error that ends the command, in one line.
pub(crate) fn fatal(line: &str) {
    tracing::error!(target: FATAL, "{}", ::config::echo::line(line));
}

fn install(filter: EnvFilter, format: LogFormat) {
    // An event that cannot be written is lost: it must not end the run, or panic.
    let layer = fmt::layer().with_ansi(false).log_internal_errors(false).with_writer(Stderr::new);
    let registry = registry().with(filter);
    // It fails only if there is a subscriber already, and then messages have somewhere to go.
    let _ =
        match format {
            LogFormat::Text => {
                tracing::subscriber::set_global_default(registry.with(layer.event_format(Text)))
            }
            LogFormat::Json => tracing::subscriber::set_global_default(registry.with(
                layer.json().flatten_event(true).with_span_list(false).with_current_span(false),
            )),
        };
}
