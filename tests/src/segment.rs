//! TCP segments and ICMP errors as IP packets.

use std::net::{IpAddr, SocketAddr};

use etherparse::{
    IpHeaders, NetHeaders, PacketBuilder, PacketBuilderStep, PacketHeaders, TcpHeader,
    TransportHeader,
};

const HOPS: u8 = 64;
/// What a Linux server offers.
const WINDOW: u16 = 65_160;

/// A TCP segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its sender.
    pub from: SocketAddr,
    /// Its receiver.
    pub to: SocketAddr,
    /// Flags, numbers and options.
    pub header: TcpHeader,
    /// Its data.
    pub data: Vec<u8>,
}

impl Segment {
    /// Reads an IP packet. `None` if it is something else.
    #[must_use]
    pub fn parse(packet: &[u8]) -> Option<Self> {
        let headers = PacketHeaders::from_ip_slice(packet).ok()?;
        let (from, to): (IpAddr, IpAddr) = match headers.net? {
            NetHeaders::Ipv4(ip, _) => (ip.source.into(), ip.destination.into()),
            NetHeaders::Ipv6(ip, _) => (ip.source.into(), ip.destination.into()),
            NetHeaders::Arp(_) => return None,
        };
        let Some(TransportHeader::Tcp(header)) = headers.transport else { return None };
        Some(Self {
            from: (from, header.source_port).into(),
            to: (to, header.destination_port).into(),
            data: headers.payload.slice().to_vec(),
            header,
        })
    }

    /// Whether it is a SYN without ACK.
    #[must_use]
    pub const fn is_syn(&self) -> bool {
        self.header.syn && !self.header.ack
    }

    /// Whether it is a SYN with ACK.
    #[must_use]
    pub const fn is_synack(&self) -> bool {
        self.header.syn && self.header.ack
    }

    /// Whether it acknowledges something and does nothing else.
    #[must_use]
    pub const fn is_bare_ack(&self) -> bool {
        let TcpHeader { syn, fin, rst, ack, .. } = self.header;
        ack && !syn && !fin && !rst && self.data.is_empty()
    }

    /// A segment without flags in the other direction.
    #[must_use]
    pub fn answer(&self, seq: u32) -> Self {
        let (from, to) = (self.to, self.from);
        let header = TcpHeader::new(from.port(), to.port(), seq, WINDOW);
        Self { from, to, header, data: Vec::new() }
    }

    /// The same with SYN.
    #[must_use]
    pub fn syn(mut self) -> Self {
        self.header.syn = true;
        self
    }

    /// The same with an acknowledgement of all up to `number`.
    #[must_use]
    pub fn ack(mut self, number: u32) -> Self {
        self.header.ack = true;
        self.header.acknowledgment_number = number;
        self
    }

    /// The same with FIN.
    #[must_use]
    pub fn fin(mut self) -> Self {
        self.header.fin = true;
        self
    }

    /// The same with RST.
    #[must_use]
    pub fn rst(mut self) -> Self {
        self.header.rst = true;
        self
    }

    /// The same with data.
    #[must_use]
    pub fn data(mut self, data: &[u8]) -> Self {
        self.header.psh = true;
        self.data = data.to_vec();
        self
    }

    /// The SYN-ACK that a server sends in answer to this SYN.
    #[must_use]
    pub fn synack(&self, seq: u32) -> Self {
        self.answer(seq).syn().ack(self.header.sequence_number.wrapping_add(1))
    }

    /// As an IP packet, with all checksums.
    ///
    /// # Panics
    /// It is too long, or its two addresses are of different families.
    #[must_use]
    pub fn packet(&self) -> Vec<u8> {
        let mut packet = Vec::new();
        let ip = ip(self.from.ip(), self.to.ip()).tcp_header(self.header.clone());
        ip.write_to_vec(&mut packet, &self.data).unwrap();
        packet
    }

    /// An ICMP or ICMPv6 error by `from` about this segment. `kind` and `code` are those of its protocol.
    ///
    /// # Panics
    /// `from` is of the other family.
    #[must_use]
    pub fn icmp_error(&self, from: IpAddr, kind: u8, code: u8) -> Vec<u8> {
        let about = self.packet();
        let mut packet = Vec::new();
        let ip = ip(from, self.from.ip());
        match from {
            IpAddr::V4(_) => ip.icmpv4_raw(kind, code, [0; 4]).write_to_vec(&mut packet, &about),
            IpAddr::V6(_) => ip.icmpv6_raw(kind, code, [0; 4]).write_to_vec(&mut packet, &about),
        }
        .unwrap();
        packet
    }
}

fn ip(from: IpAddr, to: IpAddr) -> PacketBuilderStep<IpHeaders> {
    match (from, to) {
        (IpAddr::V4(from), IpAddr::V4(to)) => PacketBuilder::ipv4(from.octets(), to.octets(), HOPS),
        (IpAddr::V6(from), IpAddr::V6(to)) => PacketBuilder::ipv6(from.octets(), to.octets(), HOPS),
        _ => panic!("{from} and {to} are of different families"),
    }
}
