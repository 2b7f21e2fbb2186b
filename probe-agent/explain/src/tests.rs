//! Verdicts, from events to words: hand-written cases in `cases/*.txt`, and a simulated network with random
//! losses.

mod claims;
mod losses;
mod scenario;
mod world;

use std::{collections::BTreeSet, fs, path::Path};

use self::scenario::{Explained, Scenario};

/// Runs one case and returns how the result differs from what was expected.
fn check(text: &str) -> Result<(), String> {
    let Scenario { expected, left, reports, still_pending, .. } = Scenario::run(text)?;
    let mut diff = Vec::new();
    for (probe, verdicts) in &expected.verdicts {
        match reports.iter().find(|t| t.id == *probe) {
            None => diff.push(format!("- {probe} {verdicts}\n+ {probe} not handed out")),
            Some(got) if got.verdicts != *verdicts => {
                diff.push(format!("- {probe} {verdicts}\n+ {probe} {}", got.verdicts));
            }
            Some(_) => {}
        }
    }
    for Explained { id, verdicts, .. } in &reports {
        if !expected.verdicts.contains_key(id) {
            diff.push(format!("- nothing of {id}\n+ {id} {verdicts}"));
        }
    }
    let of = |probe: &String| reports.iter().find(|t| t.id == *probe);
    let said = expected.words.iter().map(|line| (line, of(&line.0).map_or("", |t| &t.text)));
    let advised = expected.advice.iter().map(|line| (line, of(&line.0).map_or("", |t| &t.advice)));
    for ((probe, words, wanted), text) in said.chain(advised) {
        if text.contains(words.as_str()) != *wanted {
            let (verb, text) = (if *wanted { "says" } else { "does not say" }, text.trim());
            diff.push(format!("- {probe} {verb}: {words}\n+ {}", text.replace('\n', "\n+ ")));
        }
    }
    if still_pending != left {
        diff.push(format!("- {left} left waiting\n+ {still_pending} left waiting"));
    }
    if diff.is_empty() { Ok(()) } else { Err(diff.join("\n")) }
}

fn cases() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/cases");
    let mut cases: Vec<(String, String)> = fs::read_dir(folder)
        .expect("the folder of the cases")
        .map(|entry| {
            let path = entry.expect("an entry of it").path();
            let text = fs::read_to_string(&path).expect("a text file");
            (path.file_stem().expect("a name").to_string_lossy().into_owned(), text)
        })
        .collect();
    cases.sort();
    cases
}

#[test]
fn every_case_ends_as_written() {
    let failures: Vec<String> = cases()
        .iter()
        .filter_map(|(name, text)| check(text).err().map(|diff| format!("{name}:\n{diff}")))
        .collect();
    assert!(failures.is_empty(), "\n{}\n", failures.join("\n\n"));
}

#[test]
fn every_verdict_and_every_proof_has_a_case() {
    use model::verdict::{Proof, Verdict};
    let seen: BTreeSet<String> = cases()
        .iter()
        .flat_map(|(_, text)| Scenario::run(text).expect("a case").reports)
        .flat_map(|t| t.verdicts.split([' ', '/', '>']).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let missing = Verdict::ALL
        .iter()
        .map(|v| v.name())
        .chain(Proof::ALL.iter().map(|p| p.name()))
        .filter(|name| !seen.contains(*name));
    assert_eq!(missing.collect::<Vec<_>>(), Vec::<&str>::new());
}

#[test]
fn a_difference_is_shown() {
    let case = "end 1.1 alive syn 0 answer 0.07 rst 0.12\n\
                settle 1600\n\
                expect 1.1 timed_out/confirmed\n\
                says 1.1 pigs can fly\n";
    let diff = check(case).expect_err("a difference");
    assert_eq!(
        diff,
        "- 1.1 timed_out/confirmed\n\
         + 1.1 clean/confirmed\n\
         - 1.1 says: pigs can fly\n\
         + Answered in 70 us and reset. No SYN-ACK of this handshake came again in the 1.600 s that the probe \
         was followed. A server that missed the RST would have sent its SYN-ACK again (after 1 s by default), so \
         whoever answered holds no half-open connection any more, unless its timer is longer or its SYN-ACKs are \
         dropped on the way.\n\
         + tcp_send_reset for the close, 50 us after SYN_SENT -> ESTABLISHED\n\
         + no tcp_send_reset in answer to a SYN-ACK of this handshake for 1.600 s after the last RST"
    );
}
