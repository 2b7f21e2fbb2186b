//! Reads strings from JSON, such as cargo's messages, without a JSON crate.

/// The string value of the first `"key"` in `line`. cargo writes no space after the colon.
pub(crate) fn string(line: &str, key: &str) -> Option<String> {
    let start = format!("\"{key}\":\"");
    quoted(&line[line.find(&start)? + start.len()..]).map(|(text, _)| text)
}

/// The string whose opening quote is just before `rest`, and what follows its closing quote.
pub(crate) fn quoted(rest: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = rest.chars();
    loop {
        match characters.next()? {
            '"' => return Some((text, characters.as_str())),
            '\\' => text.push(unescape(&mut characters)?),
            other => text.push(other),
        }
    }
}

/// The path of the test executable in a message of `cargo test --no-run`, if it is about one.
pub(crate) fn test_executable(line: &str) -> Option<String> {
    // The target has `test` if it can be tested; the profile has it if this artifact is the test.
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
        // A character outside the basic plane would be two escapes, but cargo writes it as UTF-8.
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
