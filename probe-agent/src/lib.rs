//! Half-open TCP probes, explained by the kernel.

pub mod lab;
