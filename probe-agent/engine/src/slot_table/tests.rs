use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use explain::{
    correlator::{Correlator, EndedProbe, PendingRef},
    timeline::Coverage,
};
use model::{
    fixtures::probe_record,
    flow::{self, FlowKey},
    outcome::Outcome,
    record::{Closing, ProbeId},
};

use super::SlotTable;
use crate::{fixtures, settings::Settings};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const TARGET: SocketAddr = SocketAddr::new(HERE, 80);

fn table() -> SlotTable {
    SlotTable::new(&Settings { slots: 1, ..fixtures::settings() }, 1, None)
}

#[test]
fn a_socket_that_must_be_replaced_keeps_its_port_until_then() {
    let mut table = table();
    let slot = table.add_slot(HERE, TARGET).unwrap();
    let local = table.slots[slot as usize].local;
    let cookie = |table: &SlotTable| table.socket(slot).unwrap().cookie();
    let first = cookie(&table);
    table.slots[slot as usize].needs_fresh_socket = true;
    table.release(slot);
    assert!(TcpListener::bind(local).is_err(), "no other socket can have its port meanwhile");
    assert_eq!(table.take_free(HERE, 0), Some(slot));
    table.ensure_socket(slot).unwrap();
    let second = cookie(&table);
    assert_ne!(second, first);
    let entry = &table.slots[slot as usize];
    assert_eq!((entry.local, entry.needs_fresh_socket), (local, false));
    // A socket whose probe was answered is used again.
    table.ensure_socket(slot).unwrap();
    assert_eq!(cookie(&table), second);
}

/// Any reference to a waiting probe.
fn pending() -> PendingRef {
    let record = probe_record(Outcome::Alive, 0);
    let ended = EndedProbe { record, lost_before: 0, awaits_confirmation: false };
    Correlator::new(0, Coverage::None).on_probe_end(ended)
}

/// Ends a probe of the only slot towards a target, with the next generation.
fn end(table: &mut SlotTable, remote: SocketAddr, closing: Closing) -> ProbeId {
    table.take_free(HERE, 0);
    table.slots[0].generation += 1;
    let flow = flow_to(table, remote);
    table.on_probe_end(0, &flow, closing, pending());
    ProbeId { slot: 0, generation: table.slots[0].generation }
}

/// The flow of the only slot's probes towards a target.
fn flow_to(table: &SlotTable, remote: SocketAddr) -> FlowKey {
    flow::flow(table.slots[0].local, remote)
}

#[test]
fn a_4_tuple_is_not_reused_until_its_last_probe_is_settled() {
    let mut table = table();
    let slot = table.choose(HERE, TARGET, None, 0).unwrap().slot;
    table.release(slot);
    let first = end(&mut table, TARGET, Closing::Reset);
    let chosen = table.choose(HERE, TARGET, None, 0).unwrap();
    assert!(chosen.early_reuse);
    table.release(slot);
    let other = SocketAddr::new(HERE, 81);
    assert!(!table.choose(HERE, other, None, 0).unwrap().early_reuse, "another target");
    table.release(slot);
    let flow = flow_to(&table, TARGET);
    table.on_settled(first, &flow);
    assert!(!table.choose(HERE, TARGET, None, 0).unwrap().early_reuse);
}

#[test]
fn earlier_probes_matter_only_if_the_kernel_closed_the_settled_one() {
    for (closing, rest) in [(Closing::Reset, None), (Closing::ByKernel, Some(Closing::Silent))] {
        let mut table = table();
        let slot = table.choose(HERE, TARGET, None, 0).unwrap().slot;
        table.release(slot);
        end(&mut table, TARGET, Closing::Silent);
        let second = end(&mut table, TARGET, closing);
        let flow = flow_to(&table, TARGET);
        table.on_settled(second, &flow);
        assert_eq!(table.slots[0].unsettled.last_closing(TARGET.into()), rest);
    }
}

#[test]
fn a_confirmation_probe_uses_the_same_port_if_there_is_no_other() {
    let mut table = table();
    let slot = table.choose(HERE, TARGET, None, 0).unwrap().slot;
    table.release(slot);
    end(&mut table, TARGET, Closing::ByKernel);
    let flow = flow_to(&table, TARGET);
    assert_eq!(table.choose(HERE, TARGET, Some(&flow), 0).unwrap().slot, slot);
    // With another port, it gets that.
    let two = Settings { slots: 2, ..fixtures::settings() };
    let mut table = SlotTable::new(&two, 1, None);
    let slot = table.choose(HERE, TARGET, None, 0).unwrap().slot;
    table.release(slot);
    let flow = flow_to(&table, TARGET);
    assert_ne!(table.choose(HERE, TARGET, Some(&flow), 0).unwrap().slot, slot);
}

#[test]
fn a_slot_that_moves_to_another_address_does_not_meet_itself() {
    let v6 = IpAddr::V6(std::net::Ipv6Addr::LOCALHOST);
    let mut table = table();
    let slot = table.choose(HERE, TARGET, None, 0).unwrap().slot;
    table.release(slot);
    let own_port = SocketAddr::new(v6, table.slots[slot as usize].local.port());
    let refused = table.choose(v6, own_port, None, 0).map(|chosen| chosen.slot);
    assert_eq!(refused.unwrap_err().raw_os_error(), Some(libc::EADDRNOTAVAIL));
    let other = SocketAddr::new(v6, own_port.port() ^ 1);
    assert_eq!(table.choose(v6, other, None, 0).unwrap().slot, slot);
}
