//! Verdicts match the faults that were injected: each scenario of the demo, and agents that share
//! addresses. Also the demo itself, and that it leaves nothing behind.

mod demo;
mod random;
mod rst_accounting;
mod state_hook;
mod twins;
mod verdicts;
