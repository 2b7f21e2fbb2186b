//! The network lab does what it says.

mod faults;
mod killed;
mod network;
mod servers;
mod support;
