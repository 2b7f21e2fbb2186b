//! Helpers of the tests.

pub mod binary;
pub mod namespaces;
pub mod otlp;
mod privilege;
pub mod receiver;
pub mod rotel;
pub mod sample;

pub use privilege::is_privileged;
