//! A whole service without privileges: real listeners, real reloads.

use std::{
    fs,
    net::{SocketAddr, TcpListener},
    path::Path,
    sync::{Arc, atomic::Ordering, mpsc},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

use config::{capacity::Room, overrides::Overrides};
use metrics::{Format, Metrics, Options};
use probe_agent_service::{
    names::{Answer, Resolver},
    notice::Notice,
    service::{Control, Ending, Parts, Service, StartError},
    status::Status,
    systemd::ServiceManager,
};

/// Far longer than anything takes.
const ENOUGH: Duration = Duration::from_secs(30);

/// Names and their answers, from a test.
struct Script(mpsc::Receiver<(String, Answer)>);

impl Resolver for Script {
    fn watch(&mut self, _: std::collections::HashSet<String>) {}

    fn changes(&mut self) -> Vec<(String, Answer)> {
        self.0.try_iter().collect()
    }
}

/// A service in a thread of its own.
struct Running {
    control: Arc<Control>,
    metrics: Metrics,
    status: Status,
    notices: mpsc::Receiver<String>,
    answers: mpsc::Sender<(String, Answer)>,
    thread: JoinHandle<Ending>,
}

fn start(path: &Path) -> Result<Running, StartError> {
    let metrics = Metrics::new(Options::default());
    let control = Arc::<Control>::default();
    let (notice, notices) = mpsc::channel();
    let (answers, script) = mpsc::channel();
    let (ready, is_ready) = mpsc::channel();
    let (path, parts_metrics, parts_control) =
        (path.to_owned(), metrics.clone(), Arc::clone(&control));
    let thread = thread::spawn(move || {
        let parts = Parts {
            path,
            overrides: Overrides::default(),
            room: Room { ports: 20_000, descriptors: 1_000 },
            resolver: Box::new(Script(script)),
            metrics: parts_metrics,
            traces: false,
            control: parts_control,
            manager: ServiceManager::default(),
            report: Box::new(move |line: &Notice<'_>| drop(notice.send(line.to_string()))),
        };
        match Service::new(parts) {
            Ok(service) => {
                ready.send(Ok(service.status())).unwrap();
                service.run(None)
            }
            Err(error) => {
                ready.send(Err(error)).unwrap();
                Ending::default()
            }
        }
    });
    let status = is_ready.recv().unwrap()?;
    Ok(Running { control, metrics, status, notices, answers, thread })
}

impl Running {
    /// The first notice with this text.
    fn notice(&self, text: &str) -> String {
        let mut others = Vec::new();
        loop {
            match self.notices.recv_timeout(ENOUGH) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => others.push(line),
                Err(_) => panic!("no {text:?} in {others:#?}"),
            }
        }
    }

    fn scrape(&self) -> String {
        let chunks = self.metrics.scrape(Format::Text, self.status.sample());
        chunks.collect()
    }

    /// Waits until a line of a scrape fits.
    fn wait_for(&self, fits: impl Fn(&str) -> bool) -> String {
        let end = Instant::now() + ENOUGH;
        loop {
            let text = self.scrape();
            if let Some(line) = text.lines().find(|line| fits(line)) {
                return line.to_owned();
            }
            assert!(Instant::now() < end, "{text}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    fn stop(self) -> Ending {
        self.control.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap()
    }
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// Puts a new file in the place of the old one.
fn write(path: &Path, text: &str) {
    let new = path.with_extension("new");
    fs::write(&new, text).unwrap();
    fs::rename(new, path).unwrap();
}

const DEFAULTS: &str =
    "defaults: {interval: 20ms, settle: 20ms, timeout: 15ms, rise: 1, fall: 2}\n";

#[test]
fn targets_have_states_and_a_reload_keeps_them() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.yaml");
    let ((_open, open), (closed, gone), (_later, later)) = (listener(), listener(), listener());
    drop(closed);
    write(&path, &format!("{DEFAULTS}targets: ['{open}', '{gone}']\n"));
    let service = start(&path).unwrap();
    service.notice("configuration 1 is in force: 2 targets");
    assert!(service.notice(&gone.to_string()).contains("unknown -> down after 2 results: refused"));
    let since = format!("probe_agent_target_state_since_timestamp_seconds{{target=\"{open}\"");
    let up = service.wait_for(|line| line.starts_with(&since));
    // A file that is broken changes nothing, and is named.
    write(&path, &format!("{DEFAULTS}targets: ['{open}', '{gone}']\nintervall: 3s\n"));
    let refused = service.notice("refused");
    assert!(refused.contains("agent.yaml:3") && refused.contains("intervall"), "{refused}");
    service.wait_for(|line| line.ends_with("last_reload_successful 0"));
    // One more target, one less, and one stays with its state.
    write(&path, &format!("{DEFAULTS}targets: ['{open}', '{later}']\n"));
    service.notice("configuration 2 is in force: 2 targets; probes: 1 added, 1 removed, 0 changed");
    service.notice(&format!("{later} ({later}): unknown -> up after 1 result: clean"));
    service.wait_for(|line| line.ends_with("last_reload_successful 1"));
    assert_eq!(service.wait_for(|line| line.starts_with(&since)), up);
    assert!(!service.scrape().contains(&gone.to_string()));
    assert!(service.status.ready().is_ok());
    let unusual = service.status.recent().after(0);
    assert!(unusual.iter().all(|probe| probe.target.address == gone), "only what was refused");
    assert!(unusual.len() >= 2);
    let ending = service.stop();
    assert_eq!((ending.unsettled, ending.spans), (0, None));
}

#[test]
fn a_list_of_targets_and_the_addresses_of_a_name_may_change() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.yaml");
    let lists = directory.path().join("lists");
    fs::create_dir(&lists).unwrap();
    let ((_one, one), (_two, two)) = (listener(), listener());
    write(
        &lists.join("a.json"),
        &format!(r#"[{{"targets": ["{one}"], "labels": {{"rack": "7"}}}}]"#),
    );
    let sd = lists.join("*.json");
    let port = two.port();
    write(
        &path,
        &format!("{DEFAULTS}file_sd: ['{}']\ntargets: ['db.test:{port}']\n", sd.display()),
    );
    let service = start(&path).unwrap();
    service.notice(&format!("{one} ({one}): unknown -> up"));
    service.wait_for(|line| line.contains(&one.to_string()) && line.contains("rack=\"7\""));
    service.answers.send(("db.test".to_owned(), Ok(vec![two.ip()]))).unwrap();
    service.notice(&format!("db.test:{port} ({two}): unknown -> up"));
    // Each address is a target: the one that the name no longer has is forgotten.
    let other: SocketAddr = ([127, 0, 0, 2], port).into();
    service.answers.send(("db.test".to_owned(), Ok(vec![other.ip()]))).unwrap();
    service.notice(&format!("db.test:{port} ({other}): unknown -> down"));
    service.wait_for(|line| line.contains(&other.to_string()));
    assert!(!service.scrape().contains(&two.to_string()));
    // Without an address its state is unknown, because this host cannot probe it.
    service.answers.send(("db.test".to_owned(), Err(-2))).unwrap();
    service.wait_for(|line| line.contains("address=\"unresolved\""));
    // A file that appears brings targets.
    write(&lists.join("b.json"), &format!(r#"[{{"targets": ["{two}"]}}]"#));
    service.notice(&format!("{two} ({two}): unknown -> up"));
    // All lists gone is an accident: they are kept.
    fs::remove_dir_all(&lists).unwrap();
    service.notice("targets are kept");
    assert!(service.scrape().contains(&two.to_string()));
    service.stop();
}

#[test]
fn another_settle_window_moves_a_target_to_another_group_with_its_state() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.yaml");
    let (_open, open) = listener();
    let text = |settle| format!("{DEFAULTS}targets: [{{address: '{open}', settle: {settle}}}]\n");
    write(&path, &text("20ms"));
    let service = start(&path).unwrap();
    service.notice("unknown -> up");
    let since = format!("probe_agent_target_state_since_timestamp_seconds{{target=\"{open}\"");
    let up = service.wait_for(|line| line.starts_with(&since));
    write(&path, &text("30ms"));
    service.notice("0 added, 0 removed, 1 changed");
    assert_eq!(service.wait_for(|line| line.starts_with(&since)), up);
    let count = |line: &str| line.rsplit(' ').next().and_then(|n| n.parse::<f64>().ok());
    let ended = |line: &str| {
        line.contains(&open.to_string())
            && line.contains("outcome=\"alive\"")
            && count(line) > Some(5.0)
    };
    service.wait_for(ended);
    // The first group has ended, and the second is the only one.
    let end = Instant::now() + ENOUGH;
    while service.status.sample().workers.len() != 1 {
        assert!(Instant::now() < end);
        thread::sleep(Duration::from_millis(20));
    }
    service.stop();
}

#[test]
fn a_configuration_that_cannot_be_used_keeps_the_service_from_starting() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("agent.yaml");
    let error = start(&path).map(drop).unwrap_err();
    assert!(error.to_string().contains("No such file"), "{error}");
    let marks: Vec<String> =
        (1..=9).map(|mark| format!("{{address: '127.0.0.1:{mark}', mark: {mark}}}")).collect();
    write(&path, &format!("targets: [{}]\n", marks.join(", ")));
    let error = start(&path).map(drop).unwrap_err();
    assert!(error.to_string().contains("9 different combinations"), "{error}");
}
