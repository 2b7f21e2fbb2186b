//! The header of a TCP segment, as far as the hooks read it.

use std::fmt;

/// The flags of a TCP header, from FIN to CWR (RFC 9293, section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TcpFlags(pub u8);

/// The names of the flags, in the order of their bits, the lowest first.
const NAMES: [&str; 8] = ["FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR"];

impl TcpFlags {
    const SYN: u8 = 0x02;
    const RST: u8 = 0x04;
    const ACK: u8 = 0x10;

    /// ACK: the acknowledgment number means something.
    #[must_use]
    pub const fn is_ack(self) -> bool {
        self.0 & Self::ACK != 0
    }

    /// SYN without ACK.
    #[must_use]
    pub const fn is_syn(self) -> bool {
        self.0 & (Self::SYN | Self::ACK) == Self::SYN
    }

    /// SYN and ACK.
    #[must_use]
    pub const fn is_synack(self) -> bool {
        self.0 & (Self::SYN | Self::ACK) == Self::SYN | Self::ACK
    }

    /// ACK, with or without others.
    #[must_use]
    pub const fn has_ack(self) -> bool {
        self.0 & Self::ACK != 0
    }

    /// RST, with or without ACK.
    #[must_use]
    pub const fn is_rst(self) -> bool {
        self.0 & Self::RST != 0
    }
}

/// As `SYN-ACK` or `PSH-ACK`.
impl fmt::Display for TcpFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        for (bit, name) in NAMES.iter().enumerate() {
            if self.0 & 1 << bit != 0 {
                write!(f, "{separator}{name}")?;
                separator = "-";
            }
        }
        if separator.is_empty() { f.write_str("segment without flags") } else { Ok(()) }
    }
}

/// A segment that an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Segment {
    /// Its flags.
    pub flags: TcpFlags,
    /// Its sequence number.
    pub seq: u32,
    /// Its acknowledgment number; means something only with the ACK flag.
    pub ack: u32,
}

impl Segment {
    /// What a record says; `None` if the hook could not read the header. Every TCP segment has a flag.
    #[must_use]
    pub const fn from_record(flags: u8, seq: u32, ack: u32) -> Option<Self> {
        if flags == 0 { None } else { Some(Self { flags: TcpFlags(flags), seq, ack }) }
    }
}

#[cfg(test)]
mod tests {
    use super::TcpFlags;

    #[test]
    fn flags_are_named_in_the_usual_order() {
        for (bits, text) in
            [(0x02, "SYN"), (0x12, "SYN-ACK"), (0x14, "RST-ACK"), (0x10, "ACK"), (0x18, "PSH-ACK")]
        {
            assert_eq!(TcpFlags(bits).to_string(), text);
        }
        assert_eq!(TcpFlags(0).to_string(), "segment without flags");
    }

    #[test]
    fn a_syn_with_ecn_is_still_a_syn() {
        assert!(TcpFlags(0xc2).is_syn() && !TcpFlags(0xc2).is_synack());
        assert!(TcpFlags(0x52).is_synack() && !TcpFlags(0x52).is_syn());
        assert!(TcpFlags(0x14).is_rst() && !TcpFlags(0x14).is_syn());
    }
}
