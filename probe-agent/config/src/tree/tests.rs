//! Texts in, trees or lines about them out.

use super::{Format, Node, Value, parse};

/// A tree in short.
fn shown(node: &Node) -> String {
    let list = |parts: Vec<String>| parts.join(" ");
    match &node.value {
        Value::Null => "null".to_owned(),
        Value::Scalar(scalar) if scalar.is_quoted => format!("{:?}", scalar.text),
        Value::Scalar(scalar) => scalar.text.clone(),
        Value::List(items) => format!("[{}]", list(items.iter().map(shown).collect())),
        Value::Map(entries) => {
            let entry =
                |e: &super::Entry| format!("{}@{}:{}", e.key, e.key_position, shown(&e.value));
            format!("{{{}}}", list(entries.iter().map(entry).collect()))
        }
    }
}

fn read(format: Format, bytes: &[u8]) -> Result<String, String> {
    let (tree, problems) = parse(&"f".into(), format, bytes);
    match tree {
        Some(tree) if problems.is_empty() => Ok(shown(&tree)),
        _ => Err(problems.to_string()),
    }
}

fn yaml(text: &str) -> Result<String, String> {
    read(Format::Yaml, text.as_bytes())
}

fn toml(text: &str) -> Result<String, String> {
    read(Format::Toml, text.as_bytes())
}

#[test]
fn both_formats_give_one_tree() {
    let expected = "{a@1:1:{b@1:5:5} t@2:1:[{n@3:5:\"x\"} {n@4:5:\"y\"}]}";
    let text = "a: {b: 5}\nt:\n  - n: \"x\"\n  - n: 'y'\n";
    assert_eq!(yaml(text).as_deref(), Ok(expected));
    let crlf = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(yaml(&crlf).as_deref(), Ok(expected), "with a byte order mark and CRLF");
    let text = "a = {b = 5}\n[[t]]\nn = 'x'\n[[t]]\nn = \"y\"\n";
    let expected = "{a@1:1:{b@1:6:5} t@2:3:[{n@3:1:\"x\"} {n@5:1:\"y\"}]}";
    assert_eq!(toml(text).as_deref(), Ok(expected));
    let crlf = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(toml(&crlf).as_deref(), Ok(expected), "with a byte order mark and CRLF");
    assert_eq!(
        toml("m = 0x2a\nf = 1.5\nd = 2026-11-25\nb = true").as_deref(),
        Ok("{m@1:1:0x2a f@2:1:1.5 d@3:1:2026-11-25 b@4:1:true}")
    );
}

#[test]
fn nothing_is_an_empty_map() {
    for text in ["", "# a comment\n", "---\n", "~", "\u{feff}"] {
        assert_eq!(yaml(text).as_deref(), Ok("{}"), "{text:?}");
    }
    assert_eq!(toml("").as_deref(), Ok("{}"));
}

#[test]
fn a_scalar_stays_as_it_is_written() {
    // The Norway problem: none of these is a truth value, or a number in base 60.
    let seen = yaml("- no\n- 22:22\n- 0x2a\n- ~\n- 'null'\n- !!str 5\n-\n");
    assert_eq!(seen.as_deref(), Ok("[no 22:22 0x2a null \"null\" \"5\" null]"));
}

#[test]
fn aliases_are_copies() {
    let text = "a: &x {b: 1}\nc: *x\n";
    assert_eq!(yaml(text).as_deref(), Ok("{a@1:1:{b@1:8:1} c@2:1:{b@1:8:1}}"));
}

#[test]
fn what_is_wrong_has_its_place() {
    for (text, line) in [
        (
            "a: 1\na: 2\na: 3\n",
            "f:2:1: a: given twice, first in line 1; remove one\nf:3:1: a: given twice, first in line 1; remove one",
        ),
        (
            "a: &x 1\nb:\n  <<: *x\n",
            "f:3:3: <<: merge keys are not supported; use a group or defaults",
        ),
        ("a: 1\n---\nb: 2\n", "f:2:1: a second document; a file has one: remove the line '---'"),
        ("a: !secret x\n", "f:1:4: the tag !secret is not supported; remove it"),
        ("[a]: 1\n", "f:1:1: a list cannot be a key; write a name"),
        ("a: &x [*x]\n", "f:1:8: the alias is part of what it stands for"),
    ] {
        assert_eq!(yaml(text).err().as_deref(), Some(line), "{text:?}");
    }
    for (text, place, part) in [
        ("a:\n\t- b\n", "f:2:", "indent with spaces"),
        ("a: [1, 2\nb: 3\n", "f:2:", "not YAML: "),
        ("a: 'x\n", "f:", "quotes"),
        ("a: *x\n", "f:1:4", "not YAML: "),
        ("a: b: c\n", "f:1:5", "not YAML: "),
    ] {
        let line = yaml(text).unwrap_err();
        assert!(line.starts_with(place) && line.contains(part), "{text:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
    }
    let lines = toml("a = 1\na = 2\nb = \n").unwrap_err();
    assert!(lines.contains("f:2:1: not TOML: duplicate key"), "{lines}");
    assert!(lines.contains("f:3:"), "all errors are reported: {lines}");
}

#[test]
fn a_duplicate_is_found_among_many_keys() {
    let keys: String = (1..=40).map(|number| format!("k{number}: 1\n")).collect();
    for (again, line) in [("k1", 1), ("k16", 16), ("k17", 17), ("k40", 40)] {
        assert_eq!(
            yaml(&format!("{keys}{again}: 2\n")).err(),
            Some(format!("f:41:1: {again}: given twice, first in line {line}; remove one"))
        );
    }
    assert!(yaml(&keys).is_ok());
}

#[test]
fn what_is_no_text_is_refused() {
    for (bytes, line) in [
        (&b"a: 1\nb: \xff\n"[..], "f:2:4: not UTF-8; save the file as UTF-8"),
        (b"\xff\xfea\0", "f:1:1: this is UTF-16; save the file as UTF-8"),
        (b"a: \0", "f:1:4: a NUL character; this is not a text file"),
    ] {
        for format in [Format::Yaml, Format::Toml] {
            assert_eq!(read(format, bytes).err().as_deref(), Some(line));
        }
    }
}

#[test]
fn json_is_read_by_its_own_rules() {
    let text = "{\n\t\"a\": [1, true, null, \"\\ud83d\\ude00\\/\"]}";
    let (tree, problems) = parse(&"f".into(), Format::Json, text.as_bytes());
    assert!(problems.is_empty(), "{problems}");
    assert!(shown(&tree.unwrap()).ends_with(":[1 true null \"\u{1f600}/\"]}"));
    let read = |text: &str| read(Format::Json, text.as_bytes()).unwrap_err();
    assert_eq!(read("[1,\n2"), "f:2:1: not JSON: EOF while parsing a list");
    assert!(read(&"[".repeat(1 << 20)).starts_with("f:1:128: not JSON: recursion limit"));
}

#[test]
fn a_bomb_is_defused() {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text += &format!("a{level}: &a{level} [{aliases}]\n");
    }
    let line = yaml(&text).unwrap_err();
    assert!(line.contains("more than 2000000 values"), "{line}");
}

#[test]
fn depth_and_length_are_bounded() {
    for deep in ["[".repeat(1_000_000), "- ".repeat(100_000), "{a: ".repeat(100_000)] {
        let line = yaml(&deep).unwrap_err();
        assert!(line.len() < 300 && line.contains("nested too deeply"), "{line}");
    }
    let line = toml(&format!("a = {}", "[".repeat(100_000))).unwrap_err();
    assert!(line.lines().all(|line| line.len() < 300), "{line}");
    let dotted = format!("{}b = 1", "a.".repeat(10_000));
    assert!(toml(&dotted).is_err());
    let long = format!("a: 1\nb: {}", "x".repeat(50 << 20));
    for line in [yaml(&long).unwrap_err(), toml(&long).unwrap_err()] {
        assert_eq!(line, "f:2:1: a line longer than 16 MiB; is this the right file?");
    }
    let long = "x".repeat(1 << 20);
    let line = yaml(&format!("- {long}")).unwrap_err();
    assert_eq!(line, "f:1:3: a value longer than 64 KiB; is this the right file?");
    for line in [
        yaml(&format!("{long}: 1")).unwrap_err(),
        yaml(&format!("a: {long}: x")).unwrap_err(),
        toml(&format!("{long} = '")).unwrap_err(),
        toml(&format!("a = '{long}'")).unwrap_err(),
        toml(&format!("{long} = 1")).unwrap_err(),
    ] {
        assert!(line.len() < 300 && line.starts_with("f:1:"), "{line}");
    }
}

#[test]
fn the_name_tells_the_format() {
    assert_eq!(Format::of("a.json"), Format::Json);
    assert_eq!(Format::of("/etc/probe-agent/config.toml"), Format::Toml);
    for name in ["a.yaml", "a.yml", "toml", "a", "-"] {
        assert_eq!(Format::of(name), Format::Yaml, "{name}");
    }
}
