//! TCP states (`include/net/tcp_states.h`).

pub(crate) const ESTABLISHED: i32 = 1;
pub(crate) const SYN_SENT: i32 = 2;
pub(crate) const CLOSE: i32 = 7;
