//! Just enough JSON to read cargo's messages, so that xtask needs no crate for it.

/// The string that follows `"key":` at its first appearance in `line`; cargo writes no space after the colon.
pub(crate) fn string(line: &str, key: &str) -> Option<String> {
    let start = format!("\"{key}\":\"");
    let rest = &line[line.find(&start)? + start.len()..];
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some(text),
            '\\' => text.push(unescape(&mut characters)?),
            other => text.push(other),
        }
    }
}

/// The path of the test executable that a message of `cargo test --no-run` announces, if it does.
pub(crate) fn test_executable(line: &str) -> Option<String> {
    // A target says whether it has tests, a profile whether this artifact is them.
    let is_test = line.contains("\"reason\":\"compiler-artifact\"")
        && line
            .split_once("\"profile\":")
            .and_then(|(_, rest)| rest.split_once('}'))
            .is_some_and(|(profile, _)| profile.contains("\"test\":true"));
    is_test.then(|| string(line, "executable")).flatten()
}

fn unescape(characters: &mut std::str::Chars<'_>) -> Option<char> {
    Some(match characters.next()? {
        'n' => '\n',
        't' => '\t',
        'r' => '\r',
        'b' => '\u{8}',
        'f' => '\u{c}',
        // Paths beyond the basic plane would come as two halves; cargo writes those as UTF-8 instead.
        'u' => {
            let digits: String = characters.take(4).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?
        }
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_unescaped() {
        let line = r#"{"a":"x\"y\\z\u0041","b":null}"#;
        assert_eq!(string(line, "a").as_deref(), Some(r#"x"y\zA"#));
        assert_eq!(string(line, "b"), None);
        assert_eq!(string(r#"{"a":"cut"#, "a"), None);
    }

    #[test]
    fn only_test_executables_are_taken() {
        let artifact = |test: bool| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"lab","doc":false,"test":true}},"profile":{{"opt_level":"0","test":{test}}},"executable":"/t/deps/lab-1","fresh":true}}"#
            )
        };
        assert_eq!(test_executable(&artifact(true)).as_deref(), Some("/t/deps/lab-1"));
        assert_eq!(test_executable(&artifact(false)), None);
        assert_eq!(test_executable(r#"{"reason":"build-finished","success":true}"#), None);
    }
}
