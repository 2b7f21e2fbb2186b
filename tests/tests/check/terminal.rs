//! Progress on a terminal.

use std::process::Command;

use probe_agent_tests::binary;

use crate::support::{Done, closed_port, open_port, prepare, run};

/// Runs `check` for a little more than a second with its stderr on a terminal of this width.
fn on_terminal(columns: u16, flags: &str) -> Done {
    let open = open_port("127.0.0.1:0");
    let agent = binary::agent();
    in_terminal(&format!(
        "stty rows 24 cols {columns} && '{}' check {open} --no-kernel --count 15 --interval 100ms --settle 0 {flags}",
        agent.display()
    ))
}

fn in_terminal(command: &str) -> Done {
    let mut script = Command::new("script");
    prepare(&mut script).args(["--quiet", "--return", "--command", command, "/dev/null"]);
    run(script.env("TERM", "xterm").env("SHELL", "/bin/sh"))
}

#[test]
fn a_long_run_shows_its_progress_and_erases_the_line() {
    let done = on_terminal(80, ">/dev/null");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains("\r\u{1b}[K") && done.out.contains(" of 15 probes ("), "{done:?}");
    assert!(done.out.ends_with("\r\u{1b}[K"), "{done:?}");
}

#[test]
fn results_on_the_same_terminal_are_not_written_behind_the_progress() {
    let done = on_terminal(80, "--output jsonl");
    assert_eq!(done.code, Some(0), "{done:?}");
    assert!(done.out.contains(" of 15 probes ("), "{done:?}");
    let mut objects = 0;
    for line in done.out.split("\r\n").filter(|line| line.contains('{')) {
        // Everything before the last erasure is no longer on the screen.
        let shown = line.rsplit("\r\u{1b}[K").next().unwrap();
        assert!(shown.starts_with('{') && shown.ends_with('}'), "{line:?}");
        objects += 1;
    }
    assert_eq!(objects, 16);
}

/// A wrapped line could not be erased.
#[test]
fn progress_fits_a_narrow_terminal() {
    let done = on_terminal(20, ">/dev/null");
    assert_eq!(done.code, Some(0), "{done:?}");
    let drawn: Vec<&str> = done.out.split("\r\u{1b}[K").filter(|line| !line.is_empty()).collect();
    assert!(drawn.iter().any(|line| line.contains(" of 15")), "{drawn:?}");
    // The warning about --settle comes first; the terminal wraps it like any text.
    let progress = drawn.iter().filter(|line| !line.contains('\n'));
    assert!(progress.clone().all(|line| line.chars().count() < 20), "{drawn:?}");
    for output in ["table", "ladder"] {
        let done = on_terminal(20, &format!("--output {output}"));
        assert_eq!(done.code, Some(0), "{done:?}");
        assert!(done.out.contains("alive") && done.out.contains("Outcomes"), "{done:?}");
    }
}

#[test]
fn a_run_without_an_end_shows_changes_above_its_progress() {
    let open = open_port("127.0.0.1:0");
    let (_closed, closed) = closed_port();
    // Longer than the second after which the progress line appears.
    let done = in_terminal(&format!(
        "stty rows 24 cols 80 && timeout --preserve-status --signal INT 3 '{}' check {open} {closed} \
         --no-kernel --count 0 --interval 50ms --settle 0",
        binary::agent().display()
    ));
    assert_eq!(done.code, Some(130), "{done:?}");
    assert!(done.out.contains("  1 target not as expected  "), "{done:?}");
    let changes: Vec<&str> =
        done.out.lines().filter(|line| line.contains(&format!("Z  {closed}"))).collect();
    assert!(!changes.is_empty(), "{done:?}");
    for line in changes {
        let shown = line.rsplit("\r\u{1b}[K").next().unwrap();
        assert!(shown.starts_with("20"), "{line:?}");
    }
    // Repeated refusals print nothing, so the progress line is not erased for them.
    let erased = done.out.matches("\r\u{1b}[K\r\u{1b}[K").count();
    assert_eq!(erased, 0, "{done:?}");
}
