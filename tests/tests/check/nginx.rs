//! nginx, a real server that must not notice a thousand probes.

use std::{
    fs,
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    process::Stdio,
};

use lab::{Family, Lab, Process};
use probe_agent_tests::privileged;

use crate::{
    running::wait_until,
    support::{Scratch, check_in, run},
};

/// nginx in the server's namespace, with all its files in a temporary directory.
struct Nginx<'a> {
    lab: &'a Lab,
    address: SocketAddr,
    directory: Scratch,
    _process: Process,
}

impl<'a> Nginx<'a> {
    fn start(lab: &'a Lab, family: Family) -> Self {
        let directory = Scratch::new();
        let address = SocketAddr::new(lab.server_address(family), 8080);
        let prefix = directory.path();
        // One process: everything about its start is logged when it answers.
        let configuration = format!(
            "daemon off; master_process off; pid {prefix}/pid; error_log {prefix}/error.log info;
             events {{ }}
             http {{
                 access_log {prefix}/access.log;
                 client_body_temp_path {prefix}/body; proxy_temp_path {prefix}/proxy;
                 fastcgi_temp_path {prefix}/fastcgi; uwsgi_temp_path {prefix}/uwsgi;
                 scgi_temp_path {prefix}/scgi;
                 server {{
                     listen {address};
                     location = /status {{ stub_status; access_log off; }}
                     location / {{ return 200 up; }}
                 }}
             }}"
        );
        let file = directory.join("nginx.conf");
        fs::write(&file, configuration).unwrap();
        let mut command = lab.server().command("nginx").unwrap();
        command.args(["-p", prefix, "-e"]).arg(directory.join("error.log")).arg("-c").arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let process = lab.server().spawn(command).unwrap();
        let nginx = Self { lab, address, directory, _process: process };
        wait_until("nginx's answer", || nginx.get("/status").is_some());
        nginx
    }

    /// The answer to a real request; `None` while nothing listens.
    fn get(&self, path: &str) -> Option<String> {
        self.lab
            .client()
            .run(|| {
                let mut stream = TcpStream::connect(self.address).ok()?;
                let request =
                    format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
                stream.write_all(request.as_bytes()).unwrap();
                let mut answer = String::new();
                stream.read_to_string(&mut answer).unwrap();
                assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
                Some(answer)
            })
            .unwrap()
    }

    /// How many connections it has accepted, including that of this request.
    fn accepts(&self) -> u64 {
        let answer = self.get("/status").unwrap();
        let (_, counts) = answer.split_once("server accepts handled requests\n").unwrap();
        counts.split_whitespace().next().unwrap().parse().unwrap()
    }

    fn logs(&self) -> [String; 2] {
        ["access.log", "error.log"].map(|log| fs::read_to_string(self.directory.join(log)).unwrap())
    }
}

#[test]
fn a_thousand_probes_leave_no_trace_in_a_web_server() {
    privileged!();
    let lab = Lab::new().unwrap();
    for family in Family::ALL {
        let nginx = Nginx::start(&lab, family);
        let (accepts, logs) = (nginx.accepts(), nginx.logs());
        assert_eq!(logs[0], "");
        // Few at a time: the kernel delays an ACK for 200 ms, and each probe must be closed before that
        // even on a busy machine.
        let flags = "--count 1000 --interval 0 --concurrency 8 --settle 0 --output jsonl";
        let done = run(&mut check_in(lab.client(), &format!("{} {flags}", nginx.address)));
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert_eq!(done.summary()["outcomes"]["alive"], 1000);
        lab.settle().unwrap();
        assert_eq!(nginx.accepts(), accepts + 1);
        assert_eq!(nginx.logs(), logs);

        // The logs would have shown something.
        nginx.get("/").unwrap();
        wait_until("the request in the log", || nginx.logs()[0].contains("GET / HTTP/1.1"));
        assert_eq!(nginx.logs()[0].lines().count(), 1);
        assert_eq!(nginx.accepts(), accepts + 3);
    }
}
