//! Reports to the service manager (sd_notify(3)): datagrams of `KEY=VALUE` lines to the socket in `NOTIFY_SOCKET`.

use std::{
    ffi::OsStr,
    io,
    os::{
        linux::net::SocketAddrExt,
        unix::{
            ffi::OsStrExt,
            net::{SocketAddr, UnixDatagram},
        },
    },
    time::Duration,
};

use kernel::monotonic;

/// What is reported to the service manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The service has started, or has reloaded.
    Ready,
    /// It reloads its configuration.
    Reloading,
    /// It is ending.
    Stopping,
    /// It works.
    Watchdog,
}

/// The service manager. Without one, nothing is sent.
#[derive(Debug, Default)]
pub struct ServiceManager {
    socket: Option<(UnixDatagram, SocketAddr)>,
    watchdog: Option<Duration>,
}

impl ServiceManager {
    /// The service manager that these variables name. `variable` reads one of the environment.
    ///
    /// # Errors
    /// `NOTIFY_SOCKET` names no usable socket, or this host refuses one.
    pub fn from_environment(variable: impl Fn(&str) -> Option<Vec<u8>>) -> io::Result<Self> {
        let Some(name) = variable("NOTIFY_SOCKET").filter(|name| !name.is_empty()) else {
            return Ok(Self::default());
        };
        let address = match name.strip_prefix(b"@") {
            Some(name) => SocketAddr::from_abstract_name(name)?,
            None => SocketAddr::from_pathname(OsStr::from_bytes(&name))?,
        };
        let socket = UnixDatagram::unbound()?;
        // A manager that is busy must not hold the service up.
        socket.set_nonblocking(true)?;
        // Set for another process if WATCHDOG_PID names one (sd_watchdog_enabled(3)).
        let number = |name: &str| String::from_utf8(variable(name)?).ok()?.parse::<u64>().ok();
        let own = number("WATCHDOG_PID").is_none_or(|pid| pid == u64::from(std::process::id()));
        let watchdog = number("WATCHDOG_USEC").filter(|usec| own && *usec > 0);
        Ok(Self { socket: Some((socket, address)), watchdog: watchdog.map(Duration::from_micros) })
    }

    /// How often [`State::Watchdog`] is to be reported: twice as often as the manager demands.
    #[must_use]
    pub fn watchdog_interval(&self) -> Option<Duration> {
        self.watchdog.map(|timeout| timeout / 2)
    }

    /// Reports a state, with a line for `systemctl status` if there is one.
    ///
    /// # Errors
    /// The manager does not take it. The next report may succeed.
    pub fn report(&self, state: State, status: Option<&str>) -> io::Result<()> {
        let Some((socket, address)) = &self.socket else { return Ok(()) };
        let mut message = match state {
            State::Ready => "READY=1".to_owned(),
            State::Reloading => {
                format!("RELOADING=1\nMONOTONIC_USEC={}", monotonic::now() / 1_000)
            }
            State::Stopping => "STOPPING=1".to_owned(),
            State::Watchdog => "WATCHDOG=1".to_owned(),
        };
        if let Some(status) = status {
            message += "\nSTATUS=";
            message += &status.replace('\n', " ");
        }
        socket.send_to_addr(message.as_bytes(), address).map(drop)
    }
}

#[cfg(test)]
mod tests {
    use std::{os::unix::net::UnixDatagram, time::Duration};

    use super::{ServiceManager, State};

    fn manager(variables: &[(&str, &str)]) -> ServiceManager {
        let read = |name: &str| {
            let found = variables.iter().find(|(key, _)| *key == name);
            found.map(|(_, value)| value.as_bytes().to_vec())
        };
        ServiceManager::from_environment(read).unwrap()
    }

    #[test]
    fn states_reach_the_socket_of_the_manager() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("notify");
        let receiver = UnixDatagram::bind(&path).unwrap();
        let manager = manager(&[("NOTIFY_SOCKET", path.to_str().unwrap())]);
        let received = |state, status| {
            manager.report(state, status).unwrap();
            let mut buffer = [0; 200];
            let length = receiver.recv(&mut buffer).unwrap();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        };
        assert_eq!(
            received(State::Ready, Some("3 targets\nof 4")),
            "READY=1\nSTATUS=3 targets of 4"
        );
        assert_eq!(received(State::Watchdog, None), "WATCHDOG=1");
        assert_eq!(received(State::Stopping, None), "STOPPING=1");
        let reloading = received(State::Reloading, None);
        let time = reloading.strip_prefix("RELOADING=1\nMONOTONIC_USEC=").unwrap();
        assert!(time.parse::<u64>().unwrap() > 0);
    }

    #[test]
    fn an_abstract_socket_is_found_and_the_watchdog_is_fed_twice_as_often_as_demanded() {
        let name = format!("probe-agent-test-{}", std::process::id());
        let address = {
            use std::os::linux::net::SocketAddrExt;
            std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap()
        };
        let receiver = UnixDatagram::bind_addr(&address).unwrap();
        let socket = format!("@{name}");
        let of = |pid: u32| {
            manager(&[
                ("NOTIFY_SOCKET", &socket),
                ("WATCHDOG_USEC", "3000000"),
                ("WATCHDOG_PID", &pid.to_string()),
            ])
        };
        let own = of(std::process::id());
        assert_eq!(own.watchdog_interval(), Some(Duration::from_millis(1_500)));
        assert_eq!(of(1).watchdog_interval(), None, "it is for another process");
        own.report(State::Watchdog, None).unwrap();
        let mut buffer = [0; 20];
        assert_eq!(receiver.recv(&mut buffer).unwrap(), b"WATCHDOG=1".len());
    }

    #[test]
    fn without_a_manager_nothing_is_sent() {
        let none = manager(&[("WATCHDOG_USEC", "1000")]);
        assert_eq!(none.watchdog_interval(), None);
        none.report(State::Ready, None).unwrap();
    }
}
