//! `/probe`: one probe for a scraper that names its target, as blackbox_exporter does it.

mod question;

use std::{net::IpAddr, pin::Pin, sync::Arc, time::Duration};

use http::StatusCode;
use metrics::{
    Format,
    single::{self, Answer},
};
use tokio::time::timeout;

use self::question::Question;
use crate::{
    request::Request,
    response::Response,
    routes::{Handler, Route},
};

/// How a module probes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Module {
    /// The longest that a probe may take; `None`: as long as the scraper waits.
    pub timeout: Option<Duration>,
    /// Which address of a name is probed.
    pub family: AddressFamily,
    /// Its configuration in words, for `debug=true`.
    pub description: String,
}

/// Which address of a name is probed. The names are those of blackbox_exporter's `preferred_ip_protocol` and
/// `ip_protocol_fallback`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressFamily {
    /// IPv6 rather than IPv4.
    pub prefers_ipv6: bool,
    /// The other family, where the name has no address of the preferred one.
    pub has_fallback: bool,
}

impl AddressFamily {
    /// The address to probe; `None` if no address will do.
    #[must_use]
    pub fn choose(self, addresses: &[IpAddr]) -> Option<IpAddr> {
        let preferred = addresses.iter().find(|ip| ip.is_ipv6() == self.prefers_ipv6);
        preferred.or_else(|| addresses.first().filter(|_| self.has_fallback)).copied()
    }
}

/// blackbox_exporter's defaults.
impl Default for AddressFamily {
    fn default() -> Self {
        Self { prefers_ipv6: true, has_fallback: true }
    }
}

/// A probe that a scraper asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeRequest {
    /// A name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How to probe.
    pub module: Arc<Module>,
    /// How long lookup and probe may take together.
    pub within: Duration,
    /// Whether the answer needs [`Probed::story`].
    pub wants_story: bool,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probed {
    /// The answer for the scraper.
    pub answer: Answer,
    /// What happened, in lines, for `debug=true`.
    pub story: Vec<String>,
}

/// Runs single probes.
pub trait Prober: Send + Sync + 'static {
    /// A module by name; `None` if there is none.
    fn module(&self, name: &str) -> Option<Arc<Module>>;

    /// Probes. A name that does not resolve, or anything else that goes wrong, is an answer, too.
    fn probe(&self, request: ProbeRequest) -> Pin<Box<dyn Future<Output = Probed> + Send + '_>>;
}

/// The route of single probes, `at_once` of them at the same time.
#[must_use]
pub fn probe_route(prober: Arc<dyn Prober>, at_once: usize) -> Route {
    Route {
        path: "/probe",
        title: "one probe, as blackbox_exporter does it: ?target=HOST:PORT&amp;module=NAME",
        is_open: false,
        at_once,
        handler: Arc::new(Single(prober)),
    }
}

/// What a prober may be late by before it is given up.
const GRACE: Duration = Duration::from_millis(250);

struct Single(Arc<dyn Prober>);

impl Handler for Single {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        Box::pin(self.answer(request))
    }
}

impl Single {
    async fn answer(&self, request: Request) -> Response {
        let question = Question::of(&request, |name| self.0.module(name));
        let Question { request: probe, is_debug, module } = match question {
            Ok(question) => question,
            Err(problem) => return Response::text(StatusCode::BAD_REQUEST, problem + "\n"),
        };
        let format = Format::accepted(request.header("accept"));
        let (within, about) = (probe.within, Arc::clone(&probe.module));
        let Ok(probed) = timeout(within + GRACE, self.0.probe(probe)).await else {
            let text = format!("the probe has no result after {} s\n", within.as_secs_f64());
            return Response::text(StatusCode::SERVICE_UNAVAILABLE, text);
        };
        if is_debug {
            return Response::text(StatusCode::OK, debug(&probed, &module, &about));
        }
        let text = single::text(&probed.answer, format);
        Response::new(StatusCode::OK, format.content_type(), text)
    }
}

/// The page of `debug=true`, in the order of blackbox_exporter's.
fn debug(Probed { answer, story }: &Probed, name: &str, module: &Module) -> String {
    let metrics = single::text(answer, Format::Text);
    let story: String = story.iter().map(|line| format!("{line}\n")).collect();
    format!(
        "Logs for the probe:\n{story}\n\nMetrics that would have been returned:\n{metrics}\n\n\
         Module configuration:\n{name}: {}\n",
        module.description
    )
}
