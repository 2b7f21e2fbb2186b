//! Missing privilege and invalid settings.

use std::{net::TcpListener, thread};

use probe_agent_checker::{BuildError, Builder, CheckError, Checker, GuardError, Report, Support};
use probe_agent_tests::privileged;

use crate::support::{PATIENCE, turn};

/// The user `nobody`.
const NOBODY: libc::uid_t = 65_534;

/// Runs `work` on a thread of a user without privileges.
fn unprivileged<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    thread::scope(|scope| {
        let nobody = scope.spawn(|| {
            // The C library's function would change the whole process. The system call changes only this
            // thread, and drops its capabilities.
            // SAFETY: it has no arguments but these numbers.
            let result = unsafe { libc::syscall(libc::SYS_setresuid, NOBODY, NOBODY, NOBODY) };
            assert_eq!(result, 0);
            work()
        });
        nobody.join().unwrap()
    })
}

#[test]
fn requiring_half_open_without_privilege_is_an_error() {
    privileged!();
    let _turn = turn();
    let error = unprivileged(|| Checker::builder().require_half_open(true).build()).unwrap_err();
    assert!(matches!(error, BuildError::NotHalfOpen(GuardError::NotLoaded(_))), "{error:?}");
    let text = error.to_string();
    assert!(text.starts_with("half-open checks cannot be guaranteed: "), "{text}");
    assert!(text.contains("CAP_BPF"), "{text}");
}

#[test]
fn half_open_cannot_be_required_where_it_is_turned_off() {
    let settings: [fn(Builder) -> Builder; 2] = [|b| b.ack_guard(false), |b| b.kernel(false)];
    for setting in settings {
        let error = setting(Checker::builder().require_half_open(true)).build().unwrap_err();
        assert!(matches!(error, BuildError::NotHalfOpen(GuardError::TurnedOff)), "{error:?}");
    }
}

#[test]
fn invalid_settings_are_refused() {
    let error = Checker::builder().slots(0).build().unwrap_err();
    assert!(matches!(error, BuildError::NoSlots), "{error:?}");
    #[expect(clippy::reversed_empty_ranges, reason = "that is what is tested")]
    for ports in [0..=10, 10..=9] {
        let error = Checker::builder().source_ports(ports).build().unwrap_err();
        assert!(matches!(error, BuildError::SourcePorts), "{error:?}");
    }
    for source in ["0.0.0.0", "224.0.0.1", "ff02::1", "255.255.255.255", "127.255.255.255"] {
        let source = source.parse().unwrap();
        let error = Checker::builder().source(source).build().unwrap_err();
        assert!(matches!(error, BuildError::Source(ip) if ip == source), "{error:?}");
    }
}

#[test]
fn without_privileges_it_checks_and_reports_what_is_missing() {
    privileged!();
    let _turn = turn();
    let backend = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = backend.local_addr().unwrap();
    let (checker, report): (Checker, Result<Report, CheckError>) = unprivileged(|| {
        let checker = Checker::builder().slots(4).build().unwrap();
        let report = checker.check_blocking(address, PATIENCE);
        (checker, report)
    });
    for support in [checker.guard(), checker.tracing()] {
        assert!(matches!(support, Support::Unavailable(why) if why.contains("CAP_BPF")));
    }
    let report = report.unwrap();
    assert!(report.is_alive() && !report.half_open_enforced && !report.timed_by_kernel);
    assert!(report.handshake.is_some_and(|t| !t.is_zero()), "{report:?}");
    backend.set_nonblocking(true).unwrap();
    assert!(backend.accept().is_err());
}
