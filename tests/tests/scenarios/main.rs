//! What is said of a probe is what was done to it: each scenario of the demo, and agents that share
//! addresses. The demo itself, too, and what is left of it.

mod demo;
mod played;
mod rst_accounting;
mod state_hook;
mod twins;
