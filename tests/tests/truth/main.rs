//! What the agent claims in situations that public bug reports describe. Each test has two sides: what must and
//! must not be claimed, and what really took place, by counters of nftables, counters of the server's
//! kernel or the peer's own record.

mod accept_queue;
mod clues;
mod conntrack;
mod dropped_here;
mod established;
mod icmp;
mod md5;
mod old_connection;
mod one_port;
mod redirected;
mod rejected_here;
mod report;
mod routed;
mod routes;
mod self_connect;
mod server_options;
mod simultaneous_open;
mod synproxy;
mod target_reset;
mod tentative;
mod time_wait;
mod translated;
mod two_backends;
mod unacceptable;
