//! A reader of JSON, for what the agent prints.

/// A JSON value.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

impl Value {
    /// The whole of a text; `None` if it is not JSON.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut reader = Reader { rest: text };
        let value = reader.value()?;
        reader.space();
        reader.rest.is_empty().then_some(value)
    }

    /// A member of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Self::Object(members) => members.iter().find(|(name, _)| name == key).map(|(_, v)| v),
            _ => None,
        }
    }

    pub(super) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The elements of a list; none of anything else.
    pub(super) fn list(&self) -> &[Self] {
        match self {
            Self::List(values) => values,
            _ => &[],
        }
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    /// Whether `word` comes next; then it is passed.
    fn pass(&mut self, word: &str) -> bool {
        self.space();
        let rest = self.rest.strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn value(&mut self) -> Option<Value> {
        self.space();
        match self.rest.chars().next()? {
            '{' => self.sequence("{", "}", Self::member).map(Value::Object),
            '[' => self.sequence("[", "]", Self::value).map(Value::List),
            '"' => self.string().map(Value::Text),
            't' => self.pass("true").then_some(Value::Bool(true)),
            'f' => self.pass("false").then_some(Value::Bool(false)),
            'n' => self.pass("null").then_some(Value::Null),
            _ => self.number(),
        }
    }

    fn sequence<T>(
        &mut self,
        open: &str,
        close: &str,
        element: impl Fn(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        let mut all = Vec::new();
        if !self.pass(open) {
            return None;
        }
        if self.pass(close) {
            return Some(all);
        }
        loop {
            all.push(element(self)?);
            if self.pass(close) {
                return Some(all);
            }
            if !self.pass(",") {
                return None;
            }
        }
    }

    fn member(&mut self) -> Option<(String, Value)> {
        let name = self.string()?;
        if !self.pass(":") {
            return None;
        }
        Some((name, self.value()?))
    }

    fn number(&mut self) -> Option<Value> {
        let is_part = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
        let end = self.rest.find(|c| !is_part(c)).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        digits.parse().ok().map(Value::Number)
    }

    fn string(&mut self) -> Option<String> {
        if !self.pass("\"") {
            return None;
        }
        let (text, rest) = crate::json::quoted(self.rest)?;
        self.rest = rest;
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::Value;

    #[test]
    fn every_kind_of_value_is_read() {
        let text =
            r#" {"a": [1, -2.5e3, true, false, null], "b": {"c": "x\"\u0041"}, "d": [], "e": {}} "#;
        let value = Value::parse(text).unwrap();
        let numbers = value.get("a").unwrap().list();
        assert_eq!(numbers[1], Value::Number(-2500.0));
        assert_eq!(numbers[2..], [Value::Bool(true), Value::Bool(false), Value::Null]);
        assert_eq!(value.get("b").and_then(|b| b.get("c")).and_then(Value::text), Some("x\"A"));
        assert!(value.get("d").unwrap().list().is_empty());
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in ["", "{", "[1,]", "{\"a\"}", "nul", "1 2", "\"cut"] {
            assert_eq!(Value::parse(text), None, "{text}");
        }
    }
}
