//! A lab leaves nothing behind, however its process ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use lab::{Family, Fault, Lab, Segment};
use nix::sys::signal::{SigHandler, Signal, kill, signal};
use nix::unistd::Pid;
use probe_agent_tests::{namespaces, privileged};

const READY: &str = "the lab is ready";

#[test]
fn a_killed_process_leaves_nothing() {
    privileged!();
    for by in [Signal::SIGKILL, Signal::SIGTERM, Signal::SIGINT] {
        // This program as another process, running the test below, which is ignored otherwise.
        let mut victim = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "killed::victim", "--ignored", "--nocapture"])
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(victim.stdout.take().unwrap());
        wait_until_ready(&mut output);
        let made = namespaces::of(victim.id());
        assert_eq!(made.len(), 2);
        assert_eq!(namespaces::left(&made), made, "the scan sees them");

        kill(Pid::from_raw(victim.id().try_into().unwrap()), by).unwrap();
        victim.wait().unwrap();
        // The program that the victim started in a namespace shares its standard output, so the end of
        // that file means that both have ended. The kernel closes the files of a dying process after it
        // has left its namespaces.
        output.read_to_end(&mut Vec::new()).unwrap();

        let left = namespaces::left(&made);
        assert!(left.is_empty(), "{by} left the namespaces {left:?}");
    }
}

#[test]
#[ignore = "the victim of a_killed_process_leaves_nothing, never ends by itself"]
fn victim() {
    for inherited in [Signal::SIGINT, Signal::SIGTERM] {
        // A shell's background jobs ignore interrupts, and so would this one.
        // SAFETY: the default action runs no code of this process.
        unsafe { signal(inherited, SigHandler::SigDfl) }.unwrap();
    }
    let lab = Lab::new().unwrap();
    let _listener = lab.listen(Family::V4).unwrap();
    let _fault = lab.inject(&Fault::lost(Segment::Syn)).unwrap();
    let mut command = lab.server().command("sleep").unwrap();
    command.arg("infinity");
    let mut process = lab.server().spawn(command).unwrap();
    println!("\n{READY}");
    process.child().wait().unwrap();
}

fn wait_until_ready(output: &mut impl BufRead) {
    let ready = output.lines().map(Result::unwrap).any(|line| line == READY);
    assert!(ready, "the victim made its lab");
}
