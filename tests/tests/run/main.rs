//! `probe-agent run`: the program as a service, with real listeners, reloads and signals.

mod running;
mod service;
