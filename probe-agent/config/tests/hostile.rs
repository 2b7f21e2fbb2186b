//! Whatever the bytes are, the answer is a configuration or lines that say what is wrong.

use probe_agent_config::{
    discovery,
    example::EXAMPLE,
    load::load,
    overrides::Overrides,
    plan::{Discovered, plan},
    tree::Format,
};
use proptest::prelude::*;

const NAMES: [&str; 3] = ["f.yaml", "f.toml", "f.json"];

const TOML: &str = "[agent.limits]\nworkers = 2\n[defaults]\ninterval = '1s'\nlabels = { a = 'b' }\n\
    [[groups.g.targets]]\naddress = 'a:1'\nmark = 0x2a\n[[targets]]\naddress = '[::1]:2'\nports = [1, 2]\n";

/// One line each, none of them long, each with the name of the file.
fn check(name: &str, bytes: &[u8]) -> Result<(), TestCaseError> {
    match load(name, bytes, Overrides::default()) {
        Ok(loaded) => {
            // What is valid can be planned.
            let plan = plan(&loaded, &Discovered::new());
            prop_assert!(plan.probes.len() <= plan.targets);
        }
        Err(problems) => {
            prop_assert!(!problems.is_empty());
            for problem in problems.iter() {
                let line = problem.to_string();
                prop_assert!(line.starts_with(name), "{}", line);
                prop_assert!(!line.contains(char::is_control), "{:?}", line);
                prop_assert!(line.chars().count() <= 1_010, "{}", line);
            }
        }
    }
    for format in [Format::Json, Format::Yaml] {
        let _ = discovery::parse(name, format, bytes);
    }
    Ok(())
}

/// Changes some bytes of a text.
fn damaged(text: &'static str) -> impl Strategy<Value = Vec<u8>> {
    let change = (
        0..text.len(),
        prop_oneof![
            proptest::sample::select(b"\n\t :-[]{}'\"&*!#,=0a\xff\x00\r%@|>?~.".to_vec()),
            any::<u8>(),
        ],
        0..3_usize,
    );
    proptest::collection::vec(change, 1..12).prop_map(move |changes| {
        let mut bytes = text.as_bytes().to_vec();
        for (at, byte, kind) in changes {
            let at = at.min(bytes.len().saturating_sub(1));
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    })
}

proptest! {
    #[test]
    fn random_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        for name in NAMES {
            check(name, &bytes)?;
        }
    }

    #[test]
    fn random_text_of_the_language(text in "[-a-d:\n \t\\[\\]{}'\"&*!#,=0-9.~|>]{0,120}") {
        for name in NAMES {
            check(name, text.as_bytes())?;
        }
    }

    #[test]
    fn damaged_yaml(bytes in damaged(EXAMPLE)) {
        check("f.yaml", &bytes)?;
    }

    #[test]
    fn damaged_toml(bytes in damaged(TOML)) {
        check("f.toml", &bytes)?;
    }
}

#[test]
fn the_texts_that_are_damaged_are_valid() {
    for (name, text) in [("f.yaml", EXAMPLE), ("f.toml", TOML)] {
        let loaded = load(name, text.as_bytes(), Overrides::default());
        assert!(loaded.is_ok(), "{}", loaded.unwrap_err());
    }
}

/// Each key of a policy that is wrong, in each place: a problem is never lost, and never there twice.
#[test]
fn each_problem_is_reported_once() {
    let text = "defaults: {rise: x}\ntargets: [{address: a:1, rise: y}]\n\
        groups: {g: {rise: z, targets: [{address: b:1, rise: q}]}}\nagent: {limits: {workers: w}}\n";
    let problems = load("f.yaml", text.as_bytes(), Overrides::default()).unwrap_err();
    let keys: Vec<&str> = problems.iter().map(|problem| problem.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "defaults.rise",
            "targets[0].rise",
            "groups.g.rise",
            "groups.g.targets[0].rise",
            "agent.limits.workers"
        ]
    );
}
