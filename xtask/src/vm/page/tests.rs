use super::{difference, draw, is_good, wrong};
use crate::vm::transcript::{Transcript, parse};

/// A demo that saw the verdict `lost` with this proof, and one check.
fn transcript(release: &str, name: &str, findings: &str, complaint: &str) -> Transcript {
    let probe = format!(
        r#"{{"scenario":"a","network_type":"ipv4","complaints":[{complaint}],"limits":[],"expected_verdicts":["lost"],"probe":{{"findings":[{findings}]}}}}"#
    );
    let check =
        r#"{"outcome":"alive","verdicts":["clean"],"proof":"inferred","half_open":"enforced"}"#;
    let text = format!(
        "#{release}\n@{name}\n>{probe}\n!probe-agent: BTF: missing\n?0\n@user\n>{check}\n!probe-agent: why\n?0\n.\n"
    );
    parse(&text).unwrap()
}

const CONFIRMED: &str = r#"{"verdict":"lost","proof":"confirmed"}"#;
const CLEAN: &str = r#"{"verdict":"clean","proof":"inferred"}"#;

#[test]
fn the_tables_have_a_row_for_each_verdict_and_each_set_of_capabilities() {
    let page = draw(&[
        transcript("6.1.0-1", "everything", CONFIRMED, ""),
        transcript("6.1.0-1", "lockdown", CLEAN, ""),
        transcript("6.12.3", "everything", CONFIRMED, ""),
    ])
    .unwrap();
    for piece in [
        "## Linux 6.1 (Debian)\n\n| verdict | everything | lockdown |\n| --- | --- | --- |\n| `lost` | confirmed | not seen |\n",
        "## Linux 6.12 (Debian)\n\n| verdict | everything |\n| --- | --- |\n| `lost` | confirmed |\n",
        "| none | alive: `clean` inferred; ACK guard | alive: `clean` inferred; ACK guard |\n",
        "\nLockdown:\n\n```text\nprobe-agent: BTF: missing\n```\n",
        "\nNone:\n\n```text\nprobe-agent: why\n```\n",
    ] {
        assert!(page.contains(piece), "{piece}\n{page}");
    }
}

#[test]
fn what_is_wrong_fails_and_names_kernel_situation_and_scenario() {
    let good = transcript("6.1.0-1", "everything", CONFIRMED, "");
    assert!(is_good(&good));
    assert!(wrong(&[good]).unwrap().is_empty());
    let bad = transcript("6.1.0-1", "everything", CONFIRMED, r#""proof: expected x""#);
    assert!(!is_good(&bad));
    assert_eq!(wrong(&[bad]).unwrap(), ["6.1.0-1: everything: a over ipv4: proof: expected x"]);
    let crashed = parse("#6.1.0-1\n@user\n!panicked\n?101\n*BUG: x\n.\n").unwrap();
    let expected = ["6.1.0-1: kernel log: BUG: x", "6.1.0-1: user: exit code Some(101): panicked"];
    assert_eq!(wrong(&[crashed]).unwrap(), expected);
    let long = parse(&format!("#6.1.0-1\n@user\n!{}\n?0\n.\n", "x".repeat(1500))).unwrap();
    assert!(wrong(&[long]).unwrap()[0].contains("a message of 1500 characters"));
}

#[test]
fn a_changed_line_is_shown_in_both_forms() {
    assert_eq!(difference("same\nold\n", "same\nnew\n"), ["- old", "+ new"]);
}
