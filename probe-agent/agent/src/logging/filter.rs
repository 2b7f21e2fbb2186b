//! Which messages are printed: `--log-level`, else `PROBE_AGENT_LOG`, else [`default`].

use std::ffi::OsString;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;

use ::config::echo::Echo;

/// A filter by target and level, in the syntax of [`EnvFilter`].
pub(super) const VARIABLE: &str = "PROBE_AGENT_LOG";

/// `PROBE_AGENT_LOG` is not a filter.
#[derive(Debug, thiserror::Error)]
#[error(
    "{VARIABLE}: {:?} is not a filter ({reason}); write e.g. info or probe_agent=debug,hyper=warn",
    Echo(value.to_string_lossy())
)]
pub(crate) struct FilterError {
    value: OsString,
    reason: String,
}

/// The agent's own messages of level info and above. All its crates have targets that begin with
/// `probe_agent`; the libraries below it are silent.
pub(super) fn default() -> EnvFilter {
    at(LevelFilter::INFO)
}

/// The filter that the flag or, without it, the variable asks for. An empty variable is ignored.
pub(super) fn of(
    level: Option<LevelFilter>,
    variable: Option<OsString>,
) -> Result<EnvFilter, FilterError> {
    if let Some(level) = level {
        return Ok(at(level));
    }
    let Some(value) = variable.filter(|value| !value.is_empty()) else { return Ok(default()) };
    let failed = |reason: String| FilterError { value: value.clone(), reason };
    let text = value.to_str().ok_or_else(|| failed("not UTF-8".to_owned()))?;
    let filter = EnvFilter::builder().parse(text).map_err(|error| failed(error.to_string()))?;
    Ok(with_fatal(filter))
}

fn at(level: LevelFilter) -> EnvFilter {
    with_fatal(EnvFilter::builder().parse_lossy(format!("off,probe_agent={level}")))
}

/// A command never fails without a reason.
fn with_fatal(filter: EnvFilter) -> EnvFilter {
    match format!("{}=error", super::FATAL).parse() {
        Ok(directive) => filter.add_directive(directive),
        Err(_) => filter,
    }
}
