//! A small HTTP/1 server: a table of routes, each a handler behind a trait.
//!
//! Every request is bounded, whatever a client sends: the size of its head, the time that it may take to send it,
//! the time that it may leave an answer unread, the number of connections, and the answers that are being made at
//! the same time. A request with a body is refused.
#![forbid(unsafe_code)]
// A library returns errors: it does not panic, print or exit.
#![cfg_attr(
    not(test),
    deny(
        clippy::exit,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::print_stderr,
        clippy::print_stdout,
        clippy::string_slice,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

mod body;
mod exposition;
mod health;
mod limits;
mod listen;
pub mod probe;
mod request;
mod response;
mod routes;
mod server;
mod tls;
mod token;

pub use self::{
    exposition::{MetricsSource, metrics_route},
    health::{HealthSource, Hooks, State, health_routes},
    limits::Limits,
    listen::{Access, ListenError, Listener},
    request::Request,
    response::Response,
    routes::{Handler, Route, Routes},
    server::{Server, Stopped},
    tls::{TlsError, TlsFiles},
    token::{Token, TokenError},
};
