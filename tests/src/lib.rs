//! Helpers of the tests.

mod privilege;

pub use privilege::is_privileged;
pub mod otlp;
pub mod receiver;
pub mod rotel;
pub mod sample;
