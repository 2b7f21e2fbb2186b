//! Joins probes and kernel events into timelines. Pure: no I/O, no clock reads.

mod orphans;
pub mod settle;
pub mod synack;
pub mod timeline;
