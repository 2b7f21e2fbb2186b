//! The exit code reports whether all targets were as expected.

use crate::support::{check, closed_port, open_port, run};

#[test]
fn as_expected_or_not() {
    let v4 = open_port("127.0.0.1:0");
    let v6 = open_port("[::1]:0");
    // Both families, because the first address of `localhost` may be of either.
    let both = open_port("[::]:0");
    let (_closed, closed) = closed_port();
    let (v4, v6, closed) = (&v4.to_string(), &v6.to_string(), &closed.to_string());
    let (mapped, named) =
        (&v4.replace("127.0.0.1", "[::ffff:127.0.0.1]"), &format!("localhost:{}", both.port()));
    let closed_mapped = &closed.replace("127.0.0.1", "[::ffff:127.0.0.1]");
    for (targets, expect, code) in [
        (vec![v4], "open", 0),
        (vec![v6], "open", 0),
        (vec![mapped], "open", 0),
        (vec![named], "open", 0),
        (vec![v4, v6, mapped, named], "open", 0),
        (vec![closed], "open", 1),
        (vec![closed_mapped], "open", 1),
        (vec![closed], "closed", 0),
        (vec![closed, closed_mapped], "closed", 0),
        (vec![v4], "closed", 1),
        (vec![v4, closed], "open", 1),
        (vec![v4, closed], "closed", 1),
    ] {
        let mut command = check(
            "--no-kernel --settle 0 --count 2 --interval 0 --output jsonl --resolve first --expect",
        );
        let done = run(command.arg(expect).args(&targets));
        assert_eq!(done.code, Some(code), "{targets:?} {expect}: {done:?}");
        let summary = done.summary();
        assert_eq!(summary["probes"], 2 * targets.len(), "{summary}");
        for (target, seen) in targets.iter().zip(summary["targets"].as_array().unwrap()) {
            let open = ![closed, closed_mapped].contains(target);
            assert_eq!(seen["target"], **target);
            assert_eq!(seen["outcomes"][if open { "alive" } else { "refused" }], 2, "{seen}");
            assert_eq!(seen["as_expected"], open == (expect == "open"));
        }
        for probe in done.probes() {
            let advice = &probe["findings"][0]["advice"];
            match (probe["outcome"].as_str(), expect) {
                (Some("alive"), "open") | (Some("refused"), "closed") => assert!(advice.is_null()),
                (Some("alive"), _) => {
                    assert!(advice.as_str().unwrap().starts_with("Something listens"), "{probe}");
                }
                _ => assert!(advice.as_str().unwrap().starts_with("Nothing listens"), "{probe}"),
            }
        }
    }
}
