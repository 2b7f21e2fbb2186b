//! What a handler answers.

use http::{HeaderValue, StatusCode, header};

use crate::body::Body;

const TEXT: &str = "text/plain; charset=utf-8";

/// An answer.
pub struct Response(http::Response<Body>);

impl Response {
    /// A text in a media type.
    #[must_use]
    pub fn new(status: StatusCode, content_type: &'static str, text: String) -> Self {
        Self::with(status, content_type, Body::text(text))
    }

    /// Plain text.
    #[must_use]
    pub fn text(status: StatusCode, text: impl Into<String>) -> Self {
        Self::new(status, TEXT, text.into())
    }

    /// A text that is made in chunks while it is sent.
    #[must_use]
    pub fn chunks(
        content_type: &'static str,
        chunks: impl Iterator<Item = String> + Send + 'static,
    ) -> Self {
        Self::with(StatusCode::OK, content_type, Body::chunks(Box::new(chunks)))
    }

    /// The same answer with one more header field.
    #[must_use]
    pub fn header(mut self, name: header::HeaderName, value: &'static str) -> Self {
        self.0.headers_mut().insert(name, HeaderValue::from_static(value));
        self
    }

    fn with(status: StatusCode, content_type: &'static str, body: Body) -> Self {
        let mut response = http::Response::new(body);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        // What is true now may not be true in a moment; and no browser should guess another type.
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        let nosniff = HeaderValue::from_static("nosniff");
        headers.insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
        Self(response)
    }

    pub(crate) fn into_http(self) -> http::Response<Body> {
        self.0
    }
}

/// Status and header fields.
impl std::fmt::Debug for Response {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (status, headers) = (self.0.status(), self.0.headers());
        f.debug_struct("Response").field("status", &status).field("headers", headers).finish()
    }
}
