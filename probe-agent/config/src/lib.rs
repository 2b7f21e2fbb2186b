//! The configuration of probe-agent: one schema, read from YAML and TOML, validated with the place of each
//! error, and turned into a plan of probes.
//!
//! Pure: no I/O, no clock, no unsafe code.
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

pub mod echo;
pub mod target_spec;
pub mod values;
