//! `/probe`, with a prober that knows its answers.

use std::{
    net::{IpAddr, Ipv4Addr},
    pin::Pin,
    sync::{Arc, Mutex},
    time::Duration,
};

use metrics::single::{Answer, Probe};
use model::outcome::Outcome;
use probe_agent_web::{
    Access, Limits, Listener, Routes, Server,
    probe::{AddressFamily, Module, ProbeRequest, Probed, Prober, probe_route},
};

use crate::support::{LOOPBACK, ask};

/// Notes what it is asked.
#[derive(Default)]
struct Notes(Mutex<Vec<ProbeRequest>>);

fn module() -> Arc<Module> {
    let description = "timeout 5s".to_owned();
    let timeout = Some(Duration::from_secs(5));
    Arc::new(Module { timeout, family: AddressFamily::default(), description })
}

impl Prober for Notes {
    fn module(&self, name: &str) -> Option<Arc<Module>> {
        (name == "tcp_connect").then(module)
    }

    fn probe(&self, request: ProbeRequest) -> Pin<Box<dyn Future<Output = Probed> + Send + '_>> {
        Box::pin(async move {
            let hangs = request.host == "hangs";
            self.0.lock().unwrap().push(request);
            if hangs {
                std::future::pending::<()>().await;
            }
            let probe = Probe {
                outcome: Outcome::Alive,
                error_type: None,
                handshake: Some(Duration::from_micros(300)),
                syn_retransmits: Some(0),
                half_open: true,
                verdicts: Vec::new(),
            };
            let answer = Answer {
                success: true,
                duration: Duration::from_micros(500),
                lookup: None,
                address: Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
                not_started: None,
                probe: Some(probe),
            };
            Probed { answer, story: vec!["SYN sent".to_owned(), "SYN-ACK after 300us".to_owned()] }
        })
    }
}

fn serve() -> (Server, Arc<Notes>) {
    let notes = Arc::<Notes>::default();
    let routes = Routes::new([probe_route(Arc::clone(&notes) as _, 8)]);
    let listener = Listener::bind(LOOPBACK, Access::default()).unwrap();
    (Server::start(listener, routes, Limits::default()).unwrap(), notes)
}

fn get(server: &Server, query: &str, field: &str) -> String {
    let head = "HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    ask(server, &format!("GET /probe{query} {head}{field}\r\n"))
}

#[test]
fn a_scraper_of_blackbox_exporter_gets_what_it_is_used_to() {
    let (server, notes) = serve();
    let timeout = "X-Prometheus-Scrape-Timeout-Seconds: 3\r\n";
    let answer = get(&server, "?module=tcp_connect&target=%5B%3A%3A1%5D%3A80", timeout);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("\r\ncontent-type: text/plain; version=0.0.4; "), "{answer}");
    assert!(answer.contains("\nprobe_success 1\n") && answer.contains("\nprobe_ip_protocol 4\n"));
    let asked = notes.0.lock().unwrap().pop().unwrap();
    assert_eq!((asked.host.as_str(), asked.port), ("::1", 80));
    assert_eq!((asked.within, asked.wants_story), (Duration::from_millis(2_500), false));
}

#[test]
fn a_debug_page_has_the_story_the_metrics_and_the_module() {
    let (server, notes) = serve();
    let answer = get(&server, "?target=a:1&debug=true", "");
    let (_, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(body.starts_with("Logs for the probe:\nSYN sent\nSYN-ACK after 300us\n\n\nMetrics"));
    assert!(body.contains("\n\nModule configuration:\ntcp_connect: timeout 5s\n"), "{body}");
    assert!(body.contains("\nprobe_success 1\n"), "{body}");
    assert!(notes.0.lock().unwrap().pop().unwrap().wants_story);
}

#[test]
fn a_query_that_cannot_be_probed_says_why() {
    let (server, notes) = serve();
    for (query, why) in [
        ("", "`target` is missing"),
        ("?target=", "`target` is missing"),
        ("?target=a", "has no port"),
        ("?target=a:1&module=http_2xx", "no module `http_2xx`"),
    ] {
        let answer = get(&server, query, "");
        assert!(answer.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{answer}");
        assert!(answer.contains(why), "{answer}");
    }
    let answer = get(&server, "?target=a:1", "X-Prometheus-Scrape-Timeout-Seconds: soon\r\n");
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("`soon`"), "{answer}");
    assert!(notes.0.lock().unwrap().is_empty(), "nothing was probed");
}

#[test]
fn a_prober_that_does_not_answer_is_given_up() {
    let (server, _) = serve();
    let answer = get(&server, "?target=hangs:1", "X-Prometheus-Scrape-Timeout-Seconds: 0.2\r\n");
    assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("after 0.1 s"), "{answer}");
}

#[test]
fn the_address_of_a_name_is_chosen_as_the_module_says() {
    let (four, six): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), "::1".parse().unwrap());
    let family = |prefers_ipv6, has_fallback| AddressFamily { prefers_ipv6, has_fallback };
    for (family, addresses, chosen) in [
        (family(true, true), vec![four, six], Some(six)),
        (family(false, true), vec![six, four], Some(four)),
        (family(true, true), vec![four], Some(four)),
        (family(true, false), vec![four], None),
        (family(true, true), vec![], None),
    ] {
        assert_eq!(family.choose(&addresses), chosen, "{family:?} {addresses:?}");
    }
}
