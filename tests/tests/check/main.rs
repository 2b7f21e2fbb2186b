//! `probe-agent check` from the outside: the real program, real servers, real faults.

mod expect;
mod foreign;
mod forgetful;
mod freebind;
mod interrupted;
mod local_errors;
mod memory;
mod moved;
mod nft;
mod nginx;
mod otlp;
mod otlp_lost;
mod outage;
mod output;
mod pipes;
mod privilege;
mod resolver;
mod running;
mod schedule;
mod source;
mod source_gone;
mod stalled;
mod support;
mod terminal;
mod tracefs;
mod usage;
