//! The body of an answer: a text, or chunks that are made while they are sent.

use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// Makes the chunks of a body.
pub(crate) type Chunks = Box<dyn Iterator<Item = String> + Send>;

enum Content {
    Text(Bytes),
    Chunks(Chunks),
}

/// A body, and what is held until it has been sent.
pub(crate) struct Body {
    content: Content,
    _held: Vec<Box<dyn Send>>,
}

impl Body {
    pub(crate) fn text(text: String) -> Self {
        Self { content: Content::Text(text.into()), _held: Vec::new() }
    }

    pub(crate) fn chunks(chunks: Chunks) -> Self {
        Self { content: Content::Chunks(chunks), _held: Vec::new() }
    }

    /// Drops something only when the body has been sent, or given up.
    pub(crate) fn holding(mut self, held: impl Send + 'static) -> Self {
        self._held.push(Box::new(held));
        self
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = match &mut self.content {
            Content::Text(text) => Some(std::mem::take(text)).filter(|text| !text.is_empty()),
            Content::Chunks(chunks) => chunks.next().map(Bytes::from),
        };
        Poll::Ready(next.map(|chunk| Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        matches!(&self.content, Content::Text(text) if text.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match &self.content {
            Content::Text(text) => SizeHint::with_exact(text.len() as u64),
            Content::Chunks(_) => SizeHint::new(),
        }
    }
}
