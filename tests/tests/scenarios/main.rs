//! Verdicts match the faults that were injected: each scenario of the demo, and agents that share
//! addresses. Also the demo itself, and that it leaves nothing behind.

mod audit;
mod demo;
mod own_states;
mod twins;
mod verdicts;
