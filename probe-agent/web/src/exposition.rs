//! `/metrics`.

use std::{pin::Pin, sync::Arc};

use metrics::{Format, Scrape};

use crate::{
    request::Request,
    response::Response,
    routes::{Handler, Route},
};

/// Scrapes at the same time: each holds the thread of the server for a moment.
const AT_ONCE: usize = 4;

/// Where the metrics come from.
pub trait MetricsSource: Send + Sync + 'static {
    /// The metrics as they are now.
    fn scrape(&self, format: Format) -> Scrape;
}

/// The route of the metrics.
#[must_use]
pub fn metrics_route(source: Arc<dyn MetricsSource>) -> Route {
    Route {
        path: "/metrics",
        title: "metrics for Prometheus, with exemplars in OpenMetrics",
        is_open: false,
        at_once: AT_ONCE,
        handler: Arc::new(Exposition(source)),
    }
}

struct Exposition(Arc<dyn MetricsSource>);

impl Handler for Exposition {
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>> {
        let scrape = self.0.scrape(Format::accepted(request.header("accept")));
        let response = Response::chunks(scrape.format().content_type(), scrape);
        Box::pin(std::future::ready(response))
    }
}
