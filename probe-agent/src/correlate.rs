//! Joins probes and kernel events into timelines. Pure: no I/O, no clock reads.

pub mod timeline;
