//! The hooks.

mod inet_sock_set_state;
mod nullable;
mod sock_ops;
mod tcp_receive_reset;
mod tcp_retransmit_skb;
mod tcp_retransmit_synack;
mod tcp_send_reset;

/// `TCP_ESTABLISHED` (`include/net/tcp_states.h`).
pub(crate) const ESTABLISHED: i32 = 1;
/// `TCP_SYN_SENT`.
pub(crate) const SYN_SENT: i32 = 2;
/// `TCP_CLOSE`.
pub(crate) const CLOSE: i32 = 7;
