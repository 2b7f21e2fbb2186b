//! Short texts of a JSON object, in place: no memory is allocated for them.

use std::{
    fmt::{Display, Write},
    net::SocketAddr,
};

use arrayvec::ArrayString;
use kernel::clock::Clock;
use serde::{Serialize, Serializer};

use crate::timestamp;

/// The longest text is an IPv6 address with its zone and port:
/// `[2001:db8:1111:2222:3333:4444:5555:6666%4294967295]:65535`.
const LONGEST: usize = 60;

/// A short text.
#[derive(Clone, Debug)]
pub(super) struct Text(ArrayString<LONGEST>);

impl Text {
    /// The text of a value. What does not fit is left out; nothing that is shown here is that long.
    pub(super) fn new(value: impl Display) -> Self {
        let mut text = ArrayString::new();
        let _ = write!(text, "{value}");
        Self(text)
    }

    /// A socket address.
    pub(super) fn socket(address: SocketAddr) -> Self {
        let mut text = ArrayString::new();
        let _ = match address {
            // Four times as fast as its own formatting.
            SocketAddr::V4(address) => {
                let [a, b, c, d] = address.ip().octets();
                write!(text, "{a}.{b}.{c}.{d}:{}", address.port())
            }
            SocketAddr::V6(address) => write!(text, "{address}"),
        };
        Self(text)
    }

    /// A kernel time in RFC 3339.
    pub(super) fn time(clock: Clock, monotonic_ns: u64) -> Self {
        let mut text = ArrayString::new();
        let _ = timestamp::write_rfc3339(&mut text, clock, monotonic_ns);
        Self(text)
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}
