//! What is said of a probe is what was done to it: each scenario of the demo, and agents that share
//! addresses. The demo itself, too, and what is left of it.

mod audit;
mod demo;
mod own_states;
mod played;
mod twins;
