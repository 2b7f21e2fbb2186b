//! Starts a virtual machine and waits until it powers off.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use crate::failure::{Failure, OrFail, Result};
use crate::progress::note;

use super::files;

/// A machine takes half a minute to two minutes, on a busy host three times as long. One that takes much
/// longer hangs.
const LIMIT: Duration = Duration::from_secs(900);

/// What a machine is made of.
pub(super) struct Machine<'a> {
    pub(super) kernel: &'a Path,
    pub(super) initramfs: &'a Path,
    pub(super) parameters: &'a str,
    /// Where its second serial line is written to.
    pub(super) report: &'a Path,
    /// Where its console is written to.
    pub(super) console: &'a Path,
}

/// Runs it and shows its progress.
pub(super) fn run(machine: &Machine<'_>) -> Result<()> {
    let mut qemu = Command::new(files::find("qemu-system-x86_64")?);
    qemu.args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1G"]);
    qemu.args(["-nodefaults", "-display", "none", "-no-reboot", "-serial", "stdio"]);
    qemu.arg("-serial").arg(format!("file:{}", machine.report.display()));
    qemu.arg("-kernel").arg(machine.kernel).arg("-initrd").arg(machine.initramfs);
    qemu.arg("-append").arg(format!("console=ttyS0 quiet panic=-1 {}", machine.parameters));
    qemu.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
    let mut child = qemu.spawn().or_fail(|| "start qemu-system-x86_64".to_owned())?;
    let ended = follow(&mut child, machine.console);
    if ended.is_err() {
        // It may have ended by itself meanwhile.
        let _ = child.kill();
    }
    child.wait().or_fail(|| "wait for qemu-system-x86_64".to_owned())?;
    ended
}

/// Shows what the machine is at, until its console is closed.
fn follow(child: &mut Child, console: &Path) -> Result<()> {
    let began = Instant::now();
    let Some(output) = child.stdout.take() else { return Ok(()) };
    let (sender, lines) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).split(b'\n').map_while(std::result::Result::ok) {
            // The receiver is gone after a time-out; then nobody wants the line.
            let _ = sender.send(String::from_utf8_lossy(&line).trim_end().to_owned());
        }
    });
    let mut log = String::new();
    let ended = loop {
        let left = LIMIT.saturating_sub(began.elapsed());
        match lines.recv_timeout(left) {
            Ok(line) => {
                if let Some(at) = line.find("=== ") {
                    note(&format!("{:>5.1} s  {}", began.elapsed().as_secs_f64(), &line[at + 4..]));
                }
                log.push_str(&line);
                log.push('\n');
            }
            Err(RecvTimeoutError::Disconnected) => break Ok(()),
            Err(RecvTimeoutError::Timeout) => {
                let message = format!("the virtual machine did not end in {} s", LIMIT.as_secs());
                break Err(Failure::new(message)
                    .remedy(format!("read its console: {}", console.display())));
            }
        }
    };
    fs::write(console, log).or_fail(|| format!("write {}", console.display()))?;
    ended
}

/// The bootable image in an unpacked kernel package.
pub(super) fn kernel(root: &Path) -> Result<PathBuf> {
    let is_image = |path: &PathBuf| files::name(path).starts_with("vmlinuz");
    let entries = |directory: &Path| {
        fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path())
    };
    let versions = entries(&root.join("usr/lib/modules")).chain(entries(&root.join("lib/modules")));
    let places = [root.join("boot")].into_iter().chain(versions);
    let found = places.flat_map(|place| entries(&place).collect::<Vec<_>>()).find(is_image);
    found.ok_or_else(|| Failure::new(format!("{} contains no kernel image", root.display())))
}
