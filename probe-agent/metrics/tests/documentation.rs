//! `docs/metrics.md` lists exactly the metrics that there are.
//!
//! `UPDATE_GOLDEN=1 cargo test -p probe-agent-metrics --test documentation` writes the table anew.

use std::{env, fs, path::Path};

use probe_agent_metrics::{Family, families, single};

const BEGIN: &str = "<!-- generated: metrics -->\n";
const BEGIN_SINGLE: &str = "<!-- generated: metrics of single probes -->\n";
const END: &str = "<!-- end -->\n";

fn table(families: impl Iterator<Item = (&'static Family, bool)>) -> String {
    let mut text = String::from(
        "| metric | type | labels | series at most | meaning |\n| --- | --- | --- | --- | --- |\n",
    );
    for (family, is_of_target) in families {
        let own = if is_of_target { &["target", "address", "…"][..] } else { &[] };
        let labels: Vec<String> =
            own.iter().chain(family.labels).map(|label| format!("`{label}`")).collect();
        text.push_str(&format!(
            "| `{}` | {} | {} | {} | {} |\n",
            family.name,
            family.kind.name(),
            labels.join(", "),
            family.bound,
            family.help
        ));
    }
    text
}

/// The text with another table after a mark.
fn with_table(text: &str, begin: &str, table: &str) -> String {
    let (before, rest) = text.split_once(begin).expect("where the table begins");
    let (_, after) = rest.split_once(END).expect("where it ends");
    format!("{before}{begin}{table}{END}{after}")
}

#[test]
fn the_documentation_lists_every_metric() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/metrics.md");
    let text = fs::read_to_string(&file).expect("docs/metrics.md");
    let wanted = with_table(&text, BEGIN, &table(families()));
    let single = single::families().map(|family| (family, false));
    let wanted = with_table(&wanted, BEGIN_SINGLE, &table(single));
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &wanted).expect("docs/metrics.md can be written");
    }
    let text = fs::read_to_string(&file).expect("docs/metrics.md");
    assert!(text == wanted, "docs/metrics.md is out of date: run this test with UPDATE_GOLDEN=1");
}
