//! docs/configuration.md.

use std::fmt::Write;

use super::rows::{Row, rows};
use crate::overrides::{keys, variables};

const HEAD: &str = "\
# Configuration

<!-- Generated from the schema: UPDATE_GOLDEN=1 cargo test -p probe-agent-config reference -->

The configuration of the agent as a service, in YAML or TOML (by the end of the file's name). The same keys mean the
same in both.

- `probe-agent config example` prints a file with every key.
- `probe-agent config check FILE...` checks files: each problem is one line with file, line, column, key and remedy.
- `probe-agent config show FILE` prints each value that holds, and where it comes from.
- `probe-agent config schema` prints the [JSON Schema](configuration.schema.json), for editors.

A value comes from the first of these that sets it: a flag (`--set KEY=VALUE`), a variable of the environment (see
[below](#variables)), the target itself, its group, `defaults`, and what is built in. A flag or a variable for a key
of the policy overrides every target.

Durations have a unit: `500ms`, `2s`, `1m`, at most `24h`. Unknown keys, duplicate keys, YAML merge keys and tags are
errors. Two targets may not have the same name and labels.
";

/// The text of docs/configuration.md.
#[must_use]
pub fn markdown() -> String {
    let mut text = HEAD.to_owned();
    let rows = rows();
    let mut sections: Vec<&str> = Vec::new();
    for row in &rows {
        if !sections.contains(&row.section.as_str()) {
            sections.push(&row.section);
        }
    }
    for section in sections {
        let of_section = rows.iter().filter(|row| row.section == section);
        text += &title(section);
        table(&mut text, of_section);
    }
    text += "\n## Variables\n\n| key | variable |\n| --- | --- |\n";
    for key in keys() {
        let names: Vec<String> = variables(&key).iter().map(|name| format!("`{name}`")).collect();
        // Writing to a string does not fail.
        let _ = writeln!(text, "| `{key}` | {} |", names.join(", "));
    }
    text += "\nOf several variables for one key, the first that is set counts. An empty variable counts as not set.\n";
    text
}

fn title(section: &str) -> String {
    match section {
        "" => "\n## The file\n\n".to_owned(),
        "policy" => "\n## Policy\n\nThese keys can be written in `defaults`, in a group, and in a target.\n\n".to_owned(),
        "groups.NAME" => "\n## `groups.NAME`\n\nBeside the keys of the [policy](#policy):\n\n".to_owned(),
        "targets[]" | "defaults" => {
            format!("\n## `{section}`\n\nBeside the keys of the [policy](#policy):\n\n")
        }
        section => format!("\n## `{section}`\n\n"),
    }
}

fn table<'a>(text: &mut String, rows: impl Iterator<Item = &'a Row>) {
    *text += "| key | value | default | meaning |\n| --- | --- | --- | --- |\n";
    for row in rows {
        let default =
            if row.default.is_empty() { String::new() } else { format!("`{}`", row.default) };
        let kind = row.kind.replace('|', "\\|");
        let _ = writeln!(text, "| `{}` | {kind} | {default} | {} |", row.key, row.meaning);
    }
}
