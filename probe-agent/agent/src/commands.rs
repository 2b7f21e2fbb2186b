//! The commands, one module each.

pub(crate) mod check;
pub(crate) mod config;
pub(crate) mod demo;
mod exporter;
mod memory;
pub(crate) mod run;
