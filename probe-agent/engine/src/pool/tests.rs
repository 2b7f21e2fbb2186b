use model::expect::Expect;
use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    time::Duration,
};

use super::Pool;
use crate::settings::{PortPolicy, Settings, SocketSettings};

fn pool() -> Pool {
    let settings = Settings {
        interval: Duration::ZERO,
        concurrency: 1,
        timeout: Duration::from_secs(1),
        settle: Duration::ZERO,
        slots: 1,
        first_slot: 0,
        port_policy: PortPolicy::Rotate,
        expect: Expect::Open,
        socket: SocketSettings::default(),
    };
    Pool::new(&settings, 1, None)
}

#[test]
fn a_spent_socket_keeps_its_port_until_it_is_replaced() {
    let here = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let mut pool = pool();
    let slot = pool.grow(here, SocketAddr::new(here, 80)).unwrap();
    let local = pool.entry(slot).local;
    let cookie = |pool: &mut Pool| pool.entry(slot).slot.as_ref().unwrap().cookie();
    let first = cookie(&mut pool);
    pool.entry(slot).spent = true;
    pool.give_back(slot);
    assert!(TcpListener::bind(local).is_err(), "nobody else gets its port meanwhile");
    assert_eq!(pool.take(here, 0), Some(slot));
    pool.refresh(slot).unwrap();
    let second = cookie(&mut pool);
    assert_ne!(second, first);
    assert_eq!((pool.entry(slot).local, pool.entry(slot).spent), (local, false));
    // One that was answered is used again as it is.
    pool.refresh(slot).unwrap();
    assert_eq!(cookie(&mut pool), second);
}
