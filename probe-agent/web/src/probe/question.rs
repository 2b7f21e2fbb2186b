//! From a query to a probe.

use std::{net::Ipv6Addr, sync::Arc, time::Duration};

use super::{Module, ProbeRequest};
use crate::request::Request;

/// The module of a request that names none.
const DEFAULT_MODULE: &str = "tcp_connect";
/// The header in which Prometheus says how long it waits, in seconds.
const SCRAPE_TIMEOUT: &str = "x-prometheus-scrape-timeout-seconds";
/// How much earlier than the scraper the probe gives up, so that its answer arrives in time; blackbox_exporter has
/// the same.
const OFFSET: f64 = 0.5;
/// How long a scraper waits that does not say so; blackbox_exporter has the same.
const WITHOUT_HEADER: f64 = 120.0;
/// The longest name of a host (RFC 1035, section 2.3.4).
const LONGEST_HOST: usize = 253;

/// A valid query.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) request: ProbeRequest,
    pub(super) is_debug: bool,
    /// The name of the module.
    pub(super) module: String,
}

impl Question {
    /// Reads a query, or says what is wrong with it.
    pub(super) fn of(
        request: &Request,
        module: impl Fn(&str) -> Option<Arc<Module>>,
    ) -> Result<Self, String> {
        let target = request.parameter("target").filter(|target| !target.is_empty());
        let target = target.ok_or("the parameter `target` is missing: ?target=HOST:PORT")?;
        let (host, port) = host_and_port(&target)?;
        let name = request.parameter("module").filter(|name| !name.is_empty());
        let name = name.unwrap_or_else(|| DEFAULT_MODULE.to_owned());
        let found = module(&name).ok_or_else(|| {
            format!("there is no module `{name}`; name one of the configuration, or none for {DEFAULT_MODULE}")
        })?;
        let within = within(request.header(SCRAPE_TIMEOUT), found.timeout)?;
        let is_debug = request.parameter("debug").as_deref() == Some("true");
        let request = ProbeRequest { host, port, module: found, within, wants_story: is_debug };
        Ok(Self { request, is_debug, module: name })
    }
}

/// `db.example:5432`, `10.0.0.1:5432` or `[2001:db8::1]:5432`.
fn host_and_port(target: &str) -> Result<(String, u16), String> {
    let wrong = |why: &str| Err(format!("the target `{target}` {why}"));
    let Some((host, port)) = target.rsplit_once(':') else {
        return wrong("has no port: use HOST:PORT");
    };
    let port = match port.parse::<u16>() {
        Ok(port) if port > 0 && !target.ends_with(&format!("+{port}")) => port,
        _ => return wrong("has no port from 1 to 65535 after its last colon"),
    };
    let host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(inner) if inner.parse::<Ipv6Addr>().is_ok() => inner,
        Some(_) => return wrong("has no IPv6 address in its brackets"),
        None => host,
    };
    let is_bare_ipv6 = host.contains(':') && !target.starts_with('[');
    let is_odd = |c: char| c.is_whitespace() || c.is_control() || "/?#@[]".contains(c);
    if is_bare_ipv6 && !host.contains("//") {
        wrong("needs brackets around its IPv6 address: [ADDRESS]:PORT")
    } else if host.is_empty() || host.len() > LONGEST_HOST || host.contains(is_odd) {
        wrong(
            "has no host name or address before its port: use HOST:PORT, without a scheme or path",
        )
    } else {
        Ok((host.to_owned(), port))
    }
}

/// How long a probe may take: less than the scraper waits, and no longer than the module allows.
fn within(header: &str, module: Option<Duration>) -> Result<Duration, String> {
    let wait = match header.trim() {
        "" => WITHOUT_HEADER,
        text => text
            .parse::<f64>()
            .ok()
            .filter(|wait| wait.is_finite() && *wait >= 0.0)
            .ok_or_else(|| format!("{SCRAPE_TIMEOUT}: `{text}` is no number of seconds"))?,
    };
    let wait = if wait == 0.0 { WITHOUT_HEADER } else { wait.min(WITHOUT_HEADER) };
    // A scraper that waits for less than the offset gets half of it.
    let limit = Duration::from_secs_f64((wait - OFFSET).max(wait / 2.0));
    Ok(module.map_or(limit, |module| module.min(limit)))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{host_and_port, within};

    #[test]
    fn targets_are_a_host_and_a_port() {
        for (target, host, port) in [
            ("db.example:5432", "db.example", 5432),
            ("10.0.0.1:1", "10.0.0.1", 1),
            ("[2001:db8::1]:65535", "2001:db8::1", 65535),
            ("localhost:080", "localhost", 80),
        ] {
            assert_eq!(host_and_port(target), Ok((host.to_owned(), port)), "{target}");
        }
        for (target, why) in [
            ("db.example", "has no port"),
            ("db.example:", "has no port from"),
            ("db.example:0", "has no port from"),
            ("db.example:65536", "has no port from"),
            ("db.example:+80", "has no port from"),
            ("2001:db8::1:80", "needs brackets"),
            ("[db.example]:80", "no IPv6 address in its brackets"),
            ("http://db.example:80", "without a scheme"),
            ("db.example/x:80", "without a scheme"),
            ("a b:80", "has no host"),
            (":80", "has no host"),
        ] {
            let error = host_and_port(target).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
        assert!(host_and_port(&format!("{}:80", "x".repeat(254))).is_err());
    }

    #[test]
    fn the_probe_gives_up_before_the_scraper_does() {
        let ms = Duration::from_millis;
        for (header, module, limit) in [
            ("10", None, ms(9_500)),
            ("10.25", None, ms(9_750)),
            ("10", Some(ms(2_000)), ms(2_000)),
            ("10", Some(ms(20_000)), ms(9_500)),
            ("", None, ms(119_500)),
            ("0", None, ms(119_500)),
            ("1e300", None, ms(119_500)),
            ("0.4", None, ms(200)),
            ("0.6", None, ms(300)),
        ] {
            assert_eq!(within(header, module), Ok(limit), "{header} {module:?}");
        }
        for header in ["soon", "-1", "NaN", "inf"] {
            assert!(within(header, None).is_err(), "{header}");
        }
    }
}
