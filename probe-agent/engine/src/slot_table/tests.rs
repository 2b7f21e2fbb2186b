use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use model::record::{Closing, ProbeId};

use super::SlotTable;
use crate::{fixtures, settings::Settings};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const TARGET: SocketAddr = SocketAddr::new(HERE, 80);

fn table() -> SlotTable {
    SlotTable::new(&Settings { slots: 1, ..fixtures::settings() }, 1, None)
}

#[test]
fn a_spent_socket_keeps_its_port_until_it_is_replaced() {
    let mut table = table();
    let slot = table.grow(HERE, TARGET).unwrap();
    let local = table.entries[slot as usize].local;
    let cookie = |table: &SlotTable| table.socket(slot).unwrap().cookie();
    let first = cookie(&table);
    table.entries[slot as usize].is_spent = true;
    table.give_back(slot);
    assert!(TcpListener::bind(local).is_err(), "no other socket gets its port meanwhile");
    assert_eq!(table.take(HERE, 0), Some(slot));
    table.refresh(slot).unwrap();
    let second = cookie(&table);
    assert_ne!(second, first);
    let entry = &table.entries[slot as usize];
    assert_eq!((entry.local, entry.is_spent), (local, false));
    // One that was answered is used again as it is.
    table.refresh(slot).unwrap();
    assert_eq!(cookie(&table), second);
}

/// Ends a probe of the only slot towards a target, as its next generation.
fn end(table: &mut SlotTable, remote: SocketAddr, closing: Closing) -> ProbeId {
    table.take(HERE, 0);
    table.entries[0].generation += 1;
    table.on_probe_end(0, remote, closing);
    ProbeId { slot: 0, generation: table.entries[0].generation }
}

#[test]
fn a_4_tuple_rests_until_its_last_probe_is_settled() {
    let mut table = table();
    let slot = table.choose(HERE, TARGET, None).unwrap().slot;
    table.give_back(slot);
    let first = end(&mut table, TARGET, Closing::Reset);
    let chosen = table.choose(HERE, TARGET, None).unwrap();
    assert!(chosen.early_reuse);
    table.give_back(slot);
    let other = SocketAddr::new(HERE, 81);
    assert!(!table.choose(HERE, other, None).unwrap().early_reuse, "another target");
    table.give_back(slot);
    table.on_settled(first);
    assert!(!table.choose(HERE, TARGET, None).unwrap().early_reuse);
}

#[test]
fn a_settled_probe_takes_those_before_it_along_unless_the_kernel_closed_it() {
    for (closing, rest) in [(Closing::Reset, None), (Closing::ByKernel, Some(Closing::Silent))] {
        let mut table = table();
        let slot = table.choose(HERE, TARGET, None).unwrap().slot;
        table.give_back(slot);
        end(&mut table, TARGET, Closing::Silent);
        let second = end(&mut table, TARGET, closing);
        table.on_settled(second);
        assert_eq!(table.entries[0].last_towards(TARGET), rest);
    }
}
