//! Values of flags that parse themselves. Each error says what to write instead.

mod jitter;
mod mark;
mod ports;

pub(crate) use self::{jitter::JitterArg, mark::Mark, ports::PortRange};
