//! Progress on a terminal.

use std::process::Command;

use probe_agent_tests::binary;

use crate::support::{Done, open_port, prepare, run};

/// Runs `check` for a little more than a second with its stderr on a terminal of this width.
fn on_terminal(columns: u16, flags: &str) -> Done {
    let open = open_port("127.0.0.1:0");
    let agent = binary::agent();
    let command = format!(
        "stty rows 24 cols {columns} && '{}' check {open} --no-kernel --count 15 --interval 100ms --settle 0 {flags}",
        agent.display()
    );
    let mut script = Command::new("script");
    prepare(&mut script).args(["--quiet", "--return", "--command", &command, "/dev/null"]);
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
