//! The hooks: one program per file, named after what it is attached to.

mod ack_guard;
mod inet_sock_set_state;
mod kfree_skb;
mod sock_ops;
mod tcp_receive_reset;
mod tcp_retransmit_skb;
mod tcp_retransmit_synack;
mod tcp_send_active_reset;
mod tcp_send_reset;
mod tcp_v4_send_reset;
mod tcp_v6_send_reset;
