//! Lost events make unknown what they may concern, and nothing else.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4},
};

use lab::{Family, Fault, Lab, Namespace, Segment};
use probe_agent_common::{EventRecord, RING_BYTES};
use probe_agent_tests::privileged;
use serde_json::Value;
use socket2::{Domain, Protocol, Socket, Type};

use crate::{
    running::Running,
    stalled::Held,
    support::{Done, check_in, run},
};

/// SYN-ACKs from a port of a server where nothing listens. Where no socket waits for it, each is answered
/// with a RST, which is an event.
struct SynAcks {
    socket: Socket,
    from: SocketAddrV4,
}

impl SynAcks {
    fn from(namespace: &Namespace, from: SocketAddrV4) -> Self {
        let raw = || Socket::new(Domain::IPV4, Type::RAW, Some(Protocol::TCP));
        Self { socket: namespace.run(raw).unwrap().unwrap(), from }
    }

    fn send(&self, to: SocketAddrV4) -> io::Result<()> {
        let segment = syn_ack(self.from, to);
        self.socket.send_to(&segment, &SocketAddr::from((*to.ip(), 0)).into()).map(drop)
    }
}

/// A TCP header with SYN and ACK (RFC 9293, section 3.1).
fn syn_ack(from: SocketAddrV4, to: SocketAddrV4) -> [u8; 20] {
    let mut header = [0; 20];
    header[..2].copy_from_slice(&from.port().to_be_bytes());
    header[2..4].copy_from_slice(&to.port().to_be_bytes());
    header[12] = 5 << 4;
    header[13] = 0x12;
    header[14..16].copy_from_slice(&u16::MAX.to_be_bytes());
    let pseudo = [from.ip().octets(), to.ip().octets(), [0, 6, 0, 20]];
    let words = pseudo.as_flattened().chunks(2).chain(header.chunks(2));
    let sum: u32 = words.map(|word| u32::from(u16::from_be_bytes([word[0], word[1]]))).sum();
    let sum = (sum & 0xffff) + (sum >> 16);
    let sum = !((sum & 0xffff) + (sum >> 16)) as u16;
    header[16..18].copy_from_slice(&sum.to_be_bytes());
    header
}

fn v4(address: SocketAddr) -> Ipv4Addr {
    match address {
        SocketAddr::V4(address) => *address.ip(),
        SocketAddr::V6(_) => panic!("{address}"),
    }
}

fn rsts(namespace: &Namespace) -> i64 {
    namespace.counters().unwrap().get("TcpOutRsts").unwrap()
}

/// The probes of a run by their source port: each one's verdict and proof.
fn by_port(done: &Done) -> Vec<(u16, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let of = |probe: &Value| {
        let local: SocketAddr = text(&probe["local"]).parse().unwrap();
        (local.port(), format!("{} {}", text(&probe["verdicts"][0]), text(&probe["proof"])))
    };
    let mut all: Vec<_> = done.probes().iter().map(of).collect();
    all.sort();
    all
}

/// More than the ring holds come from one port while nobody reads it. Then one comes from another.
#[test]
fn a_full_ring_concerns_the_ports_whose_events_it_had_no_room_for() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = [(); 3].map(|()| lab.listen(Family::V4).unwrap());
    let [a, b, c] = listeners.each_ref().map(|listener| listener.address());
    let flags = format!(
        "{a} {b} {c} --workers 3 --source-port 40000-40002 --settle 5s --require-kernel --output jsonl"
    );
    let before = rsts(lab.client());
    let running = Running::start(&mut check_in(lab.client(), &flags));
    let reset = |n: i64| {
        while rsts(lab.client()) < before + n {
            std::thread::yield_now();
        }
    };
    reset(3);
    let held = Held::thread(running.id(), "trace-reader");
    let SocketAddr::V4(client) = SocketAddr::new(lab.client_address(Family::V4), 40_000) else {
        panic!("{a}")
    };
    // Nothing listens at the server's port 9: the client's answers end there.
    let syn_acks = SynAcks::from(lab.server(), SocketAddrV4::new(v4(a), 9));
    // A record of the ring has a header of 8 bytes.
    let room = i64::from(RING_BYTES) / (size_of::<EventRecord>() as i64 + 8);
    while rsts(lab.client()) < before + 3 + room {
        (0..1_000).for_each(|_| syn_acks.send(client).unwrap());
    }
    let all = rsts(lab.client()) - before;
    syn_acks.send(SocketAddrV4::new(*client.ip(), 40_001)).unwrap();
    reset(all + 1);
    drop(held);
    let done = running.finish();
    let proofs = by_port(&done);
    let expected =
        [(40_000, "clean unknown"), (40_001, "clean unknown"), (40_002, "clean confirmed")];
    assert_eq!(proofs, expected.map(|(port, proof)| (port, proof.to_owned())), "{done:?}");
    assert!(done.summary()["events_lost"].as_u64().unwrap() >= 2, "{done:?}");
}

/// Of two slots one is idle, and has to change its address for the third target.
#[test]
fn a_slot_that_changes_its_address_concerns_its_own_probes() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = [Family::V4, Family::V4, Family::V6].map(|family| lab.listen(family).unwrap());
    let [silent, moved, after] = listeners.each_ref().map(|listener| listener.address());
    let _silence = lab.inject(&Fault::lost(Segment::Syn).on_port(silent.port())).unwrap();
    let flags = format!(
        "{silent} {moved} {after} --slots 2 --source-port 40000-40001 --interval 0 --timeout 700ms \
         --settle 1500ms --require-kernel --output jsonl"
    );
    let done = run(&mut check_in(lab.client(), &flags));
    let probes = done.probes();
    let of = |target: SocketAddr, what: &str| {
        let probe = probes.iter().find(|probe| probe["address"] == target.to_string()).unwrap();
        probe[what].as_str().unwrap().to_owned()
    };
    let port = |target| of(target, "local").parse::<SocketAddr>().unwrap().port();
    assert_eq!(port(moved), port(after), "{done:?}");
    assert_ne!(port(silent), port(moved), "{done:?}");
    let proof = [silent, moved, after].map(|target| of(target, "proof"));
    assert_eq!(proof, ["confirmed", "unknown", "confirmed"], "{done:?}");
    assert!(done.summary()["events_lost"].as_u64().unwrap() >= 1, "{done:?}");
}
