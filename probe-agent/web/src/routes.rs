//! What becomes of a request: the table of routes.

use std::{fmt::Write as _, pin::Pin, sync::Arc};

use http::{Method, StatusCode, header, request::Parts};
use tokio::sync::Semaphore;

use crate::{body::Body, request::Request, response::Response, token::Token};

/// Answers requests of one route.
pub trait Handler: Send + Sync + 'static {
    /// The answer to a request. It is dropped if the client goes away.
    fn call(&self, request: Request) -> Pin<Box<dyn Future<Output = Response> + Send + '_>>;
}

/// A path and what answers it, to GET and HEAD.
pub struct Route {
    /// The path, such as `/metrics`.
    pub path: &'static str,
    /// What it is, for the index.
    pub title: &'static str,
    /// Whether clients without the token may ask.
    pub is_open: bool,
    /// How many answers may be made at the same time. One more is refused, to be repeated later.
    pub at_once: usize,
    /// What answers.
    pub handler: Arc<dyn Handler>,
}

/// The routes of a server.
pub struct Routes {
    routes: Vec<(Route, Arc<Semaphore>)>,
    token: Option<Token>,
}

impl Routes {
    /// A table of routes. `/` lists them.
    #[must_use]
    pub fn new(routes: impl IntoIterator<Item = Route>) -> Self {
        let limited = |route: Route| {
            let permits = Arc::new(Semaphore::new(route.at_once.clamp(1, Semaphore::MAX_PERMITS)));
            (route, permits)
        };
        Self { routes: routes.into_iter().map(limited).collect(), token: None }
    }

    /// Clients must know a token.
    pub(crate) fn protect(&mut self, token: Option<Token>) {
        self.token = token;
    }

    /// Answers a request.
    pub(crate) async fn respond(&self, parts: Parts, has_body: bool) -> http::Response<Body> {
        match self.find(parts, has_body) {
            Err(refusal) => refusal.into_http(),
            Ok((route, permits, request)) => {
                let Ok(permit) = Arc::clone(permits).try_acquire_owned() else {
                    let text = "too many of these are being answered; try again in a second\n";
                    return Response::text(StatusCode::SERVICE_UNAVAILABLE, text)
                        .header(header::RETRY_AFTER, "1")
                        .into_http();
                };
                let response = route.handler.call(request).await.into_http();
                response.map(|body| body.holding(permit))
            }
        }
    }

    /// The route of a request, or why there is none.
    fn find(
        &self,
        parts: Parts,
        has_body: bool,
    ) -> Result<(&Route, &Arc<Semaphore>, Request), Box<Response>> {
        if has_body {
            let text = "a request has no body here\n";
            // Nobody reads the body.
            let refusal = Response::text(StatusCode::PAYLOAD_TOO_LARGE, text);
            return Err(Box::new(refusal.header(header::CONNECTION, "close")));
        }
        if is_embedded(&parts) {
            let text = "pages of other sites are not answered\n";
            return Err(Box::new(Response::text(StatusCode::FORBIDDEN, text)));
        }
        let authorization = parts.headers.get(header::AUTHORIZATION);
        let is_authorized = self
            .token
            .as_ref()
            .is_none_or(|token| authorization.is_some_and(|value| token.accepts(value.as_bytes())));
        let found = self.routes.iter().find(|(route, _)| route.path == parts.uri.path());
        // Without the token, all paths look alike.
        if !is_authorized && !found.is_some_and(|(route, _)| route.is_open) {
            let text = "send the token as `Authorization: Bearer TOKEN`\n";
            let refusal = Response::text(StatusCode::UNAUTHORIZED, text);
            return Err(Box::new(refusal.header(header::WWW_AUTHENTICATE, "Bearer")));
        }
        if found.is_none() && parts.uri.path() != "/" {
            let text = "no such page; `/` lists them\n";
            return Err(Box::new(Response::text(StatusCode::NOT_FOUND, text)));
        }
        if parts.method != Method::GET && parts.method != Method::HEAD {
            let text = "only GET and HEAD are answered\n";
            let refusal = Response::text(StatusCode::METHOD_NOT_ALLOWED, text);
            return Err(Box::new(refusal.header(header::ALLOW, "GET, HEAD")));
        }
        match found {
            Some((route, permits)) => Ok((route, permits, Request::new(parts, is_authorized))),
            None => Err(Box::new(self.index())),
        }
    }

    fn index(&self) -> Response {
        let mut html = String::from(
            "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>probe-agent</title>\n\
             <h1>probe-agent</h1>\n<ul>\n",
        );
        for (Route { path, title, .. }, _) in &self.routes {
            // Writing to a string cannot fail.
            let _ = writeln!(html, "<li><a href=\"{path}\">{path}</a>: {title}");
        }
        html.push_str("</ul>\n</html>\n");
        Response::new(StatusCode::OK, "text/html; charset=utf-8", html)
            .header(header::CONTENT_SECURITY_POLICY, "default-src 'none'")
    }
}

/// Whether a page of another site asks through a browser: it could make the agent of the browser's host probe
/// whatever it likes. Following a link is something that the person in front of it does.
fn is_embedded(parts: &Parts) -> bool {
    let field = |name| parts.headers.get(name).map(http::HeaderValue::as_bytes);
    let is_foreign =
        field("sec-fetch-site").is_some_and(|site| site != b"same-origin" && site != b"none");
    is_foreign && field("sec-fetch-dest") != Some(b"document")
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.routes.iter().map(|(route, _)| route.path)).finish()
    }
}
