//! The server's application hears of no probe, however late the agent gets to close it.

use std::{io, sync::Arc};

use probe_agent::{
    correlate::timeline::Timeline,
    explain::verdict::Verdict,
    lab::{Family, Fault, Lab, Listener, ListenerOptions, Segment},
    probe::engine::Gauges,
    report::summary::Summary,
    session::Audience,
};
use probe_agent_tests::{busy::Busy, plan, privileged, run};

const PROBES: u64 = 3_000;

/// Each handshake of the run has room, so that none is answered by a SYN cookie.
const BACKLOG: u16 = 4_096;

/// Probes on overrun processors; the second figure is how many connections were accepted.
fn overrun(family: Family, ack_guard: bool, loss_percent: u8) -> (Summary, u64) {
    let lab = Lab::new().unwrap();
    for name in ["net.core.somaxconn", "net.ipv4.tcp_max_syn_backlog"] {
        lab.server().sysctl(name, &BACKLOG.to_string()).unwrap();
    }
    let at = (lab.server_address(family), 0).into();
    let options = ListenerOptions::at(at).backlog(BACKLOG);
    let listener = Listener::open(lab.server(), &options).unwrap();
    let fault = Fault::lost(Segment::SynAck).percent(loss_percent);
    let _lost = (loss_percent > 0).then(|| lab.inject(&fault).unwrap());
    let mut plan = plan::as_check(&lab, listener.address(), PROBES).unwrap();
    plan.settings.concurrency = 1_500;
    plan.ack_guard = ack_guard;
    let _busy = Busy::on_each_cpu(4).unwrap();
    let summary = run::traced(&plan, &mut Nobody).unwrap();
    lab.settle().unwrap();
    assert_eq!(summary.probes, PROBES);
    (summary, listener.accepted().unwrap() as u64)
}

#[test]
fn nothing_is_accepted_on_overrun_processors() {
    privileged!();
    let _turn = crate::turn();
    for (family, loss_percent) in [(Family::V4, 0), (Family::V4, 20), (Family::V6, 20)] {
        let (summary, accepted) = overrun(family, true, loss_percent);
        assert_eq!((accepted, summary.half_open), (0, "enforced"), "{summary:?}");
        assert_eq!(summary.verdict(Verdict::AckLeaked), 0, "{summary:?}");
        assert!(loss_percent == 0 || summary.acks_held > 0, "nothing was held: {summary:?}");
    }
}

/// The control: without the guard the same server accepts connections, so that 0 means something.
#[test]
fn without_the_guard_connections_are_accepted() {
    privileged!();
    let _turn = crate::turn();
    for family in Family::ALL {
        let (summary, accepted) = overrun(family, false, 20);
        assert!(accepted > 0, "{summary:?}");
        assert_eq!(summary.half_open, "not_enforced", "{summary:?}");
        // An ACK that the RST overtakes left as well, but completes nothing any more.
        assert!(
            summary.verdict(Verdict::AckLeaked) >= accepted,
            "{accepted} accepted: {summary:?}"
        );
    }
}

struct Nobody;

impl Audience for Nobody {
    fn probe(&mut self, _: Timeline) -> io::Result<()> {
        Ok(())
    }

    fn tick(&mut self, _: &[Arc<Gauges>]) -> io::Result<()> {
        Ok(())
    }
}
