//! What is said of a probe is what was done to it: each scenario of the demo, random loss counted by
//! nftables, and agents that share addresses. The demo itself, too, and what is left of it.

mod demo;
mod loss;
mod played;
mod run;
mod twins;
