//! A reader that closes the pipe is no failure; a full disk is one.

use std::{
    fs::{self, OpenOptions},
    io,
    process::Command,
};

use probe_agent_tests::binary;

use crate::{
    running::Running,
    support::{Scratch, check, open_port, prepare, run},
};

#[test]
fn a_reader_that_closes_the_pipe_ends_the_run_without_an_error() {
    let open = open_port("127.0.0.1:0");
    for output in ["jsonl", "json"] {
        let flags = format!("{open} --count 0 --interval 0 --settle 0 --no-kernel -o {output}");
        let mut running = Running::start(&mut check(&flags));
        if output == "jsonl" {
            assert_eq!(running.line()["outcome"], "alive");
        }
        running.stop_reading();
        let done = running.finish();
        assert_eq!(done.code, Some(0), "{done:?}");
        let words = done.err.lines().filter(|line| !line.contains("--settle"));
        assert_eq!(words.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn stderr_may_be_closed() {
    let open = open_port("127.0.0.1:0");
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let flags = format!("{open} --settle 0 --no-kernel --output jsonl");
    let done = run(check(&flags).stderr(writer));
    assert_eq!(done.code, Some(0), "{done:?}");
    assert_eq!(done.summary()["probes"], 1);
}

#[test]
fn the_reader_of_the_help_may_close_the_pipe() {
    let (reader, writer) = io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(binary::agent());
    let done = run(prepare(&mut command).args(["check", "--help"]).stdout(writer));
    assert_eq!((done.code, &*done.err), (Some(0), ""));
}

#[test]
fn results_that_cannot_be_written_are_one_line_and_an_exit_code_of_their_own() {
    let open = open_port("127.0.0.1:0");
    let collector = Scratch::new();
    let spans = collector.join("spans.jsonl");
    for output in ["table", "ladder", "json", "jsonl"] {
        // Without an end where results are written during the run.
        let count = if output == "jsonl" { 0 } else { 3 };
        let flags = format!("{open} --count {count} --interval 0 --no-kernel --output {output}");
        let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
        let done = run(check(&flags).arg("--otlp-file").arg(&spans).stdout(full));
        let line = "error: cannot write the results: No space left on device\n";
        assert_eq!((done.code, &*done.err), (Some(5), line), "{output}");
        assert!(fs::metadata(&spans).unwrap().len() > 0, "the spans are delivered all the same");
    }
    let full = OpenOptions::new().write(true).open("/dev/full").unwrap();
    let done =
        run(prepare(&mut Command::new(binary::agent())).args(["demo", "--list"]).stdout(full));
    let line = "error: cannot write the results: No space left on device\n";
    assert_eq!((done.code, &*done.err), (Some(5), line));
}

/// Runs a command of a shell in place of the program; `$0` is the program, and `$@` its arguments.
fn through_shell(script: &str, arguments: &str) -> Command {
    let mut command = Command::new("sh");
    prepare(&mut command).args(["-c", script]).arg(binary::agent());
    command.args(arguments.split_whitespace());
    command
}

#[test]
fn without_a_stdout_nothing_is_started() {
    let open = open_port("127.0.0.1:0");
    for arguments in
        ["--help", "--version", "check --help", "demo --list", &format!("check {open} --no-kernel")]
    {
        let done = run(&mut through_shell("exec \"$0\" \"$@\" >&-", arguments));
        let line = "error: cannot write the results: stdout is closed\n";
        assert_eq!((&*done.err, done.code), (line, Some(5)), "{arguments}");
        let done = run(&mut through_shell("exec \"$0\" \"$@\" >/dev/null", arguments));
        assert_eq!((&*done.err, done.code), ("", Some(0)), "{arguments}");
    }
}

#[test]
fn help_and_version_on_a_full_disk_are_an_error() {
    for arguments in ["--help", "--version", "check --help", "demo -h"] {
        let done = run(&mut through_shell("exec \"$0\" \"$@\" >/dev/full", arguments));
        let line = "error: cannot write to stdout: No space left on device\n";
        assert_eq!((&*done.err, done.code), (line, Some(5)), "{arguments}");
    }
}

#[test]
fn a_limit_of_the_size_of_files_is_an_error_and_ends_nothing_else() {
    let open = open_port("127.0.0.1:0");
    let scratch = Scratch::new();
    let (out, spans) = (scratch.join("out"), scratch.join("spans"));
    let script = format!("ulimit -f 8; exec \"$0\" \"$@\" >{}", out.display());
    let flags = format!("{open} --no-kernel --settle 0 --interval 0 --count 1000 --output jsonl");
    let done = run(&mut through_shell(&script, &format!("check {flags}")));
    let error = done.err.lines().last().unwrap();
    assert_eq!((error, done.code), ("error: cannot write the results: File too large", Some(5)));
    // The spans have no room, and the results do.
    let script = "ulimit -f 8; exec \"$0\" \"$@\"";
    let flags = format!("check {flags} --otlp-file {}", spans.display());
    let done = run(&mut through_shell(script, &flags));
    assert_eq!(done.code, Some(4), "{}", done.err);
    let summary = done.summary();
    assert_eq!(summary["outcomes"]["alive"], 1000);
    assert!(done.err.contains("File too large"), "{}", done.err);
}
