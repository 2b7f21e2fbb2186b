//! Helpers of the tests.

mod privilege;

pub use privilege::is_privileged;
