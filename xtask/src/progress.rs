//! Progress output: a line at the start of each step, and the time that it took at its end.

use std::fs::{self, File};
use std::io::{IsTerminal as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::command;
use crate::failure::{Failure, OrFail, Result};

/// A terminal shows a counter that moves each second; a log gets a line each minute.
const TERMINAL_BEAT: Duration = Duration::from_secs(1);
const LOG_BEAT: Duration = Duration::from_secs(60);

/// Runs `work` as a step: `title` is printed before it, the time that it took after it.
pub(crate) fn step<T>(title: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    eprintln!("==> {title}");
    let start = Instant::now();
    let result = work();
    let word = if result.is_ok() { "done" } else { "FAILED" };
    eprintln!("    {word} in {}", seconds(start.elapsed()));
    result
}

/// Prints a line within a step.
pub(crate) fn note(text: &str) {
    eprintln!("    {text}");
}

/// Runs a slow `command` with its output in the file `log`. If it fails, the message names the file.
pub(crate) fn logged(command: &mut Command, log: &Path) -> Result<()> {
    if let Some(parent) = log.parent() {
        fs::create_dir_all(parent).or_fail(|| format!("create {}", parent.display()))?;
    }
    let create = || format!("create the log {}", log.display());
    let file = File::create(log).or_fail(create)?;
    let second = file.try_clone().or_fail(create)?;
    let shown = command::display(command);
    command.stdin(Stdio::null()).stdout(file).stderr(second);
    let mut child = command.spawn().or_fail(|| format!("start `{shown}`"))?;
    let status = with_heartbeat(|| child.wait()).or_fail(|| format!("wait for `{shown}`"))?;
    if status.success() {
        return Ok(());
    }
    eprintln!("    the last lines of {}:", log.display());
    let text = fs::read(log).unwrap_or_default();
    for line in tail(&String::from_utf8_lossy(&text), 8) {
        eprintln!("    | {line}");
    }
    Err(Failure::new(format!("`{shown}` failed ({status}); its log is {}", log.display())))
}

/// Shows the elapsed time while `work` runs.
fn with_heartbeat<T>(work: impl FnOnce() -> T) -> T {
    let terminal = std::io::stderr().is_terminal();
    let (stop, stopped) = mpsc::channel::<()>();
    std::thread::scope(|scope| {
        scope.spawn(move || beat(terminal, &stopped));
        let result = work();
        drop(stop);
        result
    })
}

/// Prints the elapsed time until the other end of `stopped` is dropped.
fn beat(terminal: bool, stopped: &mpsc::Receiver<()>) {
    let start = Instant::now();
    let period = if terminal { TERMINAL_BEAT } else { LOG_BEAT };
    while stopped.recv_timeout(period) == Err(RecvTimeoutError::Timeout) {
        let elapsed = start.elapsed().as_secs();
        if terminal {
            eprint!("\r    {elapsed} s");
            // A counter that cannot be shown is not a reason to stop.
            let _ = std::io::stderr().flush();
        } else {
            eprintln!("    still running after {elapsed} s");
        }
    }
    if terminal {
        eprint!("\r               \r");
    }
}

fn tail(text: &str, count: usize) -> impl Iterator<Item = &str> {
    text.lines().skip(text.lines().count().saturating_sub(count))
}

/// A duration for people: "0.4 s", "2 min 05 s".
pub(crate) fn seconds(duration: Duration) -> String {
    if duration < Duration::from_secs(60) {
        return format!("{:.1} s", duration.as_secs_f64());
    }
    let whole = duration.as_secs();
    format!("{} min {:02} s", whole / 60, whole % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_well() {
        assert_eq!(seconds(Duration::from_millis(440)), "0.4 s");
        assert_eq!(seconds(Duration::from_secs(125)), "2 min 05 s");
    }

    #[test]
    fn the_tail_is_the_end() {
        assert_eq!(tail("a\nb\nc\n", 2).collect::<Vec<_>>(), ["b", "c"]);
        assert_eq!(tail("a", 2).collect::<Vec<_>>(), ["a"]);
    }
}
