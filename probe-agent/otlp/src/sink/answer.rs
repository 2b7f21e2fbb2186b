//! The body of an answer, read up to a limit of bytes and time.
//!
//! The status decides what becomes of a batch. The body only adds to it: the number of rejected spans, or the
//! reason of a failure. So no body, however long, slow or broken, changes the decision or leads to a retry.

use std::{io::Read, time::Duration};

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, header::CONTENT_ENCODING};
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use tokio::time::timeout;

use super::{
    Answer,
    failure::{UNREAD, excerpt},
};
use crate::{redact::Secrets, stop::Stop};

/// The most bytes to read of an answer. The specification requires a limit and suggests this one.
pub(super) const LIMIT: usize = 4 * 1024 * 1024;

/// How long to read an answer after its head has come. It is short and nearly always there already.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was read of a body.
#[derive(Debug, Default)]
pub(super) struct Text {
    /// At most [`LIMIT`] bytes.
    pub(super) bytes: Vec<u8>,
    /// Whether that is all of it.
    pub(super) whole: bool,
    /// What follows the body, in which gRPC has its status.
    pub(super) trailers: Option<HeaderMap>,
}

/// Reads a body until its end, until the limit unless trailers are expected after it, or until the time is
/// over.
pub(super) async fn read(
    mut body: impl Body<Data = Bytes> + Unpin,
    expect_trailers: bool,
    stop: &mut Stop,
) -> Text {
    let mut text = Text::default();
    let mut cut = false;
    let reading = async {
        while !cut || expect_trailers {
            match body.frame().await.map(|frame| frame.map(Frame::into_data)) {
                Some(Ok(Ok(data))) => {
                    let room = LIMIT - text.bytes.len();
                    text.bytes.extend_from_slice(&data[..data.len().min(room)]);
                    cut |= data.len() > room;
                }
                Some(Ok(Err(frame))) => text.trailers = frame.into_trailers().ok(),
                Some(Err(_)) => return,
                None => {
                    text.whole = !cut;
                    return;
                }
            }
        }
    };
    let _ = stop.unless(timeout(PATIENCE, reading)).await;
    text
}

impl Text {
    /// The bytes without their `Content-Encoding`; `None` if they are not complete or not readable.
    pub(super) fn decoded(&self, headers: &HeaderMap) -> Option<Vec<u8>> {
        if !self.whole {
            return None;
        }
        match headers.get(CONTENT_ENCODING).map(|encoding| encoding.as_bytes()) {
            None | Some(b"identity") => Some(self.bytes.clone()),
            Some(b"gzip" | b"x-gzip") => unzip(&self.bytes),
            Some(_) => None,
        }
    }
}

/// Decompresses at most [`LIMIT`] bytes; `None` if there are more, or if they are not gzip.
pub(super) fn unzip(compressed: &[u8]) -> Option<Vec<u8>> {
    let mut plain = Vec::new();
    let limit = LIMIT as u64 + 1;
    GzDecoder::new(compressed).take(limit).read_to_end(&mut plain).ok()?;
    (plain.len() <= LIMIT).then_some(plain)
}

/// The answer of a receiver that accepted the batch: a success may be a partial one. `None` if it could not be
/// read.
pub(super) fn accepted(response: Option<ExportTraceServiceResponse>, secrets: &Secrets) -> Answer {
    let Some(response) = response else {
        return Answer::Accepted { rejected: 0, message: UNREAD.to_owned() };
    };
    let partial = response.partial_success.unwrap_or_default();
    Answer::Accepted {
        rejected: u64::try_from(partial.rejected_spans).unwrap_or_default(),
        message: excerpt(&partial.error_message, secrets),
    }
}

#[cfg(test)]
mod tests;
