//! The HTTP half: protobuf, plain or compressed.

use std::{convert::Infallible, io::Read, sync::Arc};

use flate2::read::GzDecoder;
use http::{Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use prost::Message;
use tonic::body::Body;

use super::{Reply, Shared, response};

pub(super) async fn answer(
    request: Request<Incoming>,
    shared: Arc<Shared>,
) -> Result<Response<Body>, Infallible> {
    let (head, body) = request.into_parts();
    let Ok(body) = body.collect().await else { return Ok(status(StatusCode::BAD_REQUEST)) };
    let mut bytes = body.to_bytes().to_vec();
    if head.headers.get("content-encoding").is_some_and(|e| e == "gzip") {
        let mut plain = Vec::new();
        if GzDecoder::new(&*bytes).read_to_end(&mut plain).is_err() {
            return Ok(status(StatusCode::BAD_REQUEST));
        }
        bytes = plain;
    }
    let Ok(request) = Message::decode(&*bytes) else { return Ok(status(StatusCode::BAD_REQUEST)) };
    Ok(match shared.take(request, head.headers, head.uri.path()).await {
        Reply::Busy => status(StatusCode::SERVICE_UNAVAILABLE),
        Reply::Refuse => status(StatusCode::BAD_REQUEST),
        reply => {
            let body = Body::new(Full::from(response(&reply).encode_to_vec()));
            let mut answer = Response::new(body);
            let protobuf = http::HeaderValue::from_static("application/x-protobuf");
            answer.headers_mut().insert("content-type", protobuf);
            answer
        }
    })
}

fn status(code: StatusCode) -> Response<Body> {
    let mut answer = Response::new(Body::empty());
    *answer.status_mut() = code;
    answer
}
