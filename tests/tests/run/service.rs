//! Probing, reloading, exporting and ending.

use std::{fs, net::TcpListener, os::unix::fs::symlink};

use lab::{Family, Lab};
use nix::sys::signal::Signal;
use opentelemetry_proto::tonic::trace::v1::Span;
use probe_agent_tests::{
    cgroup, privileged,
    receiver::{Receiver, Reply},
};

use crate::running::{Running, wait_until};

fn port(span: &Span) -> Option<i64> {
    use opentelemetry_proto::tonic::common::v1::any_value::Value;
    let port = span.attributes.iter().find(|attribute| attribute.key == "server.port")?;
    match port.value.as_ref()?.value.as_ref()? {
        Value::IntValue(port) => Some(*port),
        _ => None,
    }
}

#[test]
fn a_service_probes_reloads_exports_and_ends_in_order() {
    privileged!();
    let lab = Lab::new().unwrap();
    let listeners = Family::ALL.map(|family| lab.listen(family).unwrap());
    let [open, open6] = listeners.each_ref().map(|listener| listener.address());
    let closed = lab.closed_port(Family::V4).unwrap();
    let receiver = Receiver::start(|_| Reply::Take);
    let netns = lab.client().path().display().to_string();
    let text = |targets: &str, share: &str| {
        format!(
            "agent:\n  HTTP\n  otlp: {{endpoint: 'http://{}', clean_spans: {share}}}\n\
             defaults: {{interval: 100ms, rise: 1, fall: 2, netns: '{netns}'}}\n\
             targets: [{targets}]\n",
            receiver.address()
        )
    };
    let both = format!("{{address: '{open}', labels: {{tier: front}}}}, '{open6}'");
    let service = Running::start(&text(&both, "0%"));
    assert_eq!(service.reported(), "READY=1");
    for address in [open, open6] {
        service.message(&format!(
            "{address} ({address}): unknown -> up after 1 result: clean, confirmed"
        ));
    }
    assert!(service.get("/readyz").starts_with("HTTP/1.1 200"));
    let series = format!(
        "probe_agent_target_probes_total{{target=\"{open}\",address=\"{open}\",tier=\"front\",outcome=\"alive\"}}"
    );
    service.metric(|line| line.starts_with(&series));
    let own = cgroup::of(service.id());
    assert!(own.ends_with(format!("probe-agent-{}", service.id())), "{}", own.display());

    // A target more: what was there keeps its state, and goes on.
    let all = format!("{both}, '{}'", closed.address());
    service.configure(&text(&all, "0%"));
    service
        .message("configuration 2 is in force: 3 targets; probes: 1 added, 0 removed, 0 changed");
    assert!(service.reported().starts_with("RELOADING=1"));
    assert_eq!(service.reported(), "READY=1");
    service.message("unknown -> down after 2 results: refused, confirmed");
    let refused = i64::from(closed.address().port());
    wait_until("spans of what is unusual", || receiver.spans().len() >= 3);
    assert!(receiver.spans().iter().all(|span| port(span) == Some(refused)), "and of nothing else");

    // A file that is broken, and SIGHUP.
    service.configure("agent:\n  HTTP\ntargets: ['nowhere']\n");
    let line = service.message("configuration refused");
    assert!(line.contains("agent.yaml:3:11"), "{line}");
    service.metric(|line| line == "probe_agent_config_last_reload_successful 0");
    service.configure(&text(&all, "100%"));
    service
        .message("configuration 3 is in force: 3 targets; probes: 0 added, 0 removed, 0 changed");
    service.signal(Signal::SIGHUP);
    service.message("configuration 4 is in force");
    wait_until("spans of clean probes", || {
        [open, open6].iter().all(|address| {
            let port_of = Some(i64::from(address.port()));
            receiver.spans().iter().any(|span| port(span) == port_of)
        })
    });

    service.signal(Signal::SIGTERM);
    let (code, rest) = service.finish();
    assert_eq!(code, Some(0), "{rest:#?}");
    assert!(rest.last().is_some_and(|line| line.ends_with("probing has ended")), "{rest:#?}");
    assert!(!own.exists(), "its cgroup is removed");
    for listener in &listeners {
        assert_eq!(listener.accepted().unwrap(), 0, "no application saw a connection");
    }
}

/// Each group has hooks of its own, which see the probes of its network namespace.
#[test]
fn targets_in_several_network_namespaces_are_probed_by_one_agent() {
    privileged!();
    let lab = Lab::new().unwrap();
    let inside = lab.listen(Family::V4).unwrap();
    let outside = TcpListener::bind("127.0.0.1:0").unwrap();
    let (inside, outside) = (inside.address(), outside.local_addr().unwrap());
    let netns = lab.client().path().display().to_string();
    let service = Running::start(&format!(
        "agent:\n  HTTP\ndefaults: {{interval: 100ms, rise: 1}}\n\
         targets: ['{outside}', {{address: '{inside}', netns: '{netns}'}}]\n"
    ));
    let mut states =
        [(); 2].map(|()| service.message("unknown -> up after 1 result: clean, confirmed"));
    states.sort_unstable();
    for address in [inside, outside] {
        assert!(states.iter().any(|line| line.contains(&address.to_string())), "{states:?}");
    }
    for worker in ["0", "1"] {
        let age = format!("probe_agent_worker_last_turn_age_seconds{{worker=\"{worker}\"}}");
        service.metric(|line| line.starts_with(&age));
    }
    service.signal(Signal::SIGTERM);
    assert_eq!(service.finish().0, Some(0));
}

/// A path that names another namespace, as after the restart of a container.
#[test]
fn a_network_namespace_that_is_made_again_is_entered_again() {
    privileged!();
    let (lab, other) = (Lab::new().unwrap(), Lab::new().unwrap());
    let listener = lab.listen(Family::V4).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let netns = directory.path().join("netns");
    let enter = |lab: &Lab| {
        let new = directory.path().join("new");
        symlink(lab.client().path(), &new).unwrap();
        fs::rename(new, &netns).unwrap();
    };
    enter(&other);
    let service = Running::start(&format!(
        "agent:\n  HTTP\ndefaults: {{interval: 100ms, settle: 100ms, rise: 1, fall: 1, netns: '{}'}}\n\
         targets: ['{}']\n",
        netns.display(),
        listener.address()
    ));
    // The other lab has other networks.
    service.message("unknown -> down after 1 result: unreachable");
    enter(&lab);
    service.message("down -> up after 1 result: clean");
    assert!(service.get("/readyz").starts_with("HTTP/1.1 200"));
    service.signal(Signal::SIGTERM);
    assert_eq!(service.finish().0, Some(0));
}

#[test]
fn what_keeps_a_service_from_starting_is_one_line_with_its_key() {
    privileged!();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = taken.local_addr().unwrap();
    let text = format!("agent: {{http: {{listen: '{listen}'}}}}\ntargets: ['127.0.0.1:1']\n");
    let (code, lines) = Running::start(&text).finish();
    assert_eq!(code, Some(2));
    assert!(
        matches!(&*lines, [line] if line.contains("agent.http") && line.contains("another program")),
        "{lines:?}"
    );
}
