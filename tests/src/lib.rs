//! Helpers of the tests.

pub mod otlp;
pub mod receiver;
pub mod rotel;
pub mod sample;
