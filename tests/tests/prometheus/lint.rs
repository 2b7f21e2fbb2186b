//! `promtool check metrics` finds nothing.

use std::{path::Path, time::Duration};

use metrics::{
    Format,
    single::{self, Answer},
};

use crate::{
    filled,
    promtool::{has, promtool},
};

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics() {
    if !has("promtool") {
        return;
    }
    let text = filled::exposition(Format::Text);
    let (is_content, printed) = promtool(&["check", "metrics"], Path::new("/"), &text);
    assert!(is_content && printed.is_empty(), "{printed}");
    // It would have found something: a counter without its suffix, and no help.
    let wrong =
        text.replace("# HELP probe_agent_targets ", "# ").replace("_stalls_total", "_stalls");
    let (is_content, printed) = promtool(&["check", "metrics"], Path::new("/"), &wrong);
    assert!(!is_content, "{printed}");
    assert!(printed.contains("probe_agent_targets") && printed.contains("_stalls"), "{printed}");
}

#[test]
fn every_metric_has_a_sample_in_this_test() {
    let text = filled::exposition(Format::Text);
    for (family, _) in metrics::families() {
        assert!(text.lines().any(|line| line.starts_with(family.name)), "{}", family.name);
    }
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics_of_a_single_probe() {
    if !has("promtool") {
        return;
    }
    let answer = Answer {
        success: false,
        duration: Duration::from_millis(3),
        lookup: Some(Duration::from_millis(2)),
        address: Some([10, 0, 0, 1].into()),
        not_started: Some("_OTHER"),
        probe: None,
    };
    let text = single::text(&answer, Format::Text);
    let (is_content, printed) = promtool(&["check", "metrics"], Path::new("/"), &text);
    assert!(is_content && printed.is_empty(), "{printed}");
}
