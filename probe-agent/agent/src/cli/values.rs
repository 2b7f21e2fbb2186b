//! Values of flags that parse themselves. Each error says what to write instead.

mod jitter;

pub(crate) use self::jitter::JitterArg;
