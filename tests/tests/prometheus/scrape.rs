//! Debian's Prometheus scrapes the agent's pages, with a configuration that was written for blackbox_exporter.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    pin::Pin,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use metrics::{
    Format, Metrics, Scrape,
    single::{Answer, Probe},
};
use model::outcome::{Outcome, error_type};
use probe_agent_checker::Checker;
use tempfile::TempDir;
use web::{
    Access, Limits, Listener, MetricsSource, Routes, Server, metrics_route,
    probe::{AddressFamily, Module, ProbeRequest, Probed, Prober, probe_route},
};

use crate::{filled, promtool::has};

/// It scrapes every second; what is not there after this long never will be.
const PATIENCE: Duration = Duration::from_secs(60);
const LOOPBACK: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// The metrics of a test, and real probes.
struct Agent {
    metrics: Metrics,
    checker: Checker,
}

impl MetricsSource for Agent {
    fn scrape(&self, format: Format) -> Scrape {
        self.metrics.scrape(format, filled::sample())
    }
}

impl Prober for Agent {
    fn module(&self, name: &str) -> Option<Arc<Module>> {
        let module =
            Module { timeout: None, family: AddressFamily::default(), description: String::new() };
        (name == "tcp_connect").then(|| Arc::new(module))
    }

    fn probe(&self, request: ProbeRequest) -> Pin<Box<dyn Future<Output = Probed> + Send + '_>> {
        Box::pin(async move {
            let started = Instant::now();
            let ip: IpAddr = request.host.parse().expect("the test asks for addresses");
            let address = SocketAddr::new(ip, request.port);
            let report = self.checker.check(address, request.within).await.expect("a report");
            let probe = Probe {
                outcome: report.outcome,
                error_type: error_type(report.outcome, report.errno.unwrap_or(0)),
                handshake: report.handshake,
                syn_retransmits: None,
                half_open: report.half_open_enforced,
                verdicts: Vec::new(),
            };
            let answer = Answer {
                success: report.outcome == Outcome::Alive,
                duration: started.elapsed(),
                lookup: None,
                address: Some(ip),
                not_started: None,
                probe: Some(probe),
            };
            Probed { answer, story: Vec::new() }
        })
    }
}

/// A running Prometheus; it is killed when dropped.
struct Prometheus {
    child: Child,
    address: SocketAddr,
    _directory: TempDir,
}

impl Prometheus {
    fn start(configuration: &str) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        let file = directory.path().join("prometheus.yml");
        fs::write(&file, configuration).expect("a file in it");
        let free = TcpListener::bind(LOOPBACK).expect("a free port");
        let address = free.local_addr().expect("its address");
        drop(free);
        let child = Command::new("prometheus")
            .arg(format!("--config.file={}", file.display()))
            .arg(format!("--storage.tsdb.path={}", directory.path().join("data").display()))
            .arg(format!("--web.listen-address={address}"))
            .args(["--enable-feature=exemplar-storage", "--log.level=error"])
            .stdin(Stdio::null())
            .spawn()
            .expect("prometheus starts");
        Self { child, address, _directory: directory }
    }

    /// The answer of its API, once it contains a text.
    fn until(&self, path: &str, wanted: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        let mut last = String::new();
        while Instant::now() < deadline {
            last = self.get(path).unwrap_or_default();
            if last.contains(wanted) {
                return last;
            }
            // It scrapes by its own clock and signals nothing.
            std::thread::sleep(Duration::from_millis(100));
        }
        panic!("no {wanted} in the answer to {path}: {last}");
    }

    /// An answer; an error while it does not listen yet.
    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The example of blackbox_exporter's README, with an address of this test.
fn configuration(agent: SocketAddr, targets: &[SocketAddr]) -> String {
    let targets: String = targets.iter().map(|target| format!("          - {target}\n")).collect();
    format!(
        "global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: blackbox
    metrics_path: /probe
    params:
      module: [tcp_connect]
    static_configs:
      - targets:
{targets}    relabel_configs:
      - source_labels: [__address__]
        target_label: __param_target
      - source_labels: [__param_target]
        target_label: instance
      - target_label: __address__
        replacement: {agent}
  - job_name: agent
    static_configs:
      - targets: [\"{agent}\"]
"
    )
}

#[test]
fn a_configuration_for_blackbox_exporter_works_with_another_address() {
    if !has("prometheus") {
        return;
    }
    let open = TcpListener::bind(LOOPBACK).unwrap();
    let closed = TcpListener::bind(LOOPBACK).unwrap().local_addr().unwrap();
    let target = open.local_addr().unwrap();
    let checker = Checker::builder().slots(16).kernel(false).build().unwrap();
    let agent = Arc::new(Agent { metrics: filled::metrics(), checker });
    let routes = Routes::new([metrics_route(Arc::clone(&agent) as _), probe_route(agent, 16)]);
    let listener = Listener::bind(LOOPBACK, Access::default()).unwrap();
    let server = Server::start(listener, routes, Limits::default()).unwrap();
    let prometheus = Prometheus::start(&configuration(server.address(), &[target, closed]));
    let query = |metric: &str, instance: SocketAddr| {
        format!("/api/v1/query?query={metric}%7Binstance%3D%22{instance}%22%7D")
    };
    prometheus.until(&query("probe_success", target), ",\"1\"]");
    prometheus.until(&query("probe_success", closed), ",\"0\"]");
    prometheus.until(&query("probe_handshake_seconds", target), "\"value\"");
    prometheus.until(&query("probe_ip_protocol", target), ",\"4\"]");
    prometheus.until(&query("probe_failure_info", closed), "\"error_type\":\"connection_refused\"");
    // A phase that was not reached has no series.
    let answer = prometheus.get(&query("probe_handshake_seconds", closed)).unwrap();
    assert!(answer.contains("\"result\":[]"), "{answer}");
    // Only half a handshake: nothing waits for accept().
    open.set_nonblocking(true).unwrap();
    assert!(open.accept().is_err());
    prometheus.until("/api/v1/query?query=up%7Bjob%3D%22agent%22%7D", ",\"1\"]");
    prometheus.until(
        "/api/v1/query?query=probe_agent_target_state%7Bstate%3D%22down%22%2Ctarget%3D%22web:80%22%7D",
        ",\"1\"]",
    );
    // It asked for OpenMetrics, and so it has the exemplars.
    let exemplars =
        "/api/v1/query_exemplars?query=probe_agent_findings_total&start=0&end=9999999999";
    prometheus.until(exemplars, &"5a".repeat(16));
}
