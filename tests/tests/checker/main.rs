//! The checker as a host program uses it: the public API, real listeners, real faults.

mod answers;
mod dropped;
mod lifetime;
mod many;
mod privilege;
mod queue;
mod settled;
mod slots;
mod support;
mod timeouts;
