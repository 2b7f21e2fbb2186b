//! Namespaces, addresses, parameters, processes.

use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::ExitStatusExt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lab::{End, Family, Lab, LabError, Listener, ListenerOptions};
use probe_agent_tests::privileged;

use crate::support::{SOON, connect};

#[test]
fn a_plain_connection_goes_through() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let listener = lab.listen(family).unwrap();
        let client = connect(&lab, listener.address()).unwrap();
        assert!(listener.wait_accepted(1, SOON));
        let peer = client.local_addr().unwrap().as_socket().unwrap();
        assert_eq!(listener.peers().unwrap(), [peer]);
        assert_eq!(peer.ip(), lab.client_address(family));
    }
}

#[test]
fn labs_do_not_collide() {
    privileged!();
    let labs = [Lab::new().unwrap(), Lab::new().unwrap(), Lab::new().unwrap()];
    let listeners = labs.each_ref().map(|lab| lab.listen(Family::V6).unwrap());
    for (lab, listener) in labs.iter().zip(&listeners) {
        connect(lab, listener.address()).unwrap();
        assert!(listener.wait_accepted(1, SOON));
        assert_eq!(listener.accepted().unwrap(), 1);
    }
    let mut addresses: Vec<_> = labs
        .iter()
        .flat_map(|lab| {
            let ends = Family::ALL.map(|f| [lab.client_address(f), lab.server_address(f)]);
            ends.into_iter().flatten().chain(Family::ALL.map(|f| lab.vip(f)))
        })
        .collect();
    let count = addresses.len();
    addresses.sort();
    addresses.dedup();
    assert_eq!(addresses.len(), count);
}

#[test]
fn the_vip_moves() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let vip = SocketAddr::new(lab.vip(family), 0);
        let nobodys = Listener::open(lab.server(), &ListenerOptions::at(vip)).unwrap_err();
        assert!(matches!(nobodys, LabError::Socket { .. }), "{nobodys}");

        lab.move_vip(Some(End::Server)).unwrap();
        let listener = Listener::open(lab.server(), &ListenerOptions::at(vip)).unwrap();
        connect(&lab, listener.address()).unwrap();
        assert!(listener.wait_accepted(1, SOON));

        lab.move_vip(Some(End::Client)).unwrap();
        let listener = Listener::open(lab.client(), &ListenerOptions::at(vip)).unwrap();
        let address = listener.address();
        let client = lab.server().run(|| std::net::TcpStream::connect(address)).unwrap();
        assert_eq!(client.unwrap().peer_addr().unwrap().ip(), lab.vip(family));

        lab.move_vip(None).unwrap();
        connect(&lab, address).unwrap_err();
    }
}

#[test]
fn parameters_belong_to_their_namespace() {
    privileged!();
    let name = "net.ipv4.tcp_synack_retries";
    let host = || std::fs::read_to_string("/proc/sys/net/ipv4/tcp_synack_retries").unwrap();
    let before = host();
    let lab = Lab::new().unwrap();
    let client = lab.client().read_sysctl(name).unwrap();
    lab.server().sysctl(name, "9").unwrap();
    assert_eq!(lab.server().read_sysctl(name).unwrap(), "9");
    assert_eq!(lab.client().read_sysctl(name).unwrap(), client);
    assert_eq!(host(), before);
    let error = lab.server().sysctl("net.ipv4.no_such_thing", "1").unwrap_err().to_string();
    let start = "cannot set to 1 net.ipv4.no_such_thing in the namespace \"server\": ";
    assert!(error.starts_with(start), "{error}");
}

#[test]
fn programs_run_inside() {
    privileged!();
    let lab = Lab::new().unwrap();
    for (end, link) in [(End::Client, "client0"), (End::Server, "server0")] {
        let namespace = lab.namespace(end);
        let output = namespace.command("ip").unwrap().args(["-o", "link"]).output().unwrap();
        assert!(String::from_utf8(output.stdout).unwrap().contains(link));
        let path = std::fs::metadata(namespace.path()).unwrap();
        assert_eq!(path.ino(), namespace.inode().unwrap());
    }
}

#[test]
fn processes_die_with_the_lab() {
    privileged!();
    let lab = Lab::new().unwrap();
    let mut command = lab.server().command("sleep").unwrap();
    command.arg("infinity");
    let mut process = lab.server().spawn(command).unwrap();
    assert_eq!(process.child().try_wait().unwrap(), None);
    drop(lab);
    let killed = process.child().wait().unwrap();
    assert_eq!(killed.signal(), Some(9), "{killed}");
}

#[test]
fn a_panic_inside_reaches_the_caller() {
    privileged!();
    let lab = Lab::new().unwrap();
    let caught = catch_unwind(AssertUnwindSafe(|| lab.client().run(|| panic!("inside"))));
    assert_eq!(caught.unwrap_err().downcast_ref(), Some(&"inside"));
}
