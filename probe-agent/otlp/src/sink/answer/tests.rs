use std::{
    collections::VecDeque,
    io::Write,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use http::{HeaderMap, HeaderValue, header::CONTENT_ENCODING};
use http_body::{Body, Frame};
use tokio::{sync::watch, time::Instant};

use super::{LIMIT, PATIENCE, Stop, Text, read};

/// A body of frames, and what comes after them.
struct Frames {
    frames: VecDeque<Frame<Bytes>>,
    end: End,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Complete,
    Breaks,
    Stalls,
}

impl Body for Frames {
    type Data = Bytes;
    type Error = &'static str;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, &'static str>>> {
        match (self.frames.pop_front(), self.end) {
            (Some(frame), _) => Poll::Ready(Some(Ok(frame))),
            (None, End::Complete) => Poll::Ready(None),
            (None, End::Breaks) => Poll::Ready(Some(Err("connection reset"))),
            (None, End::Stalls) => Poll::Pending,
        }
    }
}

fn data(length: usize) -> Frame<Bytes> {
    Frame::data(vec![b'x'; length].into())
}

async fn reading(frames: Vec<Frame<Bytes>>, end: End, expect_trailers: bool) -> Text {
    let (_run, stop) = watch::channel(None);
    read(Frames { frames: frames.into(), end }, expect_trailers, &mut Stop::new(stop)).await
}

#[tokio::test(start_paused = true)]
async fn a_body_is_whole_only_if_it_ended() {
    for (end, whole) in [(End::Complete, true), (End::Breaks, false), (End::Stalls, false)] {
        let begin = Instant::now();
        let text = reading(vec![data(3), data(4)], end, false).await;
        assert_eq!((text.bytes.len(), text.whole), (7, whole), "{end:?}");
        assert_eq!(begin.elapsed(), if end == End::Stalls { PATIENCE } else { Duration::ZERO });
    }
}

#[tokio::test(start_paused = true)]
async fn no_more_than_the_limit_is_kept_and_trailers_after_it_are_still_read() {
    let trailers = || HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static("x"))]);
    let long = || vec![data(LIMIT), data(LIMIT), Frame::trailers(trailers())];
    let text = reading(long(), End::Complete, true).await;
    assert_eq!((text.bytes.len(), text.whole, text.trailers), (LIMIT, false, Some(trailers())));
    // Without trailers to wait for, it is not read to its end.
    let text = reading(long(), End::Stalls, false).await;
    assert_eq!((text.bytes.len(), text.whole, text.trailers), (LIMIT, false, None));
    let text = reading(vec![data(LIMIT)], End::Complete, false).await;
    assert_eq!((text.bytes.len(), text.whole), (LIMIT, true));
}

#[test]
fn a_compressed_answer_is_decompressed_up_to_the_limit() {
    let zipped = |length: usize| {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        gzip.write_all(&vec![b'x'; length]).unwrap();
        gzip.finish().unwrap()
    };
    let decoded = |encoding: &'static str, bytes: Vec<u8>| {
        let headers =
            HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(encoding))]);
        let text = Text { bytes, whole: true, trailers: None };
        text.decoded(&headers).map(|bytes| bytes.len())
    };
    assert_eq!(decoded("gzip", zipped(10)), Some(10));
    assert_eq!(decoded("gzip", zipped(LIMIT)), Some(LIMIT));
    assert_eq!(decoded("gzip", zipped(LIMIT + 1)), None, "a small answer may become a large one");
    assert_eq!(decoded("gzip", vec![1, 2, 3]), None);
    assert_eq!(decoded("br", zipped(10)), None);
    assert_eq!(decoded("identity", vec![1, 2, 3]), Some(3));
}
