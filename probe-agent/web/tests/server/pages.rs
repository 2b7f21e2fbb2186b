//! The pages that the crate brings along.

use std::{sync::Arc, time::Duration};

use metrics::{Format, Metrics, Options, Sample, Scrape, TargetLabels};
use model::target::TargetId;
use probe_agent_web::{
    Access, HealthSource, Hooks, Limits, Listener, MetricsSource, Routes, Server, State,
    health_routes, metrics_route,
};

use crate::support::{LOOPBACK, ask};

struct Agent {
    metrics: Metrics,
    state: State,
}

impl MetricsSource for Agent {
    fn scrape(&self, format: Format) -> Scrape {
        self.metrics.scrape(format, Sample::default())
    }
}

impl HealthSource for Agent {
    fn state(&self) -> State {
        self.state.clone()
    }
}

fn serve(state: State, access: Access) -> Server {
    let metrics = Metrics::new(Options::default());
    metrics.set_targets((0..500).map(|id| {
        (TargetId(id), TargetLabels::new(&format!("t{id}:1"), "10.0.0.1:1", []).unwrap())
    }));
    let agent = Arc::new(Agent { metrics, state });
    let routes = Routes::new(
        health_routes(Arc::clone(&agent) as _).into_iter().chain([metrics_route(agent)]),
    );
    Server::start(Listener::bind(LOOPBACK, access).unwrap(), routes, Limits::default()).unwrap()
}

fn ready() -> State {
    let turn = Some(Duration::from_millis(5));
    State { configuration: Ok(()), hooks: Hooks::Attached, workers: vec![turn] }
}

fn get(server: &Server, path: &str, field: &str) -> String {
    ask(server, &format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n{field}\r\n"))
}

#[test]
fn metrics_come_in_the_format_that_the_scraper_asks_for() {
    let server = serve(ready(), Access::default());
    let text = get(&server, "/metrics", "Accept: text/plain\r\n");
    assert!(text.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    assert!(text.contains("\n# TYPE probe_agent_probes_total counter\n"));
    // More than one chunk has come.
    assert!(text.len() > 500_000 && text.contains("target=\"t499:1\""), "{}", text.len());
    let open = get(&server, "/metrics", "Accept: application/openmetrics-text; version=1.0.0\r\n");
    assert!(open.contains("\r\ncontent-type: application/openmetrics-text; version=1.0.0; "));
    assert!(open.contains("\n# TYPE probe_agent_probes counter\n") && open.contains("\n# EOF\n"));
}

#[test]
fn health_and_readiness_have_reasons() {
    let server = serve(ready(), Access::default());
    assert!(get(&server, "/healthz", "").ends_with("\r\n\r\nok\n"));
    assert!(get(&server, "/readyz", "").ends_with("\r\n\r\nready\n"));
    let degraded = Hooks::Degraded(vec!["ack_guard: no cgroup".to_owned()]);
    let server = serve(State { hooks: degraded, ..ready() }, Access::default());
    let answer = get(&server, "/readyz", "");
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
    assert!(answer.ends_with("ready\ndegraded: ack_guard: no cgroup\n"), "{answer}");
    let hangs = State { workers: vec![Some(Duration::from_secs(40))], ..ready() };
    let server = serve(hangs, Access::default());
    for path in ["/healthz", "/readyz"] {
        let answer = get(&server, path, "");
        assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable"), "{answer}");
        assert!(answer.ends_with("workers: 0 made no turn for 40.0 s\n"), "{answer}");
    }
}

#[test]
fn without_the_token_health_is_answered_without_reasons() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&file, "0123456789abcdef").unwrap();
    let token = probe_agent_web::Token::from_file(file.path()).unwrap();
    let access = Access { token: Some(token), ..Access::default() };
    let loading = State { hooks: Hooks::Loading, ..ready() };
    let server = serve(loading, access);
    assert!(get(&server, "/readyz", "").ends_with("\r\n\r\nnot ready\n"));
    let known = get(&server, "/readyz", "Authorization: Bearer 0123456789abcdef\r\n");
    assert!(known.ends_with("not ready\nhooks: being loaded\n"), "{known}");
    assert!(get(&server, "/metrics", "").starts_with("HTTP/1.1 401"));
}
