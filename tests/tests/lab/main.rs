//! Tests of the network lab itself.

mod faults;
mod killed;
mod network;
mod servers;
mod support;
