//! An answer as a tree of names and values, read from what `Debug` writes of a message, and written so that it is read again.

use std::fmt::{Debug, Write};

/// Columns that a line may have before it is broken.
const COLUMNS: usize = 140;

/// A tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// Null.
    Null,
    /// A number, a word, an id.
    Word(String),
    /// A text.
    Text(String),
    /// Bytes that are no text.
    Bytes(Vec<u8>),
    /// In their order.
    List(Vec<Value>),
    /// By name.
    Fields(Vec<(String, Value)>),
}

impl Value {
    /// The tree of a message.
    pub fn of(message: &impl Debug) -> Self {
        let text = format!("{message:?}");
        Self::parse(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }

    /// Reads what [`Value::text`] or a derived `Debug` writes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser { text: text.as_bytes(), at: 0 };
        let value = parser.value()?;
        parser.space();
        if parser.at == text.len() { Ok(value) } else { Err(format!("byte {} is one too many", parser.at)) }
    }

    /// A number or word.
    pub fn word(word: impl ToString) -> Self {
        Self::Word(word.to_string())
    }

    /// The field of a tree.
    pub fn field(&self, name: &str) -> Option<&Self> {
        let Self::Fields(fields) = self else { return None };
        fields.iter().find(|(field, _)| field == name).map(|(_, value)| value)
    }

    /// On one line.
    pub fn flat(&self) -> String {
        match self {
            Self::Null => "null".to_owned(),
            Self::Word(word) => word.clone(),
            Self::Text(text) => format!("{text:?}"),
            Self::Bytes(bytes) => format!("b\"{}\"", bytes.escape_ascii()),
            Self::List(list) => format!("[{}]", list.iter().map(Self::flat).collect::<Vec<_>>().join(", ")),
            Self::Fields(fields) => {
                let field = |(name, value): &(String, Self)| format!("{name}: {}", value.flat());
                format!("{{{}}}", fields.iter().map(field).collect::<Vec<_>>().join(", "))
            }
        }
    }

    /// On as many lines as it needs.
    pub fn text(&self, indent: usize) -> String {
        let flat = self.flat();
        if flat.len() + indent <= COLUMNS {
            return flat;
        }
        let mut text = String::new();
        let space = " ".repeat(indent + 2);
        match self {
            Self::List(list) => {
                text.push_str("[\n");
                for value in list {
                    writeln!(text, "{space}{},", value.text(indent + 2)).expect("writes");
                }
                write!(text, "{}]", " ".repeat(indent)).expect("writes");
            }
            Self::Fields(fields) => {
                text.push_str("{\n");
                // As many fields on a line as fit.
                let mut line = String::new();
                for (name, value) in fields {
                    let field = format!("{name}: {},", value.text(indent + 2));
                    let fits = line.len() + field.len() + indent <= COLUMNS && !field.contains('\n');
                    if !line.is_empty() && !fits {
                        writeln!(text, "{space}{line}").expect("writes");
                        line.clear();
                    }
                    if !line.is_empty() {
                        line.push(' ');
                    }
                    line.push_str(&field);
                }
                writeln!(text, "{space}{line}").expect("writes");
                write!(text, "{}}}", " ".repeat(indent)).expect("writes");
            }
            _ => return flat,
        }
        text
    }
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn value(&mut self) -> Result<Value, String> {
        self.space();
        match self.peek() {
            Some(b'[') => self.list(b'[', b']').map(Value::List),
            Some(b'{') => self.fields().map(Value::Fields),
            Some(b'"') => {
                let bytes = self.quoted()?;
                String::from_utf8(bytes).map(Value::Text).map_err(|error| error.to_string())
            }
            Some(b'b') if self.text.get(self.at + 1) == Some(&b'"') => {
                self.at += 1;
                self.quoted().map(Value::Bytes)
            }
            _ => self.named(),
        }
    }

    /// A word, or what stands behind it: `Some(x)` and other wrappers are what they hold.
    fn named(&mut self) -> Result<Value, String> {
        let from = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"_-.+~:#*".contains(&byte)) {
            self.at += 1;
        }
        let word = String::from_utf8_lossy(&self.text[from..self.at]).into_owned();
        if word.is_empty() {
            return Err(format!("byte {} begins no value", self.at));
        }
        if self.peek() == Some(b'(') {
            let mut held = self.list(b'(', b')')?;
            return if held.len() == 1 { Ok(held.remove(0)) } else { Ok(Value::List(held)) };
        }
        let after = self.at;
        self.space();
        if self.peek() == Some(b'{') {
            return self.fields().map(Value::Fields);
        }
        self.at = after;
        Ok(if word == "None" || word == "null" { Value::Null } else { Value::Word(word) })
    }

    fn list(&mut self, open: u8, close: u8) -> Result<Vec<Value>, String> {
        self.expect(open)?;
        let mut list = Vec::new();
        loop {
            self.space();
            if self.peek() == Some(close) {
                self.at += 1;
                return Ok(list);
            }
            list.push(self.value()?);
            self.comma(close)?;
        }
    }

    fn fields(&mut self) -> Result<Vec<(String, Value)>, String> {
        self.expect(b'{')?;
        let mut fields = Vec::new();
        loop {
            self.space();
            if self.peek() == Some(b'}') {
                self.at += 1;
                return Ok(fields);
            }
            let from = self.at;
            while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                self.at += 1;
            }
            let name = String::from_utf8_lossy(&self.text[from..self.at]).into_owned();
            self.expect(b':')?;
            fields.push((name, self.value()?));
            self.comma(b'}')?;
        }
    }

    fn comma(&mut self, close: u8) -> Result<(), String> {
        self.space();
        if self.peek() == Some(close) { Ok(()) } else { self.expect(b',') }
    }

    fn quoted(&mut self) -> Result<Vec<u8>, String> {
        self.expect(b'"')?;
        let mut bytes = Vec::new();
        loop {
            match self.next()? {
                b'"' => return Ok(bytes),
                b'\\' => match self.next()? {
                    b'n' => bytes.push(b'\n'),
                    b'r' => bytes.push(b'\r'),
                    b't' => bytes.push(b'\t'),
                    b'0' => bytes.push(0),
                    b'x' => {
                        let digits = [self.next()?, self.next()?];
                        bytes.push(number(&digits)? as u8);
                    }
                    b'u' => {
                        self.expect(b'{')?;
                        let from = self.at;
                        while self.next()? != b'}' {}
                        let letter = char::from_u32(number(&self.text[from..self.at - 1])?).unwrap_or('?');
                        bytes.extend(letter.to_string().bytes());
                    }
                    other => bytes.push(other),
                },
                other => bytes.push(other),
            }
        }
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn next(&mut self) -> Result<u8, String> {
        self.at += 1;
        self.text.get(self.at - 1).copied().ok_or_else(|| "it ends too early".to_owned())
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        let at = self.at;
        let found = self.next()?;
        if found == byte { Ok(()) } else { Err(format!("{:?} at byte {at} is no {:?}", found as char, byte as char)) }
    }
}

fn number(digits: &[u8]) -> Result<u32, String> {
    u32::from_str_radix(&String::from_utf8_lossy(digits), 16).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    #[expect(dead_code, reason = "only its Debug is looked at")]
    struct Sample {
        number: i32,
        text: Option<String>,
        none: Option<i32>,
        bytes: bytes::Bytes,
        list: Vec<(i32, &'static str)>,
        id: uuid::Uuid,
    }

    #[test]
    fn what_debug_writes_is_read_and_written_again() {
        let sample = Sample {
            number: -7,
            text: Some("a \"b\"\n\u{7f}é".to_owned()),
            none: None,
            bytes: bytes::Bytes::from_static(b"\x00\xff\"x\\"),
            list: Vec::new(),
            id: uuid::Uuid::nil(),
        };
        let value = Value::of(&sample);
        assert_eq!(value.field("number"), Some(&Value::word(-7)));
        assert_eq!(value.field("text"), Some(&Value::Text("a \"b\"\n\u{7f}é".to_owned())));
        assert_eq!(value.field("none"), Some(&Value::Null));
        assert_eq!(value.field("bytes"), Some(&Value::Bytes(b"\x00\xff\"x\\".to_vec())));
        assert_eq!(Value::parse(&value.flat()), Ok(value.clone()));
        let long = Value::List(vec![value.clone(), value, Value::word("id:~a")]);
        assert_eq!(Value::parse(&long.text(3)), Ok(long));
    }
}
