//! Stopping a checker while it is in use. The tests need no privileges.

use std::{
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{Arc, OnceLock, mpsc},
    thread,
    time::Duration,
};

use probe_agent_checker::{Builder, CheckError, Checker};
use socket2::{Domain, Socket, Type};

const PATIENCE: Duration = Duration::from_secs(20);

fn builder() -> Builder {
    Checker::builder().slots(4).kernel(false)
}

/// A listener whose accept queue is full: it drops every further SYN.
fn silent() -> (Socket, TcpStream, SocketAddr) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap().as_socket().unwrap();
    let accepted = TcpStream::connect(address).unwrap();
    (listener, accepted, address)
}

#[test]
fn checks_in_flight_and_later_ones_end() {
    let (_listener, _accepted, address) = silent();
    let checker = builder().build().unwrap();
    let pending = {
        let checker = checker.clone();
        thread::spawn(move || checker.check_blocking(address, Duration::MAX))
    };
    while checker.stats().in_flight == 0 {
        thread::yield_now();
    }
    checker.shutdown().unwrap();
    assert_eq!(pending.join().unwrap(), Err(CheckError::Stopped));
    assert_eq!(checker.check_blocking(address, PATIENCE), Err(CheckError::Stopped));
    checker.clone().shutdown().unwrap();
}

/// The hook receives the unsettled probe while another thread waits for the worker.
#[test]
fn the_hook_may_stop_a_checker_that_is_being_stopped() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let own: Arc<OnceLock<Checker>> = Arc::default();
    let in_hook = Arc::clone(&own);
    let checker = builder().settle(Duration::from_secs(3_600)).on_settled(move |_| {
        in_hook.wait().shutdown().unwrap();
    });
    let checker = own.get_or_init(|| checker.build().unwrap()).clone();
    assert!(checker.check_blocking(backend.local_addr().unwrap(), PATIENCE).unwrap().is_alive());
    let (sender, stopped) = mpsc::channel();
    // A thread of its own: if the two wait for each other, the test fails and does not hang.
    thread::spawn(move || sender.send((checker.shutdown().is_ok(), checker.stats().hook_panics)));
    assert_eq!(stopped.recv_timeout(PATIENCE), Ok((true, 0)));
}

#[test]
fn the_hook_may_stop_its_own_checker() {
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let own: Arc<OnceLock<Checker>> = Arc::default();
    let (sender, stopped) = mpsc::channel();
    let in_hook = Arc::clone(&own);
    let checker = builder().settle(Duration::ZERO).on_settled(move |_| {
        let _ = sender.send(in_hook.wait().shutdown().is_ok());
    });
    let checker = own.get_or_init(|| checker.build().unwrap());
    assert!(checker.check_blocking(backend.local_addr().unwrap(), PATIENCE).unwrap().is_alive());
    assert_eq!(stopped.recv_timeout(PATIENCE), Ok(true));
    checker.shutdown().unwrap();
    assert_eq!(stopped.try_recv(), Err(mpsc::TryRecvError::Disconnected), "the worker has ended");
}
