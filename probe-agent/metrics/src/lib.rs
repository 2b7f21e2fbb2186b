//! Counts settled probes, and writes the counts in the formats that Prometheus reads.
//!
//! A worker has a [`Recorder`] and passes each settled probe to it. A scraper gets a [`Scrape`]: chunks of text,
//! made one after the other, so that 10,000 targets need no more memory than one chunk.
//!
//! The crate writes the formats itself. The crate `prometheus-client` takes a lock for each observation of a
//! histogram and for each exemplar, and looks labels up in a locked map; with counters of our own, as here, only
//! its encoder would be left. That writes a whole exposition at once: some 40 MB for 10,000 targets, more than
//! the agent may use, and it escapes the labels of a target once for each of its lines.
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

mod counts;
mod exemplar;
mod family;
mod format;
mod health;
mod labels;
mod metrics;
mod page;
mod recorder;
mod sample;
mod scrape;
mod shared;
pub mod single;
mod targets;

pub use self::{
    exemplar::Trace,
    family::{Family, Kind},
    format::Format,
    health::Health,
    labels::{LabelError, TargetLabels},
    metrics::Metrics,
    recorder::Recorder,
    sample::{Configuration, Exporter, Ports, Sample, Worker},
    scrape::{Scrape, families},
    shared::Options,
};
