//! A lab leaves nothing behind, however its process ends.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use probe_agent::lab::{Family, Fault, Lab, Segment};
use probe_agent_tests::privileged;

const READY: &str = "namespaces:";

#[test]
fn a_killed_process_leaves_nothing() {
    privileged!();
    for signal in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
        // Itself, as another process: the test below, which is ignored otherwise.
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::victim", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(victim.stdout.take().unwrap());
        let inodes = read_inodes(&mut output);
        assert_eq!(inodes.intersection(&visible_namespaces()).count(), 2, "the scan sees them");

        kill(Pid::from_raw(victim.id().try_into().unwrap()), signal).unwrap();
        victim.wait().unwrap();
        // The program that the victim started in a namespace has the same standard output. The end
        // of the file is the end of that program too; the kernel closes a dying process's files
        // after it has left its namespaces.
        output.read_to_end(&mut Vec::new()).unwrap();

        let left: Vec<_> = inodes.intersection(&visible_namespaces()).copied().collect();
        assert!(left.is_empty(), "{signal} left the namespaces {left:?}");
    }
}

#[test]
#[ignore = "the victim of a_killed_process_leaves_nothing, never ends by itself"]
fn victim() {
    let lab = Lab::new().unwrap();
    let _listener = lab.listen(Family::V4).unwrap();
    let _fault = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let mut command = lab.server().command("sleep").unwrap();
    command.arg("infinity");
    let mut process = lab.server().spawn(command).unwrap();
    let [client, server] = [lab.client(), lab.server()].map(|side| side.inode().unwrap());
    println!("\n{READY} {client} {server}");
    process.child().wait().unwrap();
}

fn read_inodes(output: &mut impl BufRead) -> BTreeSet<u64> {
    let line = output.lines().map(Result::unwrap).find(|line| line.starts_with(READY));
    let line = line.expect("the victim made its lab");
    line[READY.len()..].split_whitespace().map(|inode| inode.parse().unwrap()).collect()
}

/// Inodes of all network namespaces that a process on this host is in or holds a descriptor of.
fn visible_namespaces() -> BTreeSet<u64> {
    let processes = entries(Path::new("/proc")).into_iter().filter(|path| path.join("fd").exists());
    let threads = processes.flat_map(|process| {
        let fds = entries(&process.join("fd"));
        let threads = entries(&process.join("task"));
        threads.into_iter().map(|thread| thread.join("ns/net")).chain(fds)
    });
    // Processes and descriptors come and go during the scan; what is gone holds nothing.
    threads.filter_map(|path| namespace_inode(&path)).collect()
}

fn namespace_inode(path: &Path) -> Option<u64> {
    let target = fs::read_link(path).ok()?;
    target.to_str()?.starts_with("net:[").then(|| fs::metadata(path).ok())?.map(|file| file.ino())
}

fn entries(directory: &Path) -> Vec<PathBuf> {
    fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}
