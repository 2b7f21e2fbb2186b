//! A stand-in for the usual design of such a checker in Go or another language with light tasks: a fresh
//! socket for each probe, one poller, and a task for each probe in flight, on all cores. No tracing, no
//! verdicts, no output but a count.

use std::{
    env,
    net::SocketAddr,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use anyhow::{Result, bail, ensure};
use socket2::SockRef;
use tokio::{net::TcpSocket, task::JoinSet, time::timeout};

use crate::comparison::SOCKETS;

const TIMEOUT: Duration = Duration::from_secs(1);

/// The command that runs it in a process of its own.
pub(crate) fn command(target: SocketAddr, probes: u64) -> Result<Command> {
    let mut command = Command::new(env::current_exe()?);
    command.args(["--usual-design", &target.to_string(), "--probes", &probes.to_string()]);
    Ok(command)
}

/// Runs it in this process.
pub(crate) fn run(target: SocketAddr, probes: u64) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let answered = runtime.block_on(async {
        let left = Arc::new(AtomicU64::new(probes));
        let mut tasks = JoinSet::new();
        for _ in 0..SOCKETS {
            tasks.spawn(probe_until_none_is_left(target, Arc::clone(&left)));
        }
        let mut answered = 0;
        while let Some(task) = tasks.join_next().await {
            answered += task??;
        }
        anyhow::Ok(answered)
    })?;
    ensure!(answered == probes, "only {answered} of {probes} probes were answered");
    println!("{answered} answered");
    Ok(())
}

async fn probe_until_none_is_left(target: SocketAddr, left: Arc<AtomicU64>) -> Result<u64> {
    let mut answered = 0;
    let take = |n: u64| n.checked_sub(1);
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
        probe(target).await?;
        answered += 1;
    }
    Ok(answered)
}

async fn probe(target: SocketAddr) -> Result<()> {
    let socket = TcpSocket::new_v4()?;
    socket.set_zero_linger()?;
    SockRef::from(&socket).set_tcp_quickack(false)?;
    match timeout(TIMEOUT, socket.connect(target)).await {
        Ok(stream) => drop(stream?),
        Err(_) => bail!("a probe of the usual design timed out"),
    }
    Ok(())
}
