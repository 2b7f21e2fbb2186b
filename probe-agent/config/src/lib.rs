//! The configuration of probe-agent: one schema, read from YAML and TOML, validated with the place of each
//! error, and turned into a plan of probes.
//!
//! Pure: no I/O, no clock, no unsafe code. Only [`files`] reads files.
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

pub mod capacity;
pub mod decode;
pub mod discovery;
pub mod echo;
pub mod example;
pub mod files;
pub mod health;
pub mod load;
pub mod nearest;
pub mod origin;
pub mod overrides;
pub mod plan;
pub mod position;
pub mod problem;
pub mod reference;
pub mod schema;
mod settings;
pub mod show;
mod target_names;
pub mod target_spec;
pub mod tree;
pub mod values;
