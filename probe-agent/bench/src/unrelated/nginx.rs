//! nginx as the unrelated load: a real server that is not ours.

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result, ensure};
use nix::{
    sched::{CpuSet, sched_getaffinity, sched_setaffinity},
    sys::signal::{Signal, kill},
    time::{ClockId, clock_gettime},
    unistd::Pid,
};
use tempfile::TempDir;

/// How long nginx may take to listen.
const PATIENCE: Duration = Duration::from_secs(10);

/// A running nginx of one process; dropping it ends it.
pub(super) struct Nginx {
    child: Child,
    address: SocketAddr,
    clock: ClockId,
    /// Its files, removed after its end.
    _directory: TempDir,
}

impl Nginx {
    /// Starts it, on one CPU.
    pub(super) fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let address = free_port()?;
        let path = directory.path().to_str().context("the directory's name is no text")?;
        let file = directory.path().join("nginx.conf");
        fs::write(&file, configuration(path, address))?;
        let mut command = Command::new("nginx");
        command.args(["-p", path, "-e", &format!("{path}/error.log"), "-c"]).arg(file);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().context("nginx cannot be started (see `cargo xtask setup`)")?;
        sched_setaffinity(pid(&child), &first_cpu()?)?;
        let clock = ClockId::pid_cpu_clock_id(pid(&child))?;
        let nginx = Self { child, address, clock, _directory: directory };
        let began = Instant::now();
        while nginx.get(1).is_err() {
            ensure!(began.elapsed() < PATIENCE, "nginx does not answer");
            thread::yield_now();
        }
        Ok(nginx)
    }

    /// Runs `work` with the calling thread on the CPU of this nginx. Otherwise most of the noise would come
    /// from which CPU wakes which.
    pub(super) fn beside<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<T> {
        let this = Pid::from_raw(0);
        let everywhere = sched_getaffinity(this)?;
        sched_setaffinity(this, &first_cpu()?)?;
        let done = work();
        sched_setaffinity(this, &everywhere)?;
        done
    }

    /// Opens so many connections at once, each with one request, as a load generator does. nginx serves all
    /// of them when it is scheduled, so the order of scheduling matters little.
    pub(super) fn get(&self, count: usize) -> Result<()> {
        let connect = |_| TcpStream::connect(self.address);
        let mut streams: Vec<_> = (0..count).map(connect).collect::<Result<_, _>>()?;
        for stream in &mut streams {
            stream.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")?;
        }
        let mut answer = Vec::new();
        for mut stream in streams {
            answer.clear();
            stream.read_to_end(&mut answer)?;
            ensure!(answer.ends_with(b"up"), "nginx answered something else");
        }
        Ok(())
    }

    /// CPU time that it took so far, in nanoseconds.
    pub(super) fn time(&self) -> Result<f64> {
        let time = clock_gettime(self.clock)?;
        Ok(time.tv_sec() as f64 * 1e9 + time.tv_nsec() as f64)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // It is our child and has not been waited for, so no other process has its id.
        let _ = kill(pid(&self.child), Signal::SIGTERM);
        let _ = self.child.wait();
    }
}

fn first_cpu() -> Result<CpuSet> {
    let mut cpus = CpuSet::new();
    cpus.set(0)?;
    Ok(cpus)
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id() as i32)
}

/// A free port of this network namespace, which is private.
fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

fn configuration(path: &str, address: SocketAddr) -> String {
    format!(
        "daemon off; master_process off; pid {path}/pid; error_log {path}/error.log;
         events {{ }}
         http {{
             access_log off;
             client_body_temp_path {path}/body; proxy_temp_path {path}/proxy;
             fastcgi_temp_path {path}/fastcgi; uwsgi_temp_path {path}/uwsgi;
             scgi_temp_path {path}/scgi;
             server {{ listen {address}; location / {{ return 200 up; }} }}
         }}"
    )
}
